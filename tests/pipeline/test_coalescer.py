from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from pipeline.coalescer import Coalescer
from pipeline.errors import Overloaded, StoreUnavailable


class Redis:
    """Takes batches, and answers them when it is told."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.at_once = 0
        self.most_at_once = 0
        self.gate = asyncio.Event()
        self.fails_with: BaseException | None = None
        self.keeps_back = 0

    async def flush(self, items: Sequence[int]) -> Sequence[str]:
        self.batches.append(list(items))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.gate.wait()
        self.at_once -= 1
        if self.fails_with:
            raise self.fails_with
        return [f"answer {item}" for item in items][: len(items) - self.keeps_back]


def coalescer(
    redis: Redis, *, max_batch: int = 10, max_waiting: int = 100, concurrency: int = 1
) -> Coalescer[int, str]:
    return Coalescer(redis.flush, max_batch=max_batch, max_waiting=max_waiting, concurrency=concurrency)


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_lone_call_waits_for_nobody() -> None:
    redis = Redis()
    redis.gate.set()
    assert await asyncio.wait_for(coalescer(redis).submit(1), 1) == "answer 1"
    assert redis.batches == [[1]]


async def test_calls_that_arrive_together_share_a_batch_and_get_their_own_answers() -> None:
    redis = Redis()
    redis.gate.set()
    joined = coalescer(redis)
    assert await asyncio.gather(*(joined.submit(i) for i in range(5))) == [f"answer {i}" for i in range(5)]
    assert redis.batches == [[0, 1, 2, 3, 4]]


async def test_what_arrives_meanwhile_goes_out_together() -> None:
    redis = Redis()
    joined = coalescer(redis)
    futures = [joined.submit(0)]
    await turn()
    for i in (1, 2, 3):
        futures.append(joined.submit(i))
        await turn()
    assert redis.batches == [[0]]
    redis.gate.set()
    await asyncio.gather(*futures)
    assert redis.batches == [[0], [1, 2, 3]]


async def test_batches_have_at_most_max_batch_items() -> None:
    redis = Redis()
    redis.gate.set()
    joined = coalescer(redis, max_batch=4)
    await asyncio.gather(*(joined.submit(i) for i in range(10)))
    assert redis.batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


async def test_at_most_concurrency_batches_are_under_way() -> None:
    redis = Redis()
    joined = coalescer(redis, max_batch=1, concurrency=2)
    futures = [joined.submit(i) for i in range(6)]
    await turn()
    assert len(redis.batches) == 2
    redis.gate.set()
    await asyncio.gather(*futures)
    assert redis.most_at_once == 2


@pytest.mark.parametrize("concurrency", [1, 2])
async def test_what_callers_submit_as_their_batches_end_goes_out_too(concurrency: int) -> None:
    redis = Redis()
    redis.gate.set()
    joined = coalescer(redis, max_batch=1, concurrency=concurrency)

    async def caller(number: int) -> None:
        for _ in range(20):
            await joined.submit(number)

    async with asyncio.timeout(5):
        await asyncio.gather(*(caller(i) for i in range(concurrency)))
    assert len(redis.batches) == 20 * concurrency


async def test_refuses_past_max_waiting_and_takes_again_later() -> None:
    redis = Redis()
    joined = coalescer(redis, max_waiting=2)
    futures = [joined.submit(0)]
    await turn()
    futures += [joined.submit(1), joined.submit(2)]
    with pytest.raises(Overloaded) as refused:
        joined.submit(3)
    assert refused.value.retry_after_s > 0
    redis.gate.set()
    await asyncio.gather(*futures)
    assert await joined.submit(4) == "answer 4"


async def test_an_error_is_raised_to_all_of_its_batch_and_to_no_other() -> None:
    redis = Redis()
    redis.gate.set()
    redis.fails_with = StoreUnavailable("away")
    joined = coalescer(redis)
    outcomes = await asyncio.gather(*(joined.submit(i) for i in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 3
    redis.fails_with = None
    assert await joined.submit(4) == "answer 4"


async def test_too_few_answers_are_an_error_for_all_and_nobody_waits_for_ever() -> None:
    redis = Redis()
    redis.gate.set()
    redis.keeps_back = 1
    joined = coalescer(redis)
    async with asyncio.timeout(2):
        outcomes = await asyncio.gather(*(joined.submit(i) for i in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ValueError] * 3
    redis.keeps_back = 0
    assert await joined.submit(4) == "answer 4"


async def test_a_caller_that_has_gone_is_not_flushed() -> None:
    redis = Redis()
    joined = coalescer(redis)
    first = joined.submit(0)
    await turn()
    gone, stays = joined.submit(1), joined.submit(2)
    gone.cancel()
    redis.gate.set()
    assert [await first, await stays] == ["answer 0", "answer 2"]
    assert redis.batches == [[0], [2]]


async def test_a_caller_that_goes_while_its_batch_is_under_way_disturbs_no_other() -> None:
    redis = Redis()
    joined = coalescer(redis)
    gone, stays = joined.submit(1), joined.submit(2)
    await turn()
    gone.cancel()
    redis.gate.set()
    assert await stays == "answer 2"
    redis.fails_with = StoreUnavailable("away")
    redis.gate.clear()
    gone, stays = joined.submit(3), joined.submit(4)
    await turn()
    gone.cancel()
    redis.gate.set()
    with pytest.raises(StoreUnavailable):
        await stays


async def test_drain_waits_until_everything_has_its_result() -> None:
    redis = Redis()
    joined = coalescer(redis, max_batch=1)
    futures = [joined.submit(i) for i in range(3)]
    draining = asyncio.create_task(joined.drain())
    await turn()
    assert not draining.done()
    redis.gate.set()
    await draining
    assert all(future.done() for future in futures)


async def test_drain_of_nothing_ends_at_once() -> None:
    await asyncio.wait_for(coalescer(Redis()).drain(), 1)


async def test_an_error_in_the_place_of_a_result_is_the_items_own() -> None:
    async def flush(items: Sequence[int]) -> Sequence[int | Exception]:
        return [StoreUnavailable("odd") if item % 2 else item for item in items]

    joined: Coalescer[int, int] = Coalescer(flush, max_batch=10, max_waiting=10, concurrency=1)
    answers = await asyncio.gather(*(joined.submit(item) for item in range(3)), return_exceptions=True)
    assert answers[::2] == [0, 2]
    assert isinstance(answers[1], StoreUnavailable)
