"""Pieces made side by side come in their order, few at a time, with their errors."""

import threading
from collections.abc import Iterator

import polars as pl
import pytest

from sdmx_service.formats.abreast import abreast


def test_pieces_come_in_the_order_of_their_blocks_whichever_is_ready_first() -> None:
    second = threading.Event()

    def write(block: int) -> bytes:
        if block == 0:
            assert second.wait(60), "the second was not made beside the first"
        if block == 1:
            second.set()
        return b"%d" % block

    assert list(abreast(write, range(9))) == [b"%d" % block for block in range(9)]
    assert list(abreast(write, [])) == []


def test_no_more_blocks_are_read_ahead_than_there_are_processors() -> None:
    read = 0

    def blocks() -> Iterator[int]:
        nonlocal read
        for number in range(1, 1_001):
            read = number
            yield number

    pieces = abreast(lambda block: b"x" * block, blocks())
    for number in range(1, 5):
        assert next(pieces) == b"x" * number
        assert read - number <= max(pl.thread_pool_size(), 2)
    pieces.close()  # type: ignore[attr-defined]  # a generator
    assert read < 10


def test_an_error_is_raised_in_the_place_of_its_piece_and_ends_the_message() -> None:
    def write(block: int) -> bytes:
        if block == 2:
            raise ValueError(block)
        return b"."

    pieces = abreast(write, range(5))
    assert [next(pieces), next(pieces)] == [b".", b"."]
    with pytest.raises(ValueError, match="2"):
        next(pieces)
    assert list(pieces) == []


def test_of_many_messages_at_once_no_piece_is_made_ahead() -> None:
    made: list[int] = []

    def message(number: int) -> Iterator[bytes]:
        def write(block: int) -> bytes:
            made.append(number)
            return b"."

        return abreast(write, range(1_000))

    messages = [message(number) for number in range(9)]
    try:
        assert [next(pieces) for pieces in messages] == [b"."] * 9
        assert made.count(8) == 1
    finally:
        for pieces in messages:
            pieces.close()  # type: ignore[attr-defined]  # a generator
