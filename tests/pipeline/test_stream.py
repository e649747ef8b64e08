from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from pipeline.errors import InvalidRequest, Overloaded
from pipeline.stream import Later, answers


class Work:
    """Items under way, ended one by one by the test."""

    def __init__(self) -> None:
        self.under_way: dict[int, asyncio.Future[str]] = {}
        self.refuses: dict[int, Exception] = {}

    def submit(self, item: int) -> asyncio.Future[str]:
        if item in self.refuses:
            raise self.refuses[item]
        self.under_way[item] = asyncio.get_running_loop().create_future()
        return self.under_way[item]

    def end(self, *items: int) -> None:
        for item in items:
            self.under_way[item].set_result(f"answer {item}")

    async def end_all(self) -> None:
        self.end(*(item for item, future in self.under_way.items() if not future.done()))
        await turn()


class Sender:
    """Sends 0, 1, 2, ... and counts what was taken."""

    def __init__(self, count: int, fails_with: Exception | None = None) -> None:
        self.count = count
        self.fails_with = fails_with
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[int]:
        for i in range(self.count):
            self.taken += 1
            yield i
        if self.fails_with:
            raise self.fails_with


Stream = AsyncIterator[tuple[int, str | Exception]]


def next_of(stream: Stream) -> asyncio.Task[tuple[int, str | Exception]]:
    """Asks for the next answer, and goes on."""

    async def take() -> tuple[int, str | Exception]:
        return await anext(stream)

    return asyncio.create_task(take())


async def close(stream: Stream) -> None:
    assert isinstance(stream, AsyncGenerator)
    await stream.aclose()


async def turn() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_answers_in_the_order_in_which_they_end() -> None:
    work = Work()
    stream = answers(aiter(Sender(3)), work.submit, in_flight=10)
    told = next_of(stream)
    await turn()
    work.end(2, 0, 1)
    assert await told == (2, "answer 2")
    assert [answer async for answer in stream] == [(0, "answer 0"), (1, "answer 1")]


async def test_a_stream_of_nothing_ends() -> None:
    assert [answer async for answer in answers(aiter(Sender(0)), Work().submit, in_flight=1)] == []


async def test_reads_no_further_than_in_flight_and_on_as_answers_are_taken() -> None:
    work, sender = Work(), Sender(100)
    stream = answers(aiter(sender), work.submit, in_flight=3)
    told = next_of(stream)
    await turn()
    assert len(work.under_way) == 3
    assert sender.taken <= 4  # the next one is held, not worked on
    work.end(0, 1, 2)
    await told
    await turn()
    # One answer is taken, two wait to be: so one more is under way.
    assert len(work.under_way) == 4
    await close(stream)
    await work.end_all()


async def test_an_item_that_is_refused_or_fails_ends_no_other() -> None:
    work = Work()
    work.refuses[0] = InvalidRequest(())
    stream = answers(aiter(Sender(4)), work.submit, in_flight=4)
    first = await anext(stream)
    assert first == (0, work.refuses[0])
    await turn()
    failed = Overloaded("full")
    work.under_way[1].set_exception(failed)
    work.end(3, 2)
    assert [answer async for answer in stream] == [(1, failed), (3, "answer 3"), (2, "answer 2")]


async def test_refused_items_take_room_too() -> None:
    work, sender = Work(), Sender(50)
    work.refuses = {i: Overloaded("full") for i in range(50)}
    stream = answers(aiter(sender), work.submit, in_flight=5)
    await anext(stream)
    await turn()
    assert sender.taken <= 7
    assert len([answer async for answer in stream]) == 49


async def test_work_that_is_cancelled_is_answered_and_frees_its_room() -> None:
    work = Work()
    stream = answers(aiter(Sender(2)), work.submit, in_flight=1)
    told = next_of(stream)
    await turn()
    work.under_way[0].cancel()
    async with asyncio.timeout(2):
        item, error = await told
        assert (item, type(error)) == (0, Overloaded)
        await turn()
        work.end(1)
        assert [answer async for answer in stream] == [(1, "answer 1")]


async def test_an_error_of_the_stream_comes_after_the_answers() -> None:
    work = Work()
    stream = answers(aiter(Sender(2, fails_with=ValueError("broken"))), work.submit, in_flight=5)
    told = next_of(stream)
    await turn()
    work.end(1, 0)
    assert await told == (1, "answer 1")
    assert await anext(stream) == (0, "answer 0")
    with pytest.raises(ValueError, match="broken"):
        await anext(stream)


async def test_a_reader_that_goes_away_stops_the_reading() -> None:
    work, sender = Work(), Sender(1_000)
    before = len(asyncio.all_tasks())
    stream = answers(aiter(sender), work.submit, in_flight=2)
    told = next_of(stream)
    await turn()
    work.end(0)
    await told
    await close(stream)
    await work.end_all()
    taken = sender.taken
    await turn()
    assert sender.taken == taken < 10
    assert len(asyncio.all_tasks()) == before


class LateWork(Work):
    """Items whose last answer comes after another one, or without one."""

    def __init__(self) -> None:
        super().__init__()
        self.lasts: dict[int, asyncio.Future[str]] = {}

    def begin(self, item: int, first: str | None) -> None:
        """Gives the item's first answer, or none."""
        self.lasts[item] = asyncio.get_running_loop().create_future()
        self.under_way[item].set_result(Later(self.lasts[item], first))  # type: ignore[arg-type]


async def test_an_item_may_be_answered_twice_and_others_go_on_meanwhile() -> None:
    work = LateWork()
    stream = answers(aiter(Sender(2)), work.submit, in_flight=2)
    told = next_of(stream)
    await turn()
    work.begin(0, "accepted 0")
    assert await told == (0, "accepted 0")
    work.end(1)
    assert await anext(stream) == (1, "answer 1")
    work.lasts[0].set_result("verdict 0")
    assert [answer async for answer in stream] == [(0, "verdict 0")]


async def test_a_late_answer_may_be_the_only_one() -> None:
    work = LateWork()
    stream = answers(aiter(Sender(1)), work.submit, in_flight=1)
    told = next_of(stream)
    await turn()
    work.begin(0, None)
    await turn()
    assert not told.done()
    work.lasts[0].set_result("verdict 0")
    assert await told == (0, "verdict 0")
    assert [answer async for answer in stream] == []


async def test_a_late_answer_may_be_an_error() -> None:
    work = LateWork()
    stream = answers(aiter(Sender(1)), work.submit, in_flight=1)
    told = next_of(stream)
    await turn()
    work.begin(0, "accepted 0")
    assert await told == (0, "accepted 0")
    failed = Overloaded("full")
    work.lasts[0].set_exception(failed)
    assert [answer async for answer in stream] == [(0, failed)]


async def test_an_item_takes_room_until_its_last_answer() -> None:
    work, sender = LateWork(), Sender(100)
    stream = answers(aiter(sender), work.submit, in_flight=2)
    told = next_of(stream)
    await turn()
    work.begin(0, "accepted 0")
    work.begin(1, "accepted 1")
    assert [await told, await anext(stream)] == [(0, "accepted 0"), (1, "accepted 1")]
    await turn()
    assert len(work.under_way) == 2
    work.lasts[1].set_result("verdict 1")
    assert await anext(stream) == (1, "verdict 1")
    await turn()
    assert len(work.under_way) == 3
    await close(stream)
    await work.end_all()


@pytest.mark.parametrize("begun_before", [True, False])
async def test_nobody_waits_for_a_late_answer_once_the_reader_has_gone(begun_before: bool) -> None:
    work = LateWork()
    before = len(asyncio.all_tasks())
    stream = answers(aiter(Sender(2)), work.submit, in_flight=2)
    told = next_of(stream)
    await turn()
    work.end(1)
    await told
    if begun_before:
        work.begin(0, "accepted 0")
    await close(stream)
    if not begun_before:
        assert not work.under_way[0].done()  # what was begun is ended
        work.begin(0, "accepted 0")
    await turn()
    assert work.lasts[0].cancelled()
    assert len(asyncio.all_tasks()) == before
