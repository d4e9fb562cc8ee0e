"""Check whether the texts of a form can fill the fields of a pydantic model."""

from collections import deque
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin

from framework.types.fields import ObjectField, is_pydantic_model, members_of
from framework.types.signatures import bare, split

# The metadata with which pydantic reads a text before it looks at the type.
_READS_TEXTS = ("BeforeValidator", "WrapValidator", "PlainValidator", "Json")
_EARLY = ("before", "wrap", "plain")
_TEXTS = (str, bytes, bytearray)


def is_collection(annotation: Any) -> bool:
    """Return whether every value of a type, apart from None, is a list, a set or a tuple."""
    kinds = [_kind(member) for member in _members(annotation)]
    return all(isinstance(kind, type) and _holds_items(kind) for kind in kinds)


def unfillable(model: Any, fields: tuple[ObjectField, ...]) -> ObjectField | None:
    """Return the first of the model's fields that no text can fill; None if there is none."""
    decorators = model.__pydantic_decorators__
    if any(found.info.mode in _EARLY for found in decorators.model_validators.values()):
        return None
    validators = [found.info for found in decorators.field_validators.values()]
    read = {name for info in validators if info.mode in _EARLY for name in info.fields}
    names = zip(model.model_fields, fields, strict=True)
    found = (field for name, field in names if not read & {name, "*"})
    return next((field for field in found if not _is_fillable(field.annotation)), None)


def _is_fillable(annotation: Any, *, is_item: bool = False) -> bool:
    """Return whether texts can become a value of the type; in doubt, yes."""
    if _reads_texts(annotation):
        return True
    members = _members(annotation)
    if len(members) > 1 or _reads_texts(members[0]):
        return any(_is_fillable(member, is_item=is_item) for member in members)
    kind, (item, *_) = _kind(members[0]), (*get_args(bare(members[0])[0]), Any)
    if not isinstance(kind, type):
        return True
    if is_pydantic_model(kind):
        return _is_fillable_model(kind, is_item=is_item)
    if _holds_items(kind):
        return not is_item and _is_fillable(item, is_item=True)
    return not issubclass(kind, Mapping) and not members_of(kind)


def _is_fillable_model(kind: Any, *, is_item: bool) -> bool:
    """Return whether one text of a form can become a model, for example a root model of `int`."""
    validators = kind.__pydantic_decorators__.model_validators.values()
    if any(found.info.mode in _EARLY for found in validators):
        return True
    root = kind.model_fields.get("root")
    return root is not None and _is_fillable(root.annotation, is_item=is_item)


def _reads_texts(annotation: Any) -> bool:
    _, metadata = split(annotation)
    names = (getattr(element, "__name__", type(element).__name__) for element in metadata)
    return any(name in _READS_TEXTS for name in names)


def _members(annotation: Any) -> list[Any]:
    """List the members of a union, except None; for any other type, list the type itself."""
    base, _ = split(annotation)
    if get_origin(base) not in (Union, UnionType):
        return [annotation]
    return [member for member in get_args(base) if member is not type(None)]


def _kind(annotation: Any) -> Any:
    base, _ = bare(annotation)
    return get_origin(base) or base


def _holds_items(kind: type) -> bool:
    if issubclass(kind, (*_TEXTS, Mapping)) or members_of(kind):
        return False
    return kind is deque or (issubclass(kind, Iterable) and kind.__module__ in _MODULES)


# Another class with items may be made from one text.
_MODULES = ("builtins", "collections.abc", "collections")
