"""Markers that are written with the type in brackets: `Query[int]`."""

from typing import Annotated, Any, NoReturn, Union

from framework.markers import Marker


class Brackets:
    """Put a marker on the type in the brackets: type checkers see an alias of `Annotated`."""

    def __init__(self, name: str, marker: Marker, example: str, others: str = "") -> None:
        self._name = name
        self._marker = marker
        self.example = f"{name}[{example}]"
        """How it is written."""
        # What else may be meant by those who call it.
        self._others = others

    def __getitem__(self, annotation: Any) -> Any:
        return Annotated[annotation, self._marker]

    def __or__(self, other: Any) -> Any:
        return Union[self, other]  # noqa: UP007

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Refuse parentheses, which other frameworks have here."""
        raise TypeError(
            f"{self._name} takes a type in brackets: write x: {self.example}{self._others}"
        )

    def __repr__(self) -> str:
        return self._name
