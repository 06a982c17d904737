"""Versions mean what "Querying versions" of REST 2.2 and semantic versioning say."""

from __future__ import annotations

import pytest

from sdmx_service.structures.versions import choose, ordering

AVAILABLE = (
    *("1", "1.0", "1.1", "2.0", "2.4", "0.9.0", "1.0.0", "1.2.0", "1.2.3", "1.10.0"),
    *("2.0.0-draft", "2.0.0", "2.3.1", "2.3.4", "2.4.0-rc.1", "3.0.0-alpha"),
)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        # a specific version
        ("1", {"1"}),
        ("1.0", {"1.0"}),
        ("1.2.3", {"1.2.3"}),
        ("2.0.0-draft", {"2.0.0-draft"}),
        ("7.7.7", set()),
        # the latest stable semantic version
        ("+", {"2.3.4"}),
        ("+.0.0", {"2.3.4"}),
        ("1+.0.0", {"2.3.4"}),
        ("1.+.0", {"1.10.0"}),
        ("1.0+.0", {"1.10.0"}),
        ("1.2.+", {"1.2.3"}),
        ("1.2.0+", {"1.2.3"}),
        ("2+.3.1", {"2.3.4"}),
        ("2.3+.1", {"2.3.4"}),
        ("2.3.2+", {"2.3.4"}),
        ("2.3.5+", set()),
        ("0.9.0+", set()),  # X > 0
        # the latest, stable or not
        ("~", {"3.0.0-alpha"}),
        ("~.0", {"2.4"}),
        ("~.0.0", {"3.0.0-alpha"}),
        ("1.~", {"1.1"}),
        ("1.~.0", {"1.10.0"}),
        ("2.3.~", {"2.3.4"}),
        ("2~.0", {"2.4"}),
        ("2.3~.0", {"2.4.0-rc.1"}),
        ("2.0~", {"2.4"}),
        ("2.0.0~", {"2.0.0"}),
        # all
        ("*.0", {"1.0", "1.1", "2.0", "2.4"}),
        ("2.*", {"2.0", "2.4"}),
        ("1.2.*", {"1.2.0", "1.2.3"}),
        ("1.2*.0", {"1.2.0", "1.2.3", "1.10.0"}),
        ("2.0.0*", {"2.0.0", "2.0.0-draft"}),
        ("2*.0.0", {"2.0.0", "2.0.0-draft", "2.3.1", "2.3.4", "2.4.0-rc.1", "3.0.0-alpha"}),
        # what the page lists as not supported
        ("+.2.3", set()),
        ("1.+.3", set()),
        ("~.2", set()),
        ("*.2.3", set()),
        ("+.0", set()),
        ("2.3+", set()),
        ("~.0.*", set()),
        ("3.2*.1+", set()),
        # the words of REST 1.x
        ("latest", {"3.0.0-alpha"}),
        ("all", set(AVAILABLE)),
        ("*", set(AVAILABLE)),
    ],
)
def test_a_word_means_these_versions(asked: str, expected: set[str]) -> None:
    assert choose((asked,), AVAILABLE) == expected


def test_several_words_are_or() -> None:
    assert choose(("+", "1.2.0", "*.0"), AVAILABLE) == {
        "2.3.4",
        "1.2.0",
        "1.0",
        "1.1",
        "2.0",
        "2.4",
    }


def test_precedence_is_that_of_semantic_versioning() -> None:
    """The example of semver.org, item 11, and two-part versions before their three-part kin."""
    order = "1.0 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11"
    expected = [*order.split(), "1.0.0-rc.1", "1.0.0", "1.2.0", "1.10.0"]
    shuffled = [expected[-1], *expected[:-1]]
    assert sorted(shuffled, key=ordering) == expected
