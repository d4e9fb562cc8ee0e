"""An application described as OpenAPI 3.1, for programs and for people."""

from typing import TYPE_CHECKING

from framework.advice.other_frameworks import refusing
from framework.openapi.pages import OpenAPI

__all__ = ["OpenAPI"]


# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
