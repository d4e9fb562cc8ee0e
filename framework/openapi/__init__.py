"""An application described as OpenAPI 3.1, for programs and for people."""

from typing import TYPE_CHECKING

from framework.openapi.pages import OpenAPI
from framework.porting import refusing

__all__ = ["OpenAPI"]


# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
