"""Registered data sources written as SDMX-ML 3.x registry messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from sdmx_service.formats.action import Generation
from sdmx_service.formats.registry import Format

__all__ = ["Registration", "RegistrationMessage", "registration_formats"]

_TYPE = "application/vnd.sdmx.registry+xml"


@dataclass(frozen=True)
class Registration:
    """Where the data of a provision agreement are: ``agreement`` is its URN, ``url`` a REST entry.

    ``updated`` is when the data last changed.
    """

    id: str
    agreement: str
    url: str
    updated: datetime


@dataclass(frozen=True)
class RegistrationMessage:
    """Registrations that were asked for; ``prepared`` is when the release was published."""

    registrations: tuple[Registration, ...]
    sender: str
    prepared: datetime


def registration_formats() -> tuple[Format[RegistrationMessage], ...]:
    """All formats of answers to registration queries, the newest first."""
    return tuple(
        Format(
            name=f"registry{version[:3]}",
            media_type=_TYPE,
            version=version,
            extension=".xml",
            write=_writer(f"v3_{version[2]}"),
            plain_types=("application/xml", "text/xml"),
            family=("registry", "xml"),
            generation=generation,
        )
        for version, generation in (("3.1.0", Generation.SDMX_3_1), ("3.0.0", Generation.SDMX_3_0))
    )


def _writer(folder: str) -> Callable[[RegistrationMessage], Iterator[bytes]]:
    spaces = f"http://www.sdmx.org/resources/sdmxml/schemas/{folder}"

    def write(message: RegistrationMessage) -> Iterator[bytes]:
        results = "".join(map(_result, message.registrations))
        prepared = message.prepared.isoformat(timespec="seconds")
        sender = quoteattr(message.sender)
        yield (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<mes:RegistryInterface xmlns:mes="{spaces}/message" xmlns:reg="{spaces}/registry"'
            f' xmlns:com="{spaces}/common"><mes:Header><mes:ID>{message.prepared:R%Y%m%dT%H%M%S}'
            f"</mes:ID><mes:Test>false</mes:Test><mes:Prepared>{prepared}</mes:Prepared>"
            f'<mes:Sender id={sender}/><mes:Receiver id="ANY"/></mes:Header>'
            '<mes:QueryRegistrationResponse><reg:StatusMessage status="Success"/>'
            f"{results}</mes:QueryRegistrationResponse></mes:RegistryInterface>"
        ).encode()

    return write


def _result(one: Registration) -> str:
    updated = one.updated.isoformat(timespec="seconds")
    return (
        '<reg:QueryResult timeSeriesMatch="true"><reg:DataResult>'
        f'<reg:Registration id={quoteattr(one.id)} lastUpdated="{updated}">'
        f"<reg:ProvisionAgreement>{escape(one.agreement)}</reg:ProvisionAgreement>"
        '<reg:Datasource><reg:QueryableDataSource isRESTDatasource="true"'
        f' isWebServiceDatasource="false"><com:DataURL>{escape(one.url)}</com:DataURL>'
        "</reg:QueryableDataSource></reg:Datasource></reg:Registration></reg:DataResult>"
        "</reg:QueryResult>"
    )
