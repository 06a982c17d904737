"""Requests made to hurt: dangerous words, and every place of a request that a word can stand in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from sdmx_service.query import rest15, rest22
from sdmx_service.query.metadata_query import METADATA_PARAMETERS_15, METADATA_PARAMETERS_22
from sdmx_service.query.registration_query import REGISTRATION_PARAMETERS
from sdmx_service.query.schema_query import SCHEMA_PARAMETERS_15, SCHEMA_PARAMETERS_22
from sdmx_service.query.structure_query import STRUCTURE_PARAMETERS_15, STRUCTURE_PARAMETERS_22

__all__ = ["FLOODS", "HEADERS", "RESOURCES", "WORDS", "hostile"]

_DATA15 = rest15.DATA_PARAMETERS
_DATA22 = (
    *rest22.DATA_PARAMETERS,
    "c[SEX]",
    "c[TIME_PERIOD]",
    "c[OBS_VALUE]",
    "c[COMMENT_OBS]",
    "c[UNWGTD_SAMPL_SIZE]",
)
_FLOW = "dataflow/SIS/DF_POV/1.0.0"

RESOURCES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "1.5 data": ("/rest/data/SIS,DF_POV,1.0.0/A.AT/all", _DATA15),
    "1.5 availability": (
        "/rest/availableconstraint/SIS,DF_POV,1.0.0/A.AT/all/SEX",
        rest15.AVAILABILITY_PARAMETERS,
    ),
    "1.5 structure": ("/rest/codelist/SIS/CL_SEX/1.0.0/F", STRUCTURE_PARAMETERS_15),
    "1.5 schema": (f"/rest/schema/{_FLOW}", SCHEMA_PARAMETERS_15),
    "1.5 metadata": ("/rest/metadata/SIS,MDF_METHODS,1.0.0/all/all", METADATA_PARAMETERS_15),
    "2.2 data": (f"/sdmx/v2/data/{_FLOW}/A.AT", _DATA22),
    "2.2 availability": (
        f"/sdmx/v2/availability/{_FLOW}/A.AT/SEX",
        (*rest22.AVAILABILITY_PARAMETERS, "c[SEX]", "c[TIME_PERIOD]", "c[OBS_VALUE]"),
    ),
    "2.2 structure": ("/sdmx/v2/structure/codelist/SIS/CL_SEX/1.0.0/F", STRUCTURE_PARAMETERS_22),
    "2.2 schema": (f"/sdmx/v2/schema/{_FLOW}", SCHEMA_PARAMETERS_22),
    "2.2 metadata by set": ("/sdmx/v2/metadata/metadataset/SIS/M/1.0.0", METADATA_PARAMETERS_22),
    "2.2 metadata by flow": (
        "/sdmx/v2/metadata/metadataflow/SIS/M/1.0.0/SIS.A",
        METADATA_PARAMETERS_22,
    ),
    "2.2 metadata by structure": (
        f"/sdmx/v2/metadata/structure/{_FLOW}",
        METADATA_PARAMETERS_22,
    ),
    "2.2 registration by id": ("/sdmx/v2/registration/id/R", ()),
    "2.2 registration by provider": (
        "/sdmx/v2/registration/provider/SIS/A",
        REGISTRATION_PARAMETERS,
    ),
    "2.2 registration": (f"/sdmx/v2/registration/{_FLOW}", REGISTRATION_PARAMETERS),
}
"""Of every resource a path that is right, and its parameters."""


def _encoded(text: str) -> str:
    return quote(text, safe="+,.:~*")


_CODES = [f"C{number}" for number in range(10_000)]
WORDS: Mapping[str, str] = {
    "an id of 8 kB": "A" * 8_000,
    "an id of 4 kB": "A" * 3_900,
    "10,000 codes by +": "+".join(_CODES),
    "10,000 codes by ,": ",".join(_CODES),
    "as many codes by + as fit": "+".join(_CODES[:800]),
    "as many codes by , as fit": ",".join(_CODES[:800]),
    "the same code 1,900 times": "+".join("A" * 1_900),
    "keys of wildcards": ",".join(["*.*"] * 900),
    "100 wildcards": "*" * 100,
    "100 wildcards by ,": ",".join("*" * 100),
    "wildcards by +": "+".join("*" * 100),
    "3,800 positions": "." * 3_800,
    "path": "../../../../etc/passwd",
    "encoded path": "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "path encoded twice": "%252e%252e%252fetc%252fpasswd",
    "backslashes": "..%5c..%5cwindows%5cwin.ini",
    "overlong UTF-8": "%c0%ae%c0%ae%c0%af",
    "no UTF-8": "%ff%fe%80",
    "surrogate": "%ED%A0%80",
    "broken escape": "%zz%4",
    "line break": "a%0d%0aX-Evil:%201",
    "header in a header": "a%0d%0a%0d%0a%3Chtml%3E",
    "null": "a%00b",
    "SQL": _encoded("*' OR 1=1--"),
    "union": _encoded("1); DROP TABLE observations;--"),
    "DOCTYPE": _encoded('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'),
    "script": _encoded('"><script>alert(1)</script>'),
    "template": _encoded("${jndi:ldap://example.org/a}{{7*7}}"),
    "file": _encoded("file:///etc/passwd"),
    "dots and an end": "A." * 1_900 + "!",
    "dashes and an end": "a-" * 1_900 + "!",
    "digits and an end": "1" * 3_800 + "!",
    "blanks": "%20" * 1_200,
    "a version of 2,000 parts": "1." * 1_900 + "1",
    "a version with a long end": "1.0.0-" + "a." * 1_900 + "!",
    "a version of large parts": "9" * 300 + ".0.0",
    "a large number": "9" * 3_800,
    "a larger number": "1e999999999",
    "less than nothing": "-1",
    "no number": "nan",
    "digits of another script": "%D9%A3" * 100,
    "a time of many digits": "2020-01-01T00:00:00." + "0" * 3_700,
    "the last period": "9999-W53",
    "a period of many days": "9999-12-31/P999Y999M9999D",
    "open brackets": "c%5B" * 900,
    "conditions in conditions": "ge:le:" * 600 + "A",
    "bidi": _encoded("\u202egnp.exe"),
    "zero width": _encoded("\u200bDF_POV"),
    "letters that grow": _encoded("\u0130" * 300),
    "marks": _encoded("A" + "\u0301" * 600),
}
"""Words as they stand in a request, encoded."""

_EVERY = "/sdmx/v2/data/dataflow/SIS/DF_ALL/1.0.0/*"
FLOODS: Mapping[str, str] = {
    "a parameter 1,000 times": "/rest/data/DF_POV?" + "&".join(["detail=full"] * 600),
    "1,000 parameters": f"{_EVERY}?" + "&".join(f"c[C{n}]=A" for n in range(700)),
    "1,000 nameless parameters": f"{_EVERY}?" + "&=" * 4_000,
    "nothing but commas": f"{_EVERY}?c[SEX]=" + "," * 8_000,
    "nothing but plus": f"{_EVERY}?c[SEX]=" + "+" * 8_000,
    "alternatives": f"{_EVERY}?c[SEX]=" + ",".join(["eq:X"] * 1_600) + "&limit=1",
    "tests": f"{_EVERY}?c[INDICATOR]=" + "+".join(["nc:X"] * 1_600) + "&limit=1",
    "tests of text": f"{_EVERY}?c[COMMENT_OBS]=" + "+".join(["nc:X"] * 1_600) + "&limit=1",
    "tests of text that differ": f"{_EVERY}?c[COMMENT_OBS]="
    + ",".join(f"co:{n}" for n in range(1_000))
    + "&limit=1",
    "tests of numbers": f"{_EVERY}?c[OBS_VALUE]=" + "+".join(["ge:-9"] * 1_300) + "&limit=1",
    "tests of numbers that differ": f"{_EVERY}?c[OBS_VALUE]="
    + ",".join(f"eq:{n}" for n in range(1_000))
    + "&limit=1",
    "tests of periods": f"{_EVERY}?c[TIME_PERIOD]=" + ",".join(["ge:2030"] * 1_000) + "&limit=1",
    "tests of periods that differ": f"{_EVERY}?c[TIME_PERIOD]="
    + ",".join(f"eq:{1000 + n}-W{n % 52 + 1:02}" for n in range(600))
    + "&limit=1",
    "sorted by the same": f"{_EVERY}?limit=1&sort=" + "+".join(["OBS_VALUE"] * 800),
    "sorted by everything": f"{_EVERY}?limit=1&sort=" + "+".join("*" * 1_000),
    "sorted by series": f"{_EVERY}?limit=1&sort=" + "+".join(["series_key:desc"] * 500),
    "keys of wildcards": "/sdmx/v2/data/dataflow/SIS/DF_ALL/1.0.0/"
    + ",".join(["*.*.*.*"] * 480)
    + "?limit=1",
    "keys of a code": "/sdmx/v2/data/dataflow/SIS/DF_ALL/1.0.0/"
    + ",".join(["*.AT"] * 760)
    + "?limit=1",
    "keys that differ": "/sdmx/v2/data/dataflow/SIS/DF_ALL/1.0.0/"
    + ",".join(["A." + "*." * n + "_T" for n in range(13)] * 18)
    + "?limit=1",
    "what could be added": "/sdmx/v2/availability/dataflow/SIS/DF_ALL/1.0.0/*?mode=available&"
    + "&".join(f"c[{name}]=ne:X" for name in ("SEX", "AGE", "REF_AREA", "FREQ", "INDICATOR")),
    "what is there by tests of numbers": "/sdmx/v2/availability/dataflow/SIS/DF_ALL/1.0.0/*?"
    "c[OBS_VALUE]=" + "+".join(["ge:-9"] * 1_300),
    "everything with all it refers to": "/sdmx/v2/structure/*/*/*/*?references=all&detail=raw",
    "everything, old": "/rest/structure/all/all/all?references=all",
    "the same artefact 900 times": "/sdmx/v2/structure/codelist/SIS/"
    + ",".join(["CL_SEX"] * 560)
    + "?references=all",
    "the same item 1,900 times": "/sdmx/v2/structure/codelist/SIS/CL_SEX/1.0.0/"
    + ",".join("F" * 1_900),
    "types by the hundred": "/sdmx/v2/structure/codelist?references="
    + ",".join(["conceptscheme"] * 500),
    "the same flow 600 times": "/sdmx/v2/data/dataflow/SIS/"
    + ",".join(["DF_POV"] * 560)
    + "/*/*?limit=1",
    "all flows": "/sdmx/v2/data/*/*/*/*/*?limit=1",
    "all flows, all attributes": "/sdmx/v2/data/*/*/*/*/*?attributes="
    + ",".join(["dsd"] * 1_900)
    + "&limit=1",
}
"""Requests that are long in another way than by one word; none of them is an error by itself."""

_LONG = "A" * 8_000
HEADERS: Mapping[str, Mapping[str, str]] = {
    name: {
        "long": _LONG,
        "slashes": "*/" * 2_000,
        "weights": ",;q=" * 1_000,
        "types": ",".join(f"a/b{n};q=0.{n % 9}" for n in range(600)),
        "wildcards": ",".join(["*/*;q=0.1"] * 800),
        "parameters": "application/json" + ";a=b" * 1_900,
        "versions": "application/vnd.sdmx.data+json;version=" + "1+." * 1_900,
        "quotes": '"' * 7_999,
        "quotes and commas": '",' * 3_900,
        "languages": ",".join(["en-GB;q=0.5"] * 700),
        "tags": ",".join(f'W/"{n}"' for n in range(1_000)),
        "bytes": "0-,-1,0-99999999999",
        "date": "Thu, 32 Dec 99999 25:61:61 GMT" + " " * 100,
        "path": "../../etc/passwd",
        "no ASCII": "\xff" * 50,
        "html": "<script>alert(1)</script>",
    }
    for name in (
        "Accept", "Accept-Language", "Accept-Encoding", "If-None-Match", "If-Modified-Since",
        "Range", "Host", "X-Forwarded-For", "Cookie",
    )
}  # fmt: skip


def hostile(resource: str) -> Iterator[tuple[str, str, str]]:
    """Yield every place of a resource with every word in it: place, word and address.

    A place is a part of the path after the name of the interface, the value of a parameter, the
    name of one, or the component of a condition.
    """
    path, parameters = RESOURCES[resource]
    first = 2 if path.startswith("/rest/") else 3
    parts = path.split("/")
    places = {
        f"part {number} of the path": "/".join([*parts[:number], "{}", *parts[number + 1 :]])
        for number in range(first, len(parts))
    }
    places |= {name: f"{path}?{name}={{}}" for name in parameters}
    places |= {"name of a parameter": path + "?{}=1", "component": path + "?c[{}]=A"}
    for place, address in places.items():
        for word, text in WORDS.items():
            yield place, word, address.replace("{}", text, 1)
