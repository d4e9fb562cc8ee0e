"""The code that runs around a handler: guards, middleware and exception handlers."""
