"""SDMX REST over HTTP."""

from sdmx_service.web.app import application, serve

__all__ = ["application", "serve"]
