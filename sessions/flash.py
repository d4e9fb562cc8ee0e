"""Messages for the next page; the session keeps each message until a page shows it."""

import re
import secrets
from collections.abc import MutableMapping
from typing import Any, NamedTuple, cast

# The number gives the order of the messages. The random last part makes keys with the same number
# different.
_KEY = re.compile(r"_flash\.(\d{6,18})\.[0-9a-f]{8}", re.ASCII)
_LAST = 10**18 - 1


class Flash(NamedTuple):
    """One message and its category."""

    category: str
    message: str


class Flashes(MutableMapping[str, Any]):
    """The methods of a session for flash messages.

    Each message has its own key, so if two requests store a message at the same time, both are
    kept.
    """

    __slots__ = ()

    def flash(self, message: str, category: str = "info") -> None:
        """Store a message for the next page that shows messages."""
        keys = self._flash_keys()
        number = min(_number(keys[-1]) + 1, _LAST) if keys else 0
        texts = (_plain("category", category), _plain("message", message))
        self[f"_flash.{number:06}.{secrets.token_hex(4)}"] = texts

    def take_flashes(self) -> list[Flash]:
        """Return the messages, the oldest first, and remove them."""
        # A message that cannot be read has no value any more. Another application may have stored a
        # value of another form.
        taken = [self.pop(key, None) for key in self._flash_keys()]
        return [Flash(*message) for message in taken if _is_message(message)]

    def _flash_keys(self) -> list[str]:
        return sorted((key for key in self if _KEY.fullmatch(key)), key=_number)


def _number(key: str) -> int:
    return int(key.split(".")[1])


def _is_message(value: object) -> bool:
    is_pair = isinstance(value, tuple) and len(value) == 2
    return is_pair and all(isinstance(text, str) for text in cast("tuple[object, ...]", value))


def _plain(what: str, text: str) -> str:
    """Return the text as a plain str, so that templates escape even text marked as safe."""
    if not isinstance(text, str):
        raise TypeError(f"the {what} of a flash is {text!r}. Fix: give a text: str({text!r})")
    return str.__str__(text)
