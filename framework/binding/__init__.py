"""Reads the arguments of a handler from a request; each source of values is one file."""
