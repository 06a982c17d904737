"""Numbers as a publication prints them."""

from __future__ import annotations

__all__ = ["MINUS", "counted", "plain", "rounds_to_zero", "signed", "span"]

MINUS = "\u2212"
_WORDS = (
    "no one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
)


def rounds_to_zero(value: float, decimals: int) -> bool:
    """Whether nothing is left of the number when it is printed."""
    return float(f"{abs(value):.{decimals}f}") == 0


def plain(value: float, decimals: int) -> str:
    """Return the number, thousands apart, with a true minus sign; zero carries no sign."""
    digits = f"{abs(value):,.{decimals}f}"
    return (MINUS if value < 0 and not rounds_to_zero(value, decimals) else "") + digits


def signed(value: float, decimals: int) -> str:
    """Return a difference: a plus sign on every positive one."""
    text = plain(value, decimals)
    return f"+{text}" if value > 0 and not rounds_to_zero(value, decimals) else text


def span(lower: float, upper: float, decimals: int, *, sign: bool = False) -> str:
    """Return the limits of an interval, with "to" between them."""
    write = signed if sign else plain
    return f"{write(lower, decimals)} to {write(upper, decimals)}"


def counted(number: int, noun: str = "", plural: str | None = None) -> str:
    """Return a count in words up to twelve, with its noun: "three gaps", "one gap", "no gap"."""
    word = _WORDS[number] if number < len(_WORDS) else f"{number:,}"
    if not noun:
        return "none" if number == 0 else word
    return f"{word} {noun if number < 2 else plural or noun + 's'}"
