"""Immutable, dated, hashed sets of dataflows."""

from sdmx_service.release.release import Release, current_id, open_release

__all__ = ["Release", "current_id", "open_release"]
