"""Which format a client is given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import NotAcceptable, RequestError
from sdmx_service.formats import Labels, data_formats, languages, negotiate, structure_formats
from sdmx_service.formats.negotiation import accepted

GENERIC = next(one for one in data_formats() if one.name == "generic")


def _chosen(accept: str | None, asked: str | None = None) -> str:
    return negotiate(data_formats(), accept=accept, default=GENERIC, asked=asked).format.name


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        (None, "generic"),
        ("", "generic"),
        ("*/*", "generic"),
        ("application/*", "generic"),
        ("text/csv", "csv"),
        ("application/json", "json"),
        ("application/xml", "structurespecific"),
        ("application/vnd.sdmx.genericdata+xml;version=2.1", "generic"),
        ("application/vnd.sdmx.structurespecificdata+xml; version=2.1", "structurespecific"),
        ("application/vnd.sdmx.data+json;version=2.0.0", "json"),
        ("application/vnd.sdmx.data+json;version=2.0", "json"),
        ("application/vnd.sdmx.data+csv;version=1.0.0+, text/csv;q=0.5", "csv"),
        ("application/vnd.sdmx.data+csv;version=1+.0.0", "csv"),
        ("application/vnd.sdmx.data+csv;version=2.0.0+", "csv"),
        ("APPLICATION/VND.SDMX.DATA+CSV", "csv"),
        ("text/csv;q=0.1, application/json;q=0.9", "json"),
        ("*/*;q=0.1, text/csv", "csv"),
        ("*/*, text/csv", "csv"),
        ("application/json;q=0, */*;q=0.1", "generic"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "structurespecific"),
        ("image/png, */*;q=0.1", "generic"),
    ],
)
def test_the_accept_header_is_read_as_rfc_9110_says(accept: str | None, name: str) -> None:
    assert _chosen(accept) == name


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("csv", "csv"),
        ("jsondata", "json"),
        ("genericdata", "generic"),
        ("structurespecificdata", "structurespecific"),
        ("CSV", "csv"),
        ("text/csv", "csv"),
        ("application/vnd.sdmx.data+csv;version=2.0.0", "csv"),
    ],
)
def test_the_format_parameter_wins_over_the_header(asked: str, name: str) -> None:
    assert _chosen("application/pdf", asked) == name


@pytest.mark.parametrize(
    "accept",
    ["application/vnd.sdmx.data+csv;version=2.1.0", "application/vnd.sdmx.data+xml;version=3.0.0",
     "image/png", "text/csv;q=0", "nonsense"],
)  # fmt: skip
def test_what_cannot_be_written_is_refused_with_what_can(accept: str) -> None:
    with pytest.raises(NotAcceptable, match=r"application/vnd\.sdmx\.data\+csv;version=2\.0\.0"):
        _chosen(accept)


def test_labels_come_with_the_header_or_the_parameter() -> None:
    accept = "application/vnd.sdmx.data+csv;version=2.0.0;labels=both"
    assert negotiate(data_formats(), accept=accept, default=GENERIC).labels is Labels.BOTH
    by_parameter = negotiate(data_formats(), accept=accept, default=GENERIC, labels="name")
    assert by_parameter.labels is Labels.NAME
    with pytest.raises(RequestError, match="id, name or both"):
        negotiate(data_formats(), accept=accept, default=GENERIC, labels="many")


@pytest.mark.parametrize(
    ("header", "asked", "tags"),
    [
        (None, None, ("en",)),
        ("fr", None, ("fr", "en")),
        ("en-GB;q=0.8, fr-FR", None, ("fr-FR", "fr", "en-GB", "en")),
        ("fr", "de", ("de", "en")),
        ("*, ;q=1, x;q=high", None, ("en",)),
    ],
)
def test_languages_come_in_the_order_wanted(
    header: str | None, asked: str | None, tags: tuple[str, ...]
) -> None:
    assert languages(header, asked) == tags


def test_no_two_formats_answer_to_one_name() -> None:
    for formats in (data_formats(), structure_formats()):
        names = [name for one in formats for name in (one.name, *one.short_names)]
        types = [one.content_type for one in formats]
        assert len(set(names)) == len(names)
        assert len(set(types)) == len(types)


@given(st.text(max_size=80) | st.text(alphabet="/;=,q*.+0123456789acv ", max_size=80))
def test_any_header_is_understood_or_refused(header: str) -> None:
    assert all(0 < one.quality <= 1 for one in accepted(header))
    assert languages(header)[-1] == "en" or "en" in languages(header)
    try:
        name = _chosen(header)
    except NotAcceptable:
        return
    assert name in {one.name for one in data_formats()}
