"""Telling others, over HTTPS, that a job is over. Pure."""
