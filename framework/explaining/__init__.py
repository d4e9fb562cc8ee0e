"""Explains how an application would answer a request, without sending the request."""
