"""An application described as OpenAPI 3.1, for programs and for people."""

from framework.openapi.pages import OpenAPI

__all__ = ["OpenAPI"]
