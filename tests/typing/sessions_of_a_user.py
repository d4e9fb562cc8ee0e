"""A user's sessions: the parameter, one typed value, and the container."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, assert_type

from framework import Session, component, configuration, controller, get, session, session_value
from sessions import CookieSettings, MemoryStore, SessionContainer, SQLiteStore, Store


@dataclass
class Cart:
    items: list[str] = field(default_factory=list)


@controller("/")
class Shop:
    @get("/")
    def both(self, session: session) -> dict[str, int]:
        assert_type(session, Session)
        assert_type(session["visits"], Any)
        assert_type(session.id, str)
        assert_type(session.is_new, bool)
        assert_type(session.expires_at, datetime)
        assert_type(session.timeout, timedelta)
        session["visits"] = session.get("visits", 0) + 1
        return {"visits": session["visits"]}

    @get("/class")
    def by_its_class(self, session: session) -> None:
        session.timeout = timedelta(days=1)
        session.regenerate()
        session.destroy()

    @get("/cart")
    def cart(self, cart: Annotated[Cart, session_value("cart")] = Cart()) -> Cart:
        assert_type(cart, Cart)
        assert_type(cart.items, list[str])
        return cart


@configuration
class Configuration:
    @component
    def session_container(self) -> SessionContainer:
        return SessionContainer(
            keys=["k" * 32],
            store=MemoryStore(),
            cookie=CookieSettings(same_site="Strict", max_age=timedelta(days=1)),
            idle_timeout=timedelta(hours=1),
        )

    @component
    def store(self) -> Store:
        return SQLiteStore("sessions.db")
