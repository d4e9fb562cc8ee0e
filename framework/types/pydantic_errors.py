"""Convert the errors of pydantic to the sentences that the errors of msgspec have."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from framework.types.mismatches import Mismatch, step
from framework.validation import REQUIRED, UNKNOWN, limit_told, shortened

# Our words for pydantic's types of errors; the words in braces are values of the error's context.
_OUR_WORDS = {
    "missing": REQUIRED,
    "extra_forbidden": UNKNOWN,
    "string_too_short": "expected str of length >= {min_length}",
    "string_too_long": "expected str of length <= {max_length}",
    "string_pattern_mismatch": "expected str matching regex {pattern!r}",
    "too_short": "expected {kind} of length >= {min_length}",
    "too_long": "expected {kind} of length <= {max_length}",
    "greater_than": "expected {kind} > {gt}",
    "greater_than_equal": "expected {kind} >= {ge}",
    "less_than": "expected {kind} < {lt}",
    "less_than_equal": "expected {kind} <= {le}",
}
# The types that a value did not have, in our words.
_TYPES = {
    "string_type": "str",
    "int_type": "int",
    "int_parsing": "int",
    "int_from_float": "int",
    "float_type": "float",
    "float_parsing": "float",
    "bool_type": "bool",
    "bool_parsing": "bool",
    "list_type": "array",
    "dict_type": "object",
    "model_type": "object",
}
_JSON_TYPES = {list: "array", dict: "object", type(None): "null"}
_FORM_BOOLEANS = "true, false, 1 or 0"
# The words that pydantic puts before a validator's message, and before its own messages.
_VALIDATOR = ("Value error, ", "Assertion failed, ")
_OWN = "Input should be "
# For more errors, pydantic takes far longer to list them than to find them.
_MANY = 1000


def mismatches_of(error: Any, *, of_texts: bool) -> Iterator[Mismatch]:
    """Yield the mismatches of a ValidationError.

    With `of_texts`, the values are texts, for example from a form. Without it, they are JSON.
    """
    for details in _listed(error):
        pointer = "".join(step(str(part)) for part in details["loc"])
        yield Mismatch(pointer, _words(details, of_texts=of_texts))


def _listed(error: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the details of each error, without the wrong values if there are very many errors."""
    if error.error_count() <= _MANY:
        yield from error.errors(include_url=False)
        return
    written = error.json(include_url=False, include_input=False)
    for details in msgspec.json.decode(written, type=list[msgspec.Raw]):
        yield msgspec.json.decode(details)


def _words(details: Mapping[str, Any], *, of_texts: bool) -> str:
    context = details.get("ctx", {})
    if details["type"] in _OUR_WORDS:
        words = _OUR_WORDS[details["type"]].format_map({**context, "kind": _kind(context)})
        return _told(words, details)
    if details["type"] in _TYPES and "input" in details:
        return _of_type(_TYPES[details["type"]], details["input"], of_texts=of_texts)
    return _plain(details["msg"])


def _kind(context: Mapping[str, Any]) -> str:
    """Return the name of the type of a value whose size breaks a limit."""
    if "field_type" in context:
        return "object" if context["field_type"] == "Dictionary" else "array"
    bounds = (context[name] for name in ("gt", "ge", "lt", "le") if name in context)
    return next((type(bound).__name__ for bound in bounds), "")


def _told(words: str, details: Mapping[str, Any]) -> str:
    value = details.get("input")
    if details["type"] in ("too_short", "too_long"):
        # The value may be an iterator, and pydantic counts what is left after validation.
        return limit_told(words, range(details["ctx"].get("actual_length") or 0))
    return words if "input" not in details else limit_told(words, value)


def _of_type(kind: str, value: object, *, of_texts: bool) -> str:
    if of_texts:
        expected = _FORM_BOOLEANS if kind == "bool" else kind
        return f"expected {expected}, got {shortened(str(value))!r}"
    return f"expected {kind}, got {_JSON_TYPES.get(type(value), type(value).__name__)}"


def _plain(message: str) -> str:
    for prefix in _VALIDATOR:
        if message.startswith(prefix):
            return message.removeprefix(prefix)
    if message.startswith(_OWN):
        return f"expected {message.removeprefix(_OWN)}"
    return message[:1].lower() + message[1:]
