from __future__ import annotations

import pytest

from ingest.direct.addresses import Address, Addresses, HostPort, parse_addresses


def test_reads_names_and_addresses() -> None:
    assert parse_addresses("screener:50052, 10.0.0.1:1,[::1]:65535,") == (
        HostPort("screener", 50_052),
        HostPort("10.0.0.1", 1),
        HostPort("::1", 65_535),
    )


@pytest.mark.parametrize(
    "text", ["", ",", "screener", "screener:", ":1", "screener:0", "h:65536", "h:x", "a:1,b"]
)
def test_says_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="host:port, or several by commas"):
        parse_addresses(text)


async def test_a_name_stands_for_all_its_addresses() -> None:
    found = await Addresses(parse_addresses("localhost:1,127.0.0.2:2,[::1]:3")).resolve()
    assert {Address("127.0.0.1:1", "localhost"), Address("127.0.0.2:2", "127.0.0.2")} <= found
    assert {a.target for a in found} <= {"127.0.0.1:1", "[::1]:1", "127.0.0.2:2", "[::1]:3"}


async def test_an_address_that_two_names_mean_is_one_screener() -> None:
    found = await Addresses(parse_addresses("127.0.0.1:1,127.0.0.1:1")).resolve()
    assert [address.target for address in found] == ["127.0.0.1:1"]


async def test_a_name_that_cannot_be_resolved_leaves_the_others() -> None:
    found = await Addresses(parse_addresses("no-such-host.invalid:1,127.0.0.1:2")).resolve()
    assert [address.target for address in found] == ["127.0.0.1:2"]


async def test_a_name_that_cannot_be_resolved_any_more_keeps_its_addresses() -> None:
    hosts = [HostPort("127.0.0.1", 1)]
    addresses = Addresses(hosts)
    before = await addresses.resolve()
    addresses._known = {HostPort("gone.invalid", 1): before}
    addresses._hosts = [HostPort("gone.invalid", 1)]
    assert await addresses.resolve() == before
