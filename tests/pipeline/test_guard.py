from __future__ import annotations

import asyncio
import gc
import json
import logging
from collections.abc import AsyncIterator

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc import error_details_pb2

from pipeline.errors import SeawallError
from pipeline.status import details_of
from tests.pipeline.guarded import KEY, SECRET, SERVICE, WITH_KEY, call, plain, serving, shapes

METHODS = ["One", "Many", "Written", "Collected", "Each"]
Observed = list[tuple[str, str, float]]
UNPARSABLE = b"\xff\xff\xff"


def said(text: str) -> bytes:
    return StringValue(value=text).SerializeToString()


@pytest.fixture
def observed() -> Observed:
    return []


@pytest.fixture
async def channel(observed: Observed) -> AsyncIterator[grpc.aio.Channel]:
    async with serving(
        lambda server: server.add_generic_rpc_handlers((shapes(),)),
        observe=lambda *seen: observed.append(seen),
    ) as channel:
        yield channel


async def failure(
    channel: grpc.aio.Channel,
    method: str,
    request: bytes,
    *,
    metadata: tuple[tuple[str, str], ...] = WITH_KEY,
) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await call(channel, method, request, metadata=metadata)
    return failed.value


@pytest.mark.parametrize("method", METHODS)
async def test_a_refused_call_leaves_nothing_for_the_collector(
    channel: grpc.aio.Channel, method: str
) -> None:
    gc.disable()
    gc.freeze()  # what is here already is not looked at
    try:
        await failure(channel, method, said("full"))
        async with asyncio.timeout(10):  # the server's task ends after the client has its answer
            while any(isinstance(each, SeawallError) for each in gc.get_objects()):
                await asyncio.sleep(0.01)
    finally:
        gc.unfreeze()
        gc.enable()


@pytest.mark.parametrize("name", ["api-key", "x-api-key"])
@pytest.mark.parametrize(
    ("method", "answers"),
    [
        ("One", ["a"]),
        ("Many", ["first", "a"]),
        ("Written", ["first", "a"]),
        ("Collected", ["a,b"]),
        ("Each", ["a", "b"]),
    ],
)
async def test_lets_a_call_with_a_key_through(
    channel: grpc.aio.Channel, observed: Observed, method: str, answers: list[str], name: str
) -> None:
    told = await call(channel, method, said("a"), said("b"), metadata=((name, KEY),))
    assert [StringValue.FromString(answer).value for answer in told] == answers
    [(path, code, seconds)] = observed
    assert (path, code) == (f"/{SERVICE}/{method}", "OK")
    assert 0 < seconds < 10


@pytest.mark.parametrize("method", METHODS)
async def test_every_shape_of_method_knows_who_calls(channel: grpc.aio.Channel, method: str) -> None:
    told = await call(channel, method, said("who"))
    assert [StringValue.FromString(answer).value for answer in told][-1] == "key-1"


@pytest.mark.parametrize(
    "metadata",
    [(), (("api-key", ""),), (("api-key", KEY + "x"),), (("authorization", f"Bearer {KEY}"),)],
)
@pytest.mark.parametrize("method", METHODS)
async def test_refuses_a_call_without_a_key(
    channel: grpc.aio.Channel, observed: Observed, method: str, metadata: tuple[tuple[str, str], ...]
) -> None:
    error = await failure(channel, method, said("bug"), metadata=metadata)
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert KEY not in str(error.details())
    assert observed == [(f"/{SERVICE}/{method}", "UNAUTHENTICATED", 0.0)]


@pytest.mark.parametrize("method", METHODS)
async def test_without_a_key_not_even_the_bytes_are_read(channel: grpc.aio.Channel, method: str) -> None:
    error = await failure(channel, method, UNPARSABLE, metadata=())
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_client_still_writing_learns_that_its_key_is_missing(channel: grpc.aio.Channel) -> None:
    # Without reading on, the status crosses the client's messages, and in one call of three it sees INTERNAL.
    for _ in range(30):
        stream = plain(channel).stream_stream(f"/{SERVICE}/Each")(iter([said("a")] * 20), timeout=10)
        assert await stream.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_refused_stream_that_never_ends_is_ended(channel: grpc.aio.Channel) -> None:
    async def forever() -> AsyncIterator[bytes]:
        await asyncio.sleep(60)
        yield said("a")

    stream = plain(channel).stream_stream(f"/{SERVICE}/Each")(forever(), timeout=10)
    assert await stream.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("metadata", [(), WITH_KEY])
async def test_calls_of_methods_that_do_not_exist_are_not_counted(
    channel: grpc.aio.Channel, observed: Observed, metadata: tuple[tuple[str, str], ...]
) -> None:
    # Whoever has no key could make as many names as he likes, and each would be a metric.
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await plain(channel).unary_unary("/seawall.test.v1.Shapes/Invented")(b"", metadata=metadata)
    assert failed.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert observed == []


@pytest.mark.parametrize("method", METHODS)
async def test_bytes_that_do_not_parse_are_an_invalid_argument_without_a_field(
    channel: grpc.aio.Channel, observed: Observed, method: str
) -> None:
    error = await failure(channel, method, UNPARSABLE)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == "the bytes are not the message that this method takes"
    assert details_of(error) is None
    assert [code for _, code, _ in observed] == ["INVALID_ARGUMENT"]


async def test_a_stream_answers_what_came_before_the_bytes_that_do_not_parse(
    channel: grpc.aio.Channel,
) -> None:
    stream = plain(channel).stream_stream(f"/{SERVICE}/Each")(
        iter([said("a"), UNPARSABLE]), metadata=WITH_KEY
    )
    answers = aiter(stream)
    assert await anext(answers) == said("a")
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await anext(answers)
    assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("method", METHODS)
async def test_our_errors_have_their_status_and_details(
    channel: grpc.aio.Channel, observed: Observed, method: str
) -> None:
    error = await failure(channel, method, said("invalid"))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = details_of(error)
    assert status is not None
    bad = error_details_pb2.BadRequest()
    assert status.details[0].Unpack(bad)
    assert [v.field for v in bad.field_violations] == ["content"]

    error = await failure(channel, method, said("full"))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    status = details_of(error)
    assert status is not None
    retry = error_details_pb2.RetryInfo()
    assert status.details[0].Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() == 2_500
    assert [code for _, code, _ in observed] == ["INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"]


@pytest.mark.parametrize("method", METHODS)
async def test_a_bug_is_internal_and_its_text_is_told_to_nobody(
    channel: grpc.aio.Channel,
    observed: Observed,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    method: str,
) -> None:
    with caplog.at_level(logging.DEBUG):
        error = await failure(channel, method, said("bug"))
    assert (error.code(), error.details()) == (grpc.StatusCode.INTERNAL, "internal error")
    assert details_of(error) is None
    assert [code for _, code, _ in observed] == ["INTERNAL"]
    out, err = capfd.readouterr()
    logged = out + err + caplog.text + json.dumps([str(record.exc_info) for record in caplog.records])
    assert SECRET not in logged
    assert "rpc_failed" in logged
    assert "ValueError" in logged
    assert "guarded.py" in logged  # where it happened


async def test_a_call_that_its_caller_gave_up_is_counted_as_cancelled(
    channel: grpc.aio.Channel, observed: Observed
) -> None:
    given_up = plain(channel).unary_unary(f"/{SERVICE}/One")(said("wait"), metadata=WITH_KEY, timeout=0.2)
    with pytest.raises(grpc.aio.AioRpcError):
        await given_up
    async with asyncio.timeout(5):
        while not observed:
            await asyncio.sleep(0.01)
    assert [code for _, code, _ in observed] == ["CANCELLED"]


@pytest.mark.parametrize("method", METHODS)
async def test_a_call_past_the_limit_is_told_when_to_come_again(method: str, observed: Observed) -> None:
    async with serving(
        lambda server: server.add_generic_rpc_handlers((shapes(),)),
        observe=lambda *seen: observed.append(seen),
        most_calls=1,
    ) as channel:
        lasting = plain(channel).unary_stream(f"/{SERVICE}/Forever")(said("a"), metadata=WITH_KEY, timeout=30)
        assert await lasting.read()
        refused = await failure(channel, method, said("a"))
        assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        status = details_of(refused)
        assert status is not None
        retry = error_details_pb2.RetryInfo()
        assert status.details[0].Unpack(retry)
        assert retry.retry_delay.ToMilliseconds() > 0
        lasting.cancel()
        async with asyncio.timeout(10):
            while observed[-1][1] != "CANCELLED":  # the server tells nobody else
                await asyncio.sleep(0.01)
        assert await call(channel, method, said("a"))
    assert [(name, code) for name, code, _ in observed if name.endswith(method)] == [
        (f"/{SERVICE}/{method}", "RESOURCE_EXHAUSTED"),
        (f"/{SERVICE}/{method}", "OK"),
    ]
