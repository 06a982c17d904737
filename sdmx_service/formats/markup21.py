"""The XML around the observations of an SDMX-ML 2.1 data message."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

import polars as pl

from sdmx_service.formats.layout import renderer
from sdmx_service.formats.message import DataMessage, message_id

__all__ = ["COMMON", "MESSAGE", "XSI", "attribute", "column", "header", "joined", "scattered"]

_ROOT = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/"
MESSAGE, COMMON = f"{_ROOT}message", f"{_ROOT}common"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
# Characters that XML 1.0 cannot carry at all, not even escaped.
_FORBIDDEN = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ufffe\\uffff]")
_SPACES = {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_MARK = "\x00"


def attribute(text: str) -> str:
    """Return ``text`` as a quoted attribute value; line ends survive the parser's normalising.

    A control character that XML 1.0 has no form for becomes U+FFFD, the replacement character.
    """
    if text == _MARK:
        return f'"{_MARK}"'
    quoted = quoteattr(_FORBIDDEN.sub("\ufffd", text), _SPACES)
    return quoted if quoted[0] == '"' else '"' + quoted[1:-1].replace('"', "&quot;") + '"'


def header(message: DataMessage, structure_attributes: str = "") -> str:
    """Return the Header element; prefixes ``message`` and ``common`` must be bound."""
    flow = message.flow
    shape = "AllDimensions" if message.flat else flow.structure.time.id
    return (
        "<message:Header>"
        f"<message:ID>{message_id(message.release)}</message:ID>"
        "<message:Test>false</message:Test>"
        f"<message:Prepared>{message.prepared.isoformat()}</message:Prepared>"
        f"<message:Sender id={attribute(flow.agency)}/>"
        f"<message:Structure structureID={attribute(flow.structure.id)}{structure_attributes}"
        f' dimensionAtObservation="{shape}"><common:StructureUsage>'
        f"<Ref agencyID={attribute(flow.agency)} id={attribute(flow.id)}"
        f' version={attribute(flow.version)} class="Dataflow"/>'
        "</common:StructureUsage></message:Structure>"
        "<message:DataSetAction>Information</message:DataSetAction>"
        f"<message:DataSetID>{message_id(message.release)}</message:DataSetID>"
        "</message:Header>"
    )


def column(frame: pl.DataFrame, name: str, before: str, after: str = "") -> pl.Series:
    """Return ``before="value"after`` a row, null where the value is missing.

    ``frame`` may be a slice: coded columns carry all their codes with them.
    """
    values = frame.get_column(name)
    return renderer(values, lambda text: f"{before}{attribute(text)}{after}")(values)


def joined(parts: Sequence[pl.Series | str]) -> pl.Series:
    """Return the parts of each row as one text; a missing part adds nothing."""
    columns = [pl.lit(part) if isinstance(part, str) else part for part in parts]
    return pl.select(pl.concat_str(*columns, ignore_nulls=True)).to_series()


def scattered(heads: pl.Series, starts: pl.Series) -> pl.Series:
    """Return a column as long as ``starts`` with the heads, in order, where it is true."""
    place = pl.select(pl.when(starts).then(starts.cum_sum().cast(pl.Int64) - 1)).to_series()
    return heads.gather(place)
