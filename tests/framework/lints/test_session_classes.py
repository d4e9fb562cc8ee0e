"""Session classes of the user as annotations: the container must make such sessions."""

from typing import Annotated

import pytest

from framework import Application, catch, component, configuration, controller, get, guard, session
from framework.report import StartupError
from sessions import MemoryStore, Session, SessionContainer
from tests.support.apps import KEY


class Cart(Session):
    """A session of the user's own."""

    @property
    def cart(self) -> list[str]:
        """The names of what is in the cart."""
        return list(self.get("cart", []))


class BigCart(Cart):
    """A special one."""


@controller("/")
class Shop:
    """Show the cart."""

    @get("/")
    def show(self, session: Cart) -> int:
        """Answer how much is in the cart."""
        return len(session.cart)


def made_by(kind: type[Session]) -> type:
    """Return a configuration whose container makes such sessions."""

    @configuration
    class Sessions:
        @component
        def session_container(self) -> SessionContainer:
            return SessionContainer(keys=[KEY], store=MemoryStore(), session_class=kind)

    return Sessions


@pytest.mark.parametrize("kind", [Cart, BigCart])
def test_the_container_makes_the_class(kind: type[Session]) -> None:
    """A subclass of the annotation is right, too."""
    with Application(Shop, made_by(kind)).test() as client:
        assert client.get("/").json == 0


def test_another_class_is_a_mistake() -> None:
    """Without this check, each request would fail."""
    with pytest.raises(StartupError) as raised:
        Application(Shop, made_by(Session))

    told = str(raised.value)
    assert "parameter 'session' is Cart, but the sessions" in told
    assert "SessionContainer(session_class=Cart)" in told
    assert "test_session_classes.py" in told


def test_guards_resolvers_and_exception_handlers_are_checked_too() -> None:
    """Guards, resolvers and exception handlers have parameters too, and each is told once."""

    class Full:
        def check(self, session: Cart) -> bool:
            return bool(session.cart)

    class Names:
        def resolve(self, session: BigCart) -> list[str]:
            return session.cart

    @controller("/a")
    @guard(Full)
    class Several:
        @get("/")
        def show(self, names: Annotated[list[str], Names]) -> list[str]:
            return names

        @get("/b")
        def also(self, session: session) -> int:
            return len(session)

        @catch(LookupError)
        def missing(self, session: Annotated[Cart, "told"]) -> str:
            return str(session)

    with pytest.raises(StartupError) as raised:
        Application(Several, made_by(Session))

    told = str(raised.value)
    assert told.count("parameter 'session' is Cart,") == 2
    assert told.count("parameter 'session' is BigCart,") == 1
    for name in ("Full.check", "Names.resolve", "Several.missing"):
        assert name in told
