"""Transports carry the session token: `base` has the base class, and each transport has a file."""

from typing import TYPE_CHECKING

from sessions.public_names import refusing

# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
