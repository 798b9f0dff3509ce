"""Requests to machines that are not ours: name, address, connection and answer, each looked at."""
