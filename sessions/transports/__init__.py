"""Transports carry the session token: `base` has the base class, and each transport has a file."""
