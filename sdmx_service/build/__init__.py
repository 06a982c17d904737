"""Assembling a release: the only place where definitions, statistics and protection meet."""

from sdmx_service.build.build import BuildReport, build_release
from sdmx_service.build.waiting import waiting_reviews

__all__ = ["BuildReport", "build_release", "waiting_reviews"]
