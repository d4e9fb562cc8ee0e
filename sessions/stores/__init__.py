"""Where records live: the contract in `base`, one store a file."""

from typing import TYPE_CHECKING

from sessions.names import refusing

# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
