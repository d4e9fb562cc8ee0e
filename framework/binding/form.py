"""The values of a form: `Form[T]` for one field or for a class with fields, and uploaded files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Unpack, get_origin

from werkzeug.datastructures import FileStorage

from framework.advice.arguments import explains_arguments
from framework.binding.form_objects import ABSENT, Member, WholeForm
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
    collection_of,
    is_scalar,
    list_item,
    text_converter,
)
from framework.types.fields import ObjectField, fields_of, is_pydantic_model
from framework.types.model_fields import is_collection, unfillable
from framework.types.models import reads_text
from framework.types.signatures import bare, describe
from framework.validation import invalid, repeated

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class FormMarker(TextMarker):
    """The marker of a form, urlencoded or multipart."""

    source = "form"
    needs = Needs.BODY | Needs.FILES

    # The type to which the texts will be converted decides whether an empty text is a value.
    kind: Any = str

    def where(self, field: Field) -> str:
        """Return the place of a value, such as `form:name`; the place of a whole form is `form`."""
        return self.source if _whole(field) else super().where(field)

    def extractor(self, field: Field) -> Extract:
        """Return the function that reads one field, or every field of a class."""
        return self._object(field) if _whole(field) else self._single(field, field.annotation)

    def reader(self, name: str) -> Read:
        """Return the function that reads the fields with this name.

        Browsers also send fields that the user left empty, so an empty text counts only if it is a
        value of the type.
        """
        if self.kind is bool:
            # Browsers send "on" for a checkbox.
            return lambda context: [
                "true" if text == "on" else text
                for text in context.form.fields.getlist(name)
                if text
            ]
        if _can_be_empty(self.kind):
            return lambda context: context.form.fields.getlist(name)
        return lambda context: [text for text in context.form.fields.getlist(name) if text]

    @classmethod
    def is_implied_by(cls, annotation: Any) -> bool:
        """Return whether an unmarked parameter of this type is an uploaded file."""
        return is_upload(annotation)

    def explained(self, field: Field) -> str:
        """Return a text that says to which type the field or the whole form is converted."""
        if _whole(field):
            return f"form → {describe(bare(field.annotation)[0])}"
        return _explained(field.annotation, self)

    def explained_parts(self, field: Field) -> Sequence[ExplainedPart]:
        """Return, for each field of a class, where it comes from and its type."""
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
        """Return the OpenAPI description of one form field, or of a class with all fields."""
        if _whole(field):
            return [DocumentedForm(bare(field.annotation)[0])]
        return [DocumentedForm(field.annotation, self.name_of(field), self.limits)]

    def requires_body(self, field: Field) -> bool:
        """Return whether the argument needs a request body.

        A class whose fields all have defaults needs no body.
        """
        whole = _whole(field)
        return field.default is None and (not whole or any(member.required for member in whole))

    def _single(self, field: Field, meant: Any) -> Extract:
        """Return the function that reads a text or a file, or a list of them.

        `meant` is the type to which the texts will be converted in the end.
        """
        if is_upload(field.annotation):
            return self._upload(field)
        return TextMarker.extractor(self._meaning(meant), field)

    def _meaning(self, meant: Any) -> "FormMarker":
        return replace(self, kind=bare(list_item(meant) or meant)[0])

    def _upload(self, field: Field) -> Extract:
        name = self.name_of(field)
        absent = default_or_refusal(field.default, f"form:{name}")
        is_one = list_item(field.annotation) is None
        collect = None if is_one else collection_of(field.annotation)

        def extract(context: Context) -> object:
            files = _chosen(context, name)
            if not files:
                return absent()
            if collect is not None:
                return collect(files)
            if len(files) > 1:
                raise invalid(f"form:{name}", repeated(len(files)))
            return files[0]

        return extract

    def _presence(self, member: ObjectField) -> Callable[[Context], bool]:
        """Return the function that finds out whether a form holds a value for a field."""
        if is_upload(member.annotation):
            return lambda context: bool(_chosen(context, member.name))
        read = self._meaning(member.annotation).reader(member.name)
        return lambda context: bool(read(context))

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
        if model and (wrong := unfillable(kind, fields)) is not None:
            raise _unfillable(field, wrong)
        members = [_member(member, field, model=model) for member in fields]
        try:
            return WholeForm(get_origin(kind) or kind, members, field.default)
        except TypeError as error:
            raise _unreadable(field, error) from error


@explains_arguments("form()", 'form("name", max_length=80)')
def form(alias: str | None = None, **limits: Unpack[Limits]) -> FormMarker:
    """Return the marker of a form field, with `limits` for its value.

    Without `alias`, the field has the name of the parameter.
    """
    return limited(FormMarker, alias, limits)


if TYPE_CHECKING:
    Form = Annotated[T, FormMarker()]
else:
    # At run time, `page: int = Form(1)` raises an error that says what to write.
    Form = brackets("Form", FormMarker())


def is_upload(annotation: Any) -> bool:
    """Return whether a type is an uploaded file or a list of files, optional or not."""
    return any(bare(kind)[0] is FileStorage for kind in (annotation, list_item(annotation)))


def _explained(annotation: Any, marker: FormMarker) -> str:
    source = "file" if is_upload(annotation) else "text"
    return conversion(source, annotation, marker.limits)


def _whole(field: Field) -> tuple[ObjectField, ...]:
    """If the annotation is a class for a whole form, return the class's fields; else return ()."""
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


def _unfillable(field: Field, member: ObjectField) -> Mistake:
    return Mistake(
        f"parameter {field.name!r} cannot be read from the form: its field {member.name!r} has the"
        f" type {describe(member.annotation)}, which a form cannot hold",
        "Use a text, a number, a file, or a list, set or tuple of these. Or give the field a"
        ' pydantic validator with mode="before" that reads the text. To read whole objects, use'
        " JSON and Body[...].",
    )


def _can_be_empty(kind: Any) -> bool:
    """Return whether an empty text is a value of the type, and not an empty field."""
    if kind is str:
        return True
    if not is_scalar(kind, TEXTS):
        return reads_text(kind, "")
    try:
        text_converter(kind)("")
    except CONVERSION_ERRORS:
        return False
    return True


def _member(member: ObjectField, field: Field, *, model: bool) -> Member:
    """Return how one field of an object is read; a pydantic model converts the texts itself."""
    annotation, marker = member.annotation, FormMarker(member.name)
    if model and not is_upload(annotation):
        annotation = list[str] if is_collection(annotation) else str
    optional = model or not member.required
    inner = replace(
        field,
        name=f"{field.name}.{member.name}",
        annotation=annotation,
        default=(lambda: ABSENT) if optional else None,
    )
    extract = marker._single(inner, member.annotation)
    return Member(member.name, member.argument, extract, marker._presence(member))


def _chosen(context: Context, name: str) -> list[FileStorage]:
    """Return the files that the user chose in a field.

    If the user chose no file, browsers send an empty file without a name.
    """
    return [file for file in context.form.files.getlist(name) if file.filename]
