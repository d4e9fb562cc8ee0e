"""Advice on what to write instead of the names and arguments that other frameworks have."""
