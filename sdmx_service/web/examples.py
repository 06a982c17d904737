"""Lines to copy that read a dataflow of this service with the clients people have."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Example", "examples"]


@dataclass(frozen=True)
class Example:
    """What to copy for one client; ``language`` is that of the code."""

    client: str
    language: str
    code: str


def examples(base: str, agency: str, flow: str) -> tuple[Example, ...]:
    """Return an example for each client; each prints what it read, but for Power Query."""
    return tuple(
        Example(client, language, code.format(base=base, agency=agency, flow=flow))
        for client, language, code in _TEXTS
    )


_TEXTS = (
    (
        "curl",
        "sh",
        """curl "{base}/rest/data/{flow}?format=csv"
curl "{base}/sdmx/v2/data/dataflow/{agency}/{flow}?limit=10&format=csv\"""",
    ),
    (
        "pandas",
        "python",
        """import pandas as pd

data = pd.read_csv("{base}/rest/data/{flow}?format=csv", low_memory=False)
print(data)""",
    ),
    (
        "sdmx1 (Python)",
        "python",
        """import sdmx

source = {{"id": "{agency}", "name": "Statistics", "url": "{base}/rest"}}
sdmx.add_source(source)
print(sdmx.to_pandas(sdmx.Client("{agency}").data("{flow}")))""",
    ),
    (
        "pysdmx (Python)",
        "python",
        """from pysdmx.api.fmr import RegistryClient
from pysdmx.api.qb.data import DataContext, DataFormat, DataQuery
from pysdmx.api.qb.service import RestService
from pysdmx.api.qb.util import ApiVersion
from pysdmx.io import read_sdmx

url, form = "{base}/sdmx/v2", DataFormat.SDMX_CSV_2_0_0
query = DataQuery(DataContext.DATAFLOW, "{agency}", "{flow}")
answer = RestService(url, ApiVersion.V2_2_2, data_format=form).data(query)
print(read_sdmx(answer.decode(), validate=False).data[0].data)
print([one.id for one in RegistryClient(url).get_dataflows("{agency}")])""",
    ),
    (
        "R, rsdmx",
        "r",
        """library(rsdmx)
url <- "{base}/rest"
builder <- SDMXREST21RequestBuilder(regUrl = url, repoUrl = url, compliant = TRUE)
addSDMXServiceProvider(
  SDMXServiceProvider(agencyId = "{agency}", name = "Statistics", builder = builder))
found <- readSDMX(providerId = "{agency}", resource = "data", flowRef = "{flow}")
print(head(as.data.frame(found)))""",
    ),
    (
        "Excel, Power Query",
        "powerquery",
        """let
    Service = "{base}/rest/data/",
    Source = Web.Contents(Service, [RelativePath = "{flow}", Query = [format = "csv"]]),
    Table = Csv.Document(Source, [Delimiter = ",", Encoding = 65001]),
    Headed = Table.PromoteHeaders(Table, [PromoteAllScalars = true]),
    Typed = Table.TransformColumnTypes(Headed, {{{{"OBS_VALUE", type number}}}}, "en-US")
in
    Typed""",
    ),
)
