"""The public names of all markers, and of the classes that a marker of your own needs."""

from typing import TYPE_CHECKING

from framework.advice.other_frameworks import refusing
from framework.binding.body import Body
from framework.binding.cookie import Cookie, cookie
from framework.binding.form import Form, form
from framework.binding.header import Header, header
from framework.binding.inject import Inject
from framework.binding.query import Query, query
from framework.binding.session import session
from framework.binding.session_value import session_value
from framework.binding.source import (
    DocumentedBody,
    DocumentedForm,
    DocumentedValue,
    Extract,
    Field,
    Marker,
    Needs,
)
from framework.http.context import Context

__all__ = [
    "Body",
    "Context",
    "Cookie",
    "DocumentedBody",
    "DocumentedForm",
    "DocumentedValue",
    "Extract",
    "Field",
    "Form",
    "Header",
    "Inject",
    "Marker",
    "Needs",
    "Query",
    "cookie",
    "form",
    "header",
    "query",
    "session",
    "session_value",
]


# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
