"""Make an object from a whole form; check form fields that the class does not have."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from framework.binding.source import Default, Extract, Parameter
from framework.http.context import Context
from framework.http.forms import CSRF_FIELD, FormData
from framework.types.conversion import NOT_UTF8, has_surrogates
from framework.types.fields import is_pydantic_model
from framework.types.json_decoding import field_errors
from framework.types.mismatches import ForeignModelError, Mismatch, bounded
from framework.types.models import python_validator
from framework.validation import UNKNOWN, FieldError, InvalidRequest, invalid

# The value of a field that the request lacks and that has a default in its class.
ABSENT = object()
# The largest number of characters that an error shows of a name from the client.
_LONGEST_NAME = 100
# Makes an object from the values of its fields.
Make = Callable[[dict[str, object]], object]


@dataclass(frozen=True)
class Member:
    """A field of a class, and how it is read from a form."""

    # The name of the field in the form.
    name: str
    # The argument of the class.
    argument: str
    extract: Extract
    # Returns whether a form holds a value for the field.
    is_sent: Callable[[Context], bool]


class WholeForm:
    """Make one object from all fields of a form."""

    def __init__(self, kind: Any, members: Sequence[Member], default: Default | None) -> None:
        self.names = frozenset(member.name for member in members)
        """The fields that the class reads."""
        self._members = members
        self._default = default
        self._make = _validating(kind) if is_pydantic_model(kind) else _constructing(kind)
        self._refuses, self._keeps = _extras_of(kind)
        # The fields of the form that the class leaves to others.
        self._others = self.names | _tag_of(kind) | {CSRF_FIELD}

    def __call__(self, context: Context) -> object:
        """Read the form of a request; raise `InvalidRequest` with every error."""
        if self._default is not None and not any(
            member.is_sent(context) for member in self._members
        ):
            return self._default()
        values, errors = self._read(context)
        extras = self._extras(context.form) if self._refuses or self._keeps else {}
        # A model refuses the fields itself, together with its other errors.
        if self._refuses and (errors or not self._keeps):
            errors += field_errors("form", _refused(extras))
        elif not self._refuses:
            errors += field_errors("form", _unreadable(extras))
        if errors:
            raise InvalidRequest(errors)
        return self._make({**extras, **values} if self._keeps else values)

    def leave_to_others(self, names: Iterable[str]) -> None:
        """Remember the fields of the form that other parameters of the request read."""
        self._others = self._others.union(names)

    def _read(self, context: Context) -> tuple[dict[str, object], list[FieldError]]:
        values: dict[str, object] = {}
        errors: list[FieldError] = []
        for member in self._members:
            try:
                value = member.extract(context)
            except InvalidRequest as refusal:
                errors += refusal.errors
            else:
                if value is not ABSENT:
                    values[member.argument] = value
        return values, errors

    def _extras(self, sent: FormData) -> dict[str, object]:
        """Return the fields that nothing reads; a field with several values is a list."""
        found: dict[str, object] = {}
        for values in (sent.fields, sent.files):
            for name in values:
                if name not in self._others:
                    several = values.getlist(name)
                    found[name] = several[0] if len(several) == 1 else several
        return found


def _refused(extras: Iterable[str]) -> Iterator[Mismatch]:
    return bounded(Mismatch(name[:_LONGEST_NAME], UNKNOWN) for name in extras)


def _unreadable(extras: Mapping[str, object]) -> Iterator[Mismatch]:
    """Yield an error for each extra field that is not UTF-8, because no converter checks it."""
    for name, value in extras.items():
        texts = value if isinstance(value, list) else [value]
        if any(isinstance(text, str) and has_surrogates(text) for text in [name, *texts]):
            yield Mismatch(name[:_LONGEST_NAME], NOT_UTF8)


def share_names(parameters: Iterable[Parameter]) -> None:
    """Tell each `WholeForm` the names of the fields that the other parameters read."""
    forms = [
        part for parameter in parameters for part in parameter.flattened() if part.source == "form"
    ]
    names: set[str] = set()
    for part in forms:
        if isinstance(part.extract, WholeForm):
            names |= part.extract.names
        else:
            names.add(part.where.partition(":")[2])
    for part in forms:
        if isinstance(part.extract, WholeForm):
            part.extract.leave_to_others(names)


def _extras_of(kind: Any) -> tuple[bool, bool]:
    """Return whether a class refuses unknown fields, and whether the class receives them."""
    if is_pydantic_model(kind):
        extra = kind.model_config.get("extra")
        return extra == "forbid", extra in ("forbid", "allow")
    is_struct = issubclass(kind, msgspec.Struct)
    return is_struct and kind.__struct_config__.forbid_unknown_fields, False


def _tag_of(kind: Any) -> set[str]:
    config = getattr(kind, "__struct_config__", None)
    return set() if config is None or config.tag_field is None else {config.tag_field}


def _constructing(kind: Any) -> Make:
    def make(values: dict[str, object]) -> object:
        try:
            return kind(**values)
        # A `__post_init__` refuses values with these errors; msgspec reads them the same way.
        except (ValueError, TypeError) as error:
            raise invalid("form", str(error)) from error

    return make


def _validating(kind: Any) -> Make:
    validate = python_validator(kind)

    def make(values: dict[str, object]) -> object:
        try:
            return validate(values)
        except ForeignModelError as error:
            found = (
                mismatch._replace(pointer=mismatch.pointer[1:]) for mismatch in error.mismatches
            )
            raise InvalidRequest(field_errors("form", found)) from error

    return make
