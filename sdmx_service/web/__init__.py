"""SDMX REST over HTTP."""

from sdmx_service.web.app import application
from sdmx_service.web.serving import serve

__all__ = ["application", "serve"]
