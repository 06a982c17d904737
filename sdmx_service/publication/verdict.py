"""The four verdicts on a gap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import Enum

from sdmx_service.publication.numerals import counted, plain, rounds_to_zero, span

__all__ = ["Verdict", "judge", "sentence", "tally"]


class Verdict(Enum):
    """What may be said of a gap; the values are the only words used."""

    DIFFERENCE = "Difference"
    CLOSE = "Close"
    CANNOT_TELL = "Cannot tell"
    NOT_COMPARED = "Not compared"


def judge(
    value: float | None, lower: float | None, upper: float | None, *, margin: float
) -> Verdict:
    """Return the verdict on a gap from its interval and the margin set in advance.

    Precedence: not compared, close, difference, cannot tell. A gap that is small but certain is
    close: its whole interval lies inside the margin, whether or not it holds zero.
    """
    if value is None or lower is None or upper is None:
        return Verdict.NOT_COMPARED
    if -margin < lower and upper < margin:
        return Verdict.CLOSE
    if lower > 0 or upper < 0:
        return Verdict.DIFFERENCE
    return Verdict.CANNOT_TELL


def sentence(
    subject: str,
    group: str,
    reference: str,
    value: float | None,
    lower: float | None,
    upper: float | None,
    *,
    margin: float,
    unit: str = "points",
    decimals: int = 1,
    reason: str = "a value is withheld",
) -> str:
    """Return the verdict as a sentence; ``value`` and the limits are in ``unit``."""
    verdict = judge(value, lower, upper, margin=margin)
    if value is None or lower is None or upper is None:
        return f"Not compared: {reason}."
    size = f"{plain(abs(value), decimals)} {unit}"
    way = "higher" if value > 0 else "lower"
    near, far = sorted((abs(lower), abs(upper)))
    least = plain(near, decimals)
    least = "just above 0" if near > 0 and rounds_to_zero(near, decimals) else least
    limits = f"between {least} and {plain(far, decimals)}"
    if verdict is Verdict.DIFFERENCE:
        return (
            f"{subject} is {size} {way} for {group} than for {reference}; "
            f"{limits} with 95% confidence."
        )
    if verdict is Verdict.CLOSE:
        small = f"Any difference between {group} and {reference} is smaller than {margin:g} {unit}"
        if lower > 0 or upper < 0:
            return f"{small}; the gap is certain all the same, {limits} {unit} {way}."
        return f"{small}."
    measured = (
        f"{size} {way} for {group} than for {reference}"
        if not rounds_to_zero(value, decimals)
        else f"the same for {group} and {reference} to {decimals} decimals"
    )
    return (
        f"{subject} was measured {measured}, but the interval runs from "
        f"{span(lower, upper, decimals, sign=True)}, so we cannot tell whether they differ."
    )


def tally(verdicts: Iterable[Verdict], noun: str = "gap") -> str:
    """Return one sentence that counts verdicts: "Four gaps are clear, one is close."."""
    number = Counter(verdicts)
    parts = []
    clear, close = number[Verdict.DIFFERENCE], number[Verdict.CLOSE]
    unsure, without = number[Verdict.CANNOT_TELL], number[Verdict.NOT_COMPARED]
    if clear:
        parts.append(f"{counted(clear, noun)} {'is' if clear == 1 else 'are'} clear")
    if close:
        named = counted(close) if parts else counted(close, noun)
        parts.append(f"{named} {'is' if close == 1 else 'are'} close to none")
    if unsure:
        parts.append(f"for {counted(unsure) if parts else counted(unsure, noun)} we cannot tell")
    if without:
        named = counted(without) if parts else counted(without, noun)
        parts.append(f"{named} could not be compared")
    if not parts:
        return f"No {noun} was compared"
    said = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return said[0].upper() + said[1:]
