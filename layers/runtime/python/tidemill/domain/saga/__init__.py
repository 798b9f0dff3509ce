"""Sagas: declared as data, checked while they are built, compiled to a state machine. Pure."""
