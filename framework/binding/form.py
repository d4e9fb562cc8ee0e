"""What a form sends: `Form[T]` of one field or of a class with fields, and uploaded files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Unpack

from werkzeug.datastructures import FileStorage

from framework.binding.source import (
    Documented,
    DocumentedForm,
    ExplainedPart,
    Extract,
    Field,
    Needs,
    conversion,
    default_or_refusal,
)
from framework.binding.texts import Limits, Read, TextMarker, brackets, limited
from framework.http.context import Context
from framework.report import Mistake
from framework.types.conversion import (
    CONVERSION_ERRORS,
    TEXTS,
    field_errors,
    is_scalar,
    list_item,
    text_converter,
)
from framework.types.fields import ObjectField, fields_of, is_pydantic_model
from framework.types.models import ForeignModelError, python_validator
from framework.types.signatures import bare, describe
from framework.validation import FieldError, InvalidRequest, invalid, repeated

T = TypeVar("T")

# Stands for a field that the request lacks and that has a default in its class.
_ABSENT = object()
# Makes an object from the values of its fields.
Make = Callable[[dict[str, object]], object]


@dataclass(frozen=True, repr=False)
class FormMarker(TextMarker):
    """Read a form, urlencoded or multipart."""

    source = "form"
    needs = Needs.BODY | Needs.FILES

    # The type of the field decides whether an empty text is a value.
    kind: Any = str

    def where(self, field: Field) -> str:
        """Return the source, and the name unless the argument is the whole form."""
        return self.source if _whole(field) else super().where(field)

    def extractor(self, field: Field) -> Extract:
        """Return the function that reads one field, or every field of a class."""
        return self._object(field) if _whole(field) else self._single(field, field.annotation)

    def reader(self, name: str) -> Read:
        """Read the fields of a name; browsers also send the fields that the user left empty."""
        if self.kind is bool:
            # Browsers send "on" for a checkbox.
            return lambda context: [
                "true" if text == "on" else text for text in context.form.fields.getlist(name)
            ]
        if _can_be_empty(self.kind):
            return lambda context: context.form.fields.getlist(name)
        return lambda context: [text for text in context.form.fields.getlist(name) if text]

    @classmethod
    def is_implied_by(cls, annotation: Any) -> bool:
        """Return whether an unmarked parameter of this type is an uploaded file."""
        return is_upload(annotation)

    def explained(self, field: Field) -> str:
        """Say to which type a text, a file or the whole form is converted."""
        if _whole(field):
            return f"form → {describe(bare(field.annotation)[0])}"
        return _explained(field.annotation, self)

    def explained_parts(self, field: Field) -> Sequence[ExplainedPart]:
        """Say where each field of a class comes from and to which type the field is converted."""
        return [
            ExplainedPart(
                name=member.name,
                type=describe(member.annotation),
                where=f"{self.source}:{member.name}",
                required=member.required,
                conversion=_explained(member.annotation, self),
            )
            for member in _whole(field)
        ]

    def documented(self, field: Field) -> Sequence[Documented]:
        """Describe one field, or the class of a whole form."""
        if _whole(field):
            return [DocumentedForm(bare(field.annotation)[0])]
        return [DocumentedForm(field.annotation, self.name_of(field), self.limits)]

    def requires_body(self, field: Field) -> bool:
        """Return whether an empty form lacks a value: a class may have defaults for all fields."""
        whole = _whole(field)
        return field.default is None and (not whole or any(member.required for member in whole))

    def _single(self, field: Field, meant: Any) -> Extract:
        """Return the function that reads a text or a file, or a list of them.

        `meant` is the type to which the texts will be converted in the end.
        """
        if is_upload(field.annotation):
            return self._upload(field)
        kind, _ = bare(list_item(meant) or meant)
        return TextMarker.extractor(replace(self, kind=kind), field)

    def _upload(self, field: Field) -> Extract:
        name = self.name_of(field)
        absent = default_or_refusal(field.default, f"form:{name}")
        several = list_item(field.annotation) is not None

        def extract(context: Context) -> object:
            # A browser sends a file without a name if the user chose no file.
            files = [file for file in context.form.files.getlist(name) if file.filename]
            if not files:
                return absent()
            if several:
                return files
            if len(files) > 1:
                raise invalid(f"form:{name}", repeated(len(files)))
            return files[0]

        return extract

    def _object(self, field: Field) -> Extract:
        """Return the function that makes one object from all fields of the form."""
        kind, fields = bare(field.annotation)[0], _whole(field)
        if self.alias is not None or self.limits is not None:
            raise Mistake(
                f"form() of parameter {field.name!r} has a name or limits, but"
                f" {describe(kind)} takes the whole form",
                f"Write Form[{describe(kind)}], and put limits on the fields of the class.",
            )
        model = is_pydantic_model(kind)
        extracts = [(member.argument, _member(member, field, model=model)) for member in fields]
        try:
            make = _validating(kind) if model else _constructing(kind)
        except TypeError as error:
            raise _unreadable(field, error) from error
        names = {member.name for member in fields}

        def extract(context: Context) -> object:
            sent = context.form
            if field.default is not None and names.isdisjoint({*sent.fields, *sent.files}):
                return field.default()
            return make(_gather(extracts, context))

        return extract


def form(alias: str | None = None, **limits: Unpack[Limits]) -> FormMarker:
    """Mark a parameter as a form field; give another name or limits if needed."""
    return limited(FormMarker, alias, limits)


if TYPE_CHECKING:
    Form = Annotated[T, FormMarker()]
else:
    # At run time, `page: int = Form(1)` raises an error that explains the right spelling.
    Form = brackets("Form", FormMarker())


def is_upload(annotation: Any) -> bool:
    """Return whether a type is an uploaded file or a list of files, optional or not."""
    return any(bare(kind)[0] is FileStorage for kind in (annotation, list_item(annotation)))


def _explained(annotation: Any, marker: FormMarker) -> str:
    source = "file" if is_upload(annotation) else "text"
    return conversion(source, annotation, marker.limits)


def _whole(field: Field) -> tuple[ObjectField, ...]:
    """Return the fields that a whole form has for an object; an empty tuple for a single field."""
    try:
        return fields_of(bare(field.annotation)[0])
    # The annotation of a field is an unknown name.
    except NameError as error:
        raise _unreadable(field, error) from error


def _unreadable(field: Field, error: Exception) -> Mistake:
    return Mistake(
        f"parameter {field.name!r} cannot be read from the form: {error}",
        "Use a class whose fields are texts, numbers, lists of them, or files.",
    )


def _can_be_empty(kind: Any) -> bool:
    """Return whether an empty text is a value of the type, and not an empty field."""
    if kind is str or not is_scalar(kind, TEXTS):
        return True
    try:
        text_converter(kind)("")
    except CONVERSION_ERRORS:
        return False
    return True


def _member(member: ObjectField, field: Field, *, model: bool) -> Extract:
    """Return the function that reads one field of an object; a model converts texts itself."""
    annotation = member.annotation
    if model and not is_upload(annotation):
        annotation = str if list_item(annotation) is None else list[str]
    optional = model or not member.required
    inner = replace(
        field,
        name=f"{field.name}.{member.name}",
        annotation=annotation,
        default=(lambda: _ABSENT) if optional else None,
    )
    return FormMarker(member.name)._single(inner, member.annotation)


def _gather(extracts: Sequence[tuple[str, Extract]], context: Context) -> dict[str, object]:
    values: dict[str, object] = {}
    errors: list[FieldError] = []
    for argument, extract in extracts:
        try:
            values[argument] = extract(context)
        except InvalidRequest as refusal:
            errors += refusal.errors
    if errors:
        raise InvalidRequest(errors)
    return {argument: value for argument, value in values.items() if value is not _ABSENT}


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
