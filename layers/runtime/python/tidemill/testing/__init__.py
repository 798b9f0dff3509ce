"""For tests: the ports in memory, and a clock that stands still."""
