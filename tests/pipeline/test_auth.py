from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.auth import ApiKeys, Caller, Key, Scope, current_caller, digest_of
from pipeline.errors import Forbidden, StartupFailed, Unauthenticated

OLD, NEW = "the-old-key-0123456789", "the-new-key-0123456789"
PLAIN = {Scope.INGEST, Scope.SCREEN, Scope.READ}


def caller_of(keys: ApiKeys, *metadata: tuple[str, str | bytes]) -> Caller:
    return keys.enter(metadata, frozenset(), door="grpc", at="/a/B").caller


def listed(key: str, name: str, *scopes: Scope, expires_at_s: float | None = None) -> Key:
    return Key(digest_of(key), Caller(name, frozenset(scopes)), expires_at_s)


@pytest.mark.parametrize("name", ["api-key", "x-api-key"])
@pytest.mark.parametrize(("key", "caller"), [(OLD, "key-1"), (NEW, "key-2")])
def test_each_key_in_force_passes_under_either_name(name: str, key: str, caller: str) -> None:
    keys = ApiKeys([OLD, NEW])
    assert caller_of(keys, ("user-agent", "x"), (name, key)) == Caller(caller, frozenset(PLAIN))
    assert caller_of(keys, (name, key.encode())).name == caller


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ([], "no_key"),
        ([("user-agent", NEW)], "no_key"),
        ([("authorization", f"Bearer {NEW}")], "no_key"),
        ([("api-key", "")], "wrong_key"),
        ([("api-key", OLD)], "wrong_key"),
        ([("api-key", NEW[:-1])], "wrong_key"),
        ([("api-key", NEW + "x")], "wrong_key"),
        ([("api-key", NEW.upper())], "wrong_key"),
        ([("api-key", b"\xff\x00")], "wrong_key"),
        ([("api-key", f"{NEW},{OLD}")], "wrong_key"),
        ([("api-key", digest_of(NEW))], "wrong_key"),
        ([("api-key", OLD), ("x-api-key", NEW)], "wrong_key"),  # what is said first counts
    ],
)
def test_everything_else_is_refused_without_being_repeated(
    metadata: list[tuple[str, str | bytes]], reason: str
) -> None:
    told: list[tuple[str, str]] = []
    keys = ApiKeys([NEW], refused=lambda _, door, at: told.append((door, at)))
    with pytest.raises(Unauthenticated) as refused:
        caller_of(keys, *metadata)
    assert refused.value.reason == reason
    assert NEW not in str(refused.value)
    assert OLD not in str(refused.value)
    assert told == [("grpc", "/a/B")]


def test_a_key_that_was_taken_out_is_refused() -> None:
    keys = ApiKeys([NEW], listed=[listed(OLD, "bot", Scope.READ)])
    key = keys.enter([("api-key", OLD)], frozenset(), door="grpc", at="/a/B")
    keys.must_be_in_force(key)
    keys.list_anew([])
    with pytest.raises(Unauthenticated):
        caller_of(keys, ("api-key", OLD))
    with pytest.raises(Unauthenticated) as revoked:
        keys.must_be_in_force(key)
    assert revoked.value.reason == "revoked"
    assert caller_of(keys, ("api-key", NEW)).name == "key-1"


def test_a_key_ends_when_it_says() -> None:
    now = [99.0]
    keys = ApiKeys(listed=[listed(NEW, "bot", expires_at_s=100.0)], clock=lambda: now[0])
    assert caller_of(keys, ("api-key", NEW)).name == "bot"
    key = keys.enter([("api-key", NEW)], frozenset(), door="grpc", at="/a/B")
    now[0] = 100.0
    with pytest.raises(Unauthenticated, match="expired"):
        caller_of(keys, ("api-key", NEW))
    with pytest.raises(Unauthenticated, match="expired"):
        keys.must_be_in_force(key)


def test_one_of_the_scopes_is_enough_and_none_lets_nobody_in() -> None:
    keys = ApiKeys(listed=[listed(NEW, "bot", Scope.READ)])
    metadata = [("api-key", NEW)]
    keys.enter(metadata, frozenset({Scope.READ, Scope.INGEST}), door="grpc", at="/a/B")
    with pytest.raises(Forbidden) as forbidden:
        keys.enter(metadata, frozenset({Scope.SCREEN, Scope.INGEST}), door="grpc", at="/a/B")
    assert (forbidden.value.key, forbidden.value.scope) == ("bot", "ingest or screen")
    with pytest.raises(Forbidden):
        keys.enter(metadata, None, door="grpc", at="/a/B")


def test_keys_for_handing_off_may_all_that_others_may() -> None:
    keys = ApiKeys([OLD], hand_off=[NEW, OLD])
    assert caller_of(keys, ("api-key", NEW)) == Caller("hand-off-1", frozenset(PLAIN | {Scope.HAND_OFF}))
    assert caller_of(keys, ("api-key", OLD)) == Caller("key-1", frozenset(PLAIN | {Scope.HAND_OFF}))
    assert Scope.HAND_OFF not in caller_of(ApiKeys([OLD]), ("api-key", OLD)).scopes


@pytest.mark.parametrize("keys", [[], [""], ["short"], [NEW, "short"], [" " * 15]])
def test_no_key_or_a_short_one_never_means_no_check(keys: list[str]) -> None:
    with pytest.raises(StartupFailed, match="API_KEYS") as failed:
        ApiKeys(keys)
    assert "16" in str(failed.value)
    assert NEW not in str(failed.value)


def test_keeps_no_key_that_could_be_read_out() -> None:
    keys = ApiKeys([NEW])
    kept = [repr(getattr(keys, name)) for name in vars(keys)]
    assert kept
    assert not any(NEW in value for value in kept)


@pytest.mark.parametrize("keys", [["short"], [OLD, ""]])
def test_the_message_names_the_setting_that_the_keys_are_from(keys: Sequence[str]) -> None:
    with pytest.raises(StartupFailed, match="HANDOFF_API_KEYS"):
        ApiKeys([NEW], hand_off=keys)


def test_what_no_call_has_begun_has_no_scope() -> None:
    assert current_caller() == Caller("nobody", frozenset())
