"""Whether the files of a release are the ones its manifest names."""

from __future__ import annotations

from pathlib import Path

from sdmx_service.errors import ReleaseError
from sdmx_service.release.manifest import FILE_NAME, Manifest, content_hash, file_entry

__all__ = ["damages"]


def damages(directory: Path, manifest: Manifest) -> list[ReleaseError]:
    """Return an error for each file that is missing, changed, or not in the manifest."""
    found = []
    whole = manifest.seal == manifest.expected_seal and manifest.id == directory.name
    if not whole or not manifest.id.endswith(content_hash(manifest.files)):
        found.append(
            ReleaseError(
                str(directory / FILE_NAME),
                got=manifest.id,
                expected=f"the manifest that {directory.name} was published with",
                hint="the manifest was changed after publication: restore it from a copy",
            )
        )
    for name, entry in sorted(manifest.files.items()):
        path = directory / name
        if not path.is_file():
            found.append(
                ReleaseError(
                    str(path),
                    expected="a file of the release",
                    hint="restore the release from a copy, or build a new one",
                )
            )
            continue
        seen = file_entry(path)
        if seen != entry:
            found.append(
                ReleaseError(
                    str(path),
                    got=f"sha256 {seen.sha256[:16]}…, {seen.bytes} bytes",
                    expected=f"sha256 {entry.sha256[:16]}…, {entry.bytes} bytes",
                    hint="the file was changed or damaged after publication: restore the "
                    "release from a copy; nothing of it is served",
                )
            )
    known = {*manifest.files, FILE_NAME}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if path.is_file() and name not in known:
            found.append(
                ReleaseError(
                    str(path),
                    expected="only files that the manifest names",
                    hint="something was added after publication: remove it",
                )
            )
    return found
