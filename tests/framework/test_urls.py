"""URLs: built from the names of handlers."""

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BuildError
from werkzeug.test import Client as WSGIClient

from framework import Application, controller, get
from tests.framework.users import Users, answer


def test_a_url_is_escaped_as_a_request_would_be() -> None:
    """What url_for builds leads to the handler with the same value."""
    app = Application(Users)
    url = app.url_for("Users.named", name="ż ?")

    assert url == "/users/named/%C5%BC%20%3F"
    assert answer(app, url) == (200, "ż ?")


def test_values_that_the_path_has_not_go_to_the_query() -> None:
    """So a link to a page of a list is one call."""
    assert Application(Users).url_for("Users.index", page=2) == "/users/?page=2"


def test_a_url_follows_the_mount_point() -> None:
    """Under SCRIPT_NAME the URL has its prefix, host and scheme."""
    app = Application(Users)
    client = WSGIClient(DispatcherMiddleware(NotFound(), {"/shop": app}))
    response = client.get("/shop/users/7", base_url="https://example.org", buffered=True)

    assert response.json == {
        "path": "/users/7",
        "mounted": "/shop/users/7",
        "external": "https://example.org/shop/users/7",
    }


@pytest.mark.parametrize("host", ["a b", "<script>", "x:99999"])
def test_a_host_that_is_none_builds_no_url(host: str) -> None:
    """An external URL needs a host; what is none is the client's mistake."""
    status, _ = answer(Application(Users), "/users/7", headers={"Host": host})

    assert status == 400


def test_a_url_follows_a_trusted_proxy() -> None:
    """Behind ProxyFix it has what the proxy says."""
    app = Application(Users)
    client = WSGIClient(ProxyFix(app, x_host=1, x_proto=1, x_prefix=1))
    headers = {
        "X-Forwarded-Host": "shop.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/eu",
    }
    response = client.get("/users/7", headers=headers, buffered=True)

    assert (response.json or {})["external"] == "https://shop.example/eu/users/7"


def test_an_external_url_needs_a_request() -> None:
    """Without one, nobody knows the host."""
    with pytest.raises(TypeError, match="needs a request"):
        Application(Users).url_for("Users.index", _external=True)


def test_an_unknown_handler_has_no_url() -> None:
    """The error suggests the name that was meant."""
    with pytest.raises(BuildError, match=r"Users\.index"):
        Application(Users).url_for("Users.indx")


def test_a_name_that_two_controllers_have_is_told_with_their_modules() -> None:
    """The error suggests both of the handlers, and so does one without a controller."""
    app = Application(Users, _other_users())
    names = "'shop.users.Users.index' or 'tests.framework.users.Users.index'"

    with pytest.raises(BuildError) as ambiguous:
        app.url_for("Users.index")
    with pytest.raises(BuildError) as bare:
        app.url_for("index")

    assert str(ambiguous.value) == f"no handler is called 'Users.index': write {names}"
    assert str(bare.value) == f"no handler is called 'index': write {names}"
    assert app.url_for("shop.users.Users.index") == "/others/"


def _other_users() -> type:
    """Make a controller that has the name of another one."""

    @controller("/others")
    class Users:
        @get("/")
        def index(self) -> str:
            return "others"

    Users.__module__ = "shop.users"
    return Users
