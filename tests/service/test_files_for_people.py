"""What people keep as a file comes with the name of one."""

from __future__ import annotations

import httpx
import pytest

DATA = "/rest/data/DF_POV"


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("xlsx", "DF_POV.xlsx"),
        ("table", "DF_POV.csv"),
        ("parquet", "DF_POV.parquet"),
        ("arrow", "DF_POV.arrows"),
    ],
)
def test_a_table_is_saved_under_the_name_of_its_flow(
    web: httpx.Client, form: str, name: str
) -> None:
    answer = web.get(DATA, params={"format": form})
    assert answer.status_code == 200
    # RFC 6266, 4.2: shown where it can be, and saved under this name.
    assert answer.headers["content-disposition"] == f'inline; filename="{name}"'


def test_a_message_is_no_file(web: httpx.Client) -> None:
    answer = web.get(DATA, headers={"Accept": "application/vnd.sdmx.data+csv;version=2.1.0"})
    assert "content-disposition" not in answer.headers
