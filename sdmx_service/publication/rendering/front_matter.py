"""The front matter of a page, in which every text means what it says."""

from __future__ import annotations

import json
from datetime import datetime

from sdmx_service.publication.markdown import verbatim
from sdmx_service.publication.rendering.execution import Page

__all__ = ["front_matter"]


def front_matter(page: Page, *, release_id: str, published: datetime, **more: str) -> str:
    """Return the YAML at the head of a page's markdown, between two lines of ``---``.

    Both engines read titles as markdown, so its marks are escaped; JSON is YAML.
    """
    given = {
        "title": verbatim(page.title),
        "subtitle": verbatim(page.subtitle),
        "lang": page.language,
        "release-id": verbatim(release_id),
        "published": {"year": published.year, "month": published.month, "day": published.day},
        **more,
    }
    lines = (f"{name}: {json.dumps(said, ensure_ascii=False)}" for name, said in given.items())
    return "---\n" + "\n".join(lines) + "\n---\n\n"
