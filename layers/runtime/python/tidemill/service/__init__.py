"""What Tidemill does, in terms of ports; nothing here knows AWS."""
