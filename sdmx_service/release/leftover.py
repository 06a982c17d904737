"""Images of tables that no release has any more."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from sdmx_service.errors import ReleaseError
from sdmx_service.release.alone import alone
from sdmx_service.release.image import FOLDER
from sdmx_service.release.manifest import FILE_NAME, Manifest

__all__ = ["remove_leftover_images"]


def remove_leftover_images(root: Path) -> tuple[str, ...]:
    """Remove the images beside the releases under ``root`` that are of none of them.

    Return the names of what was removed. A process that has an image mapped keeps its pages: a
    removed file is there for as long as someone holds it. Images kept elsewhere may be of other
    releases too and stay, and so do all where a manifest cannot be read.
    """
    folder = root / FOLDER
    if not os.access(folder, os.W_OK):
        return ()  # there is none, or it is for another user to keep
    # Who makes an image holds this lock: what has a name of its own is unfinished for ever.
    with alone(folder):
        try:
            manifests = [Manifest.read(path.parent) for path in root.glob(f"*/{FILE_NAME}")]
        except ReleaseError:
            return ()
        there = {entry.sha256 for one in manifests for entry in one.files.values()}
        gone = sorted(
            path
            for path in folder.iterdir()
            if path.is_dir() and path.name.partition("-")[0] not in there
        )
        for path in gone:
            # Not while it is half there: whoever opens it finds all of it, or makes it again.
            hidden = folder / f".gone-{path.name.lstrip('.')}"
            path.replace(hidden)
            shutil.rmtree(hidden, ignore_errors=True)
    return tuple(path.name for path in gone)
