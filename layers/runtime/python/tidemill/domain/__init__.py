"""The rules of Tidemill in plain Python: no I/O, no environment, no clock, no randomness of its own."""
