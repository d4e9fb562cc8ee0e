"""Stores keep the records of sessions; `base` has the base classes."""

from typing import TYPE_CHECKING

from sessions.public_names import refusing

# Type checkers do not see this function, because they would then accept every name.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
