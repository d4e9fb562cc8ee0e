"""What stands around a handler: guards, middleware and exception handlers."""
