"""Messages for the next page: kept in the session until they are shown, once."""

import secrets
from collections.abc import MutableMapping
from typing import Any, NamedTuple

_PREFIX = "_flash."


class Flash(NamedTuple):
    """Hold one message and what kind it is."""

    category: str
    message: str


class Flashes(MutableMapping[str, Any]):
    """Keep messages in a mapping.

    Each has a key of its own, so two requests that leave one at the same time lose neither.
    """

    def flash(self, message: str, category: str = "info") -> None:
        """Leave a message for the next page that shows them."""
        kept = self._flash_keys()
        number = int(kept[-1].split(".")[1]) + 1 if kept else 0
        # Text that is marked as safe HTML becomes plain text, which a template escapes.
        text = str.__str__(message)
        self[f"{_PREFIX}{number:06}.{secrets.token_hex(4)}"] = (str.__str__(category), text)

    def take_flashes(self) -> list[Flash]:
        """Return the messages, oldest first, and forget them."""
        return [Flash(*self.pop(key)) for key in self._flash_keys()]

    def _flash_keys(self) -> list[str]:
        return sorted(key for key in self if key.startswith(_PREFIX))
