"""A minimal controller framework whose sessions cannot lose data."""

from werkzeug.wrappers import Request, Response

from framework.application import Application
from framework.components import component, configuration, repository, service
from framework.controllers import controller, delete, get, head, options, patch, post, put
from framework.middleware import Middleware, Next
from framework.parameters import (
    Body,
    Cookie,
    Header,
    Inject,
    Query,
    cookie,
    header,
    query,
    session,
)
from framework.startup import StartupError
from framework.testing import replace
from sessions.session import Session

__all__ = [
    "Application",
    "Body",
    "Cookie",
    "Header",
    "Inject",
    "Middleware",
    "Next",
    "Query",
    "Request",
    "Response",
    "Session",
    "StartupError",
    "component",
    "configuration",
    "controller",
    "cookie",
    "delete",
    "get",
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
]
