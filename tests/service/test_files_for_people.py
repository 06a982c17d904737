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


@pytest.mark.parametrize(("form", "name"), [("csv21", "DF_POV.csv"), ("json21", "DF_POV.json")])
def test_a_message_is_saved_under_the_name_of_its_flow(
    web: httpx.Client, form: str, name: str
) -> None:
    """A browser that saves it would else take the key, of which the last code looks like a kind."""
    answer = web.get(DATA, params={"format": form})
    assert answer.headers["content-disposition"] == f'inline; filename="{name}"'
