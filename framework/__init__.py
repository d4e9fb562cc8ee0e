"""A minimal controller framework whose sessions cannot lose data."""

import typing

from framework.advice import collisions

# The imports below need `sessions`, and a module of the user may have this name.
collisions.require_our_sessions()

# isort: split
from werkzeug.wrappers import Request, Response

from framework.advice import uncaught
from framework.application import Application
from framework.decorators import (
    catch,
    component,
    configuration,
    controller,
    delete,
    get,
    guard,
    head,
    options,
    patch,
    post,
    put,
    repository,
    service,
)
from framework.markers import (
    Body,
    Cookie,
    Form,
    Header,
    Inject,
    Query,
    cookie,
    form,
    header,
    query,
    session,
    session_value,
)
from framework.middleware import Middleware, Next
from framework.report import StartupError
from framework.settings import HTTPSettings
from framework.testing import replace
from sessions.session import Session

__all__ = [
    "Application",
    "Body",
    "Cookie",
    "Form",
    "HTTPSettings",
    "Header",
    "Inject",
    "Middleware",
    "Next",
    "Query",
    "Request",
    "Response",
    "Session",
    "StartupError",
    "catch",
    "component",
    "configuration",
    "controller",
    "cookie",
    "delete",
    "form",
    "get",
    "guard",
    "head",
    "header",
    "options",
    "patch",
    "post",
    "put",
    "query",
    "replace",
    "repository",
    "service",
    "session",
    "session_value",
]


uncaught.explain_uncaught_errors()

# Type checkers report unknown names themselves.
if not typing.TYPE_CHECKING:
    from framework.advice.other_frameworks import refusing as _refusing

    __getattr__ = _refusing(__name__)
