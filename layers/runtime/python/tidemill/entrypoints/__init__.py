"""Where Lambda, Powertools and AWS meet the service layer."""
