"""Transports carry the session token: `base` has the base class, and each transport has a file."""

from typing import TYPE_CHECKING

from sessions.public_names import refusing

# Type checkers do not see this function, because they would then accept every name.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
