"""Stores keep the records of sessions; `base` has the base classes."""

from typing import TYPE_CHECKING

from sessions.public_names import refusing

# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
