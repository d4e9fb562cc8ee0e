"""The imported name `session`: an annotation that raises an error if used as a session."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

if TYPE_CHECKING:

    class _Annotated:
        def __init__(self, origin: type, metadata: tuple[object, ...]) -> None: ...

        def __init_subclass__(cls, *, _root: bool) -> None: ...

        def __or__(self, other: Any) -> Any: ...

        def __ror__(self, other: Any) -> Any: ...

        def __getattr__(self, name: str) -> Any: ...

else:
    # A subclass of the class of `Annotated[...]` is read by typing as any `Annotated[...]`.
    _Annotated = type(Annotated[int, ""])

_FIX = (
    " uses the imported name `session`, which is the marker of a parameter and not the session of a"
    " request. Fix: give the handler the parameter `session: session`, as in"
    " `def show(self, session: session) -> str:`. A function that the handler calls takes the"
    " session as an argument, and declares `session: Session`."
)


class SessionName(_Annotated, _root=True):
    """The annotation `Annotated[Session, marker]`, which raises an error if used as a session.

    Raises AttributeError for attributes, and TypeError for everything else.
    """

    def __init__(self, origin: type, metadata: tuple[object, ...]) -> None:
        super().__init__(origin, metadata)
        self.__dict__.update(__module__="framework", _is_complete=True)

    def __getattr__(self, name: str) -> Any:
        # Python asks for names with underscores, for example to copy or to inspect an object.
        if name.startswith("__"):
            return super().__getattr__(name)
        raise AttributeError(f"session.{name}{_FIX}", name=name, obj=self)

    def __setattr__(self, name: str, value: object) -> None:
        # The class from typing would set the attribute on the class Session, for all users.
        if "_is_complete" in self.__dict__ and not name.startswith("__"):
            raise AttributeError(f"session.{name} = {value!r}{_FIX}", name=name, obj=self)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"del session.{name}{_FIX}", name=name, obj=self)

    def __getitem__(self, key: object) -> NoReturn:
        raise TypeError(f"session[{key!r}]{_FIX}{_as_a_parameter(key)}")

    def __setitem__(self, key: object, value: object) -> NoReturn:
        raise TypeError(f"session[{key!r}] = {value!r}{_FIX}")

    def __delitem__(self, key: object) -> NoReturn:
        raise TypeError(f"del session[{key!r}]{_FIX}")

    def __contains__(self, key: object) -> NoReturn:
        raise TypeError(f"{key!r} in session{_FIX}")

    def __iter__(self) -> Iterator[NoReturn]:
        raise TypeError(f"a loop over session{_FIX}")

    def __len__(self) -> NoReturn:
        raise TypeError(f"len(session){_FIX}")

    def __bool__(self) -> bool:
        # Tools that read annotations ask whether there is one.
        return True

    def __call__(self, *_: object, **__: object) -> NoReturn:
        raise TypeError(f"session(){_FIX}")

    def __enter__(self) -> NoReturn:
        raise TypeError(f"with session{_FIX}")

    def __exit__(self, *_: object) -> None: ...

    def __instancecheck__(self, value: object) -> NoReturn:
        raise TypeError(
            "isinstance(…, session) needs a class, but the imported name `session` is a"
            " marker. Fix: write isinstance(…, Session)."
        )

    def __or__(self, other: Any) -> Any:
        if isinstance(other, Mapping):
            raise TypeError(f"session | {other!r}{_FIX}")
        return super().__or__(other)

    def __ror__(self, other: Any) -> Any:
        if isinstance(other, Mapping):
            raise TypeError(f"{other!r} | session{_FIX}")
        return super().__ror__(other)

    def __repr__(self) -> str:
        return "framework.session"

    def __reduce__(self) -> str:
        return "session"


def _as_a_parameter(key: object) -> str:
    """Return how to take only one value, such as `session["cart"]`, as a parameter."""
    if not isinstance(key, str):
        return ""
    return (
        f" To take this value alone, write the parameter `x: Annotated[T, session_value({key!r})]`."
    )
