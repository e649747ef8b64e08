from __future__ import annotations

import pytest

from pipeline.auth import ApiKeys
from pipeline.errors import StartupFailed, Unauthenticated

OLD, NEW = "the-old-key-0123456789", "the-new-key-0123456789"


@pytest.mark.parametrize("name", ["api-key", "x-api-key"])
@pytest.mark.parametrize("key", [OLD, NEW])
def test_each_key_in_force_passes_under_either_name(name: str, key: str) -> None:
    ApiKeys([OLD, NEW]).caller_of([("user-agent", "x"), (name, key)])


@pytest.mark.parametrize(
    "metadata",
    [
        [],
        [("user-agent", NEW)],
        [("authorization", f"Bearer {NEW}")],
        [("api-key", "")],
        [("api-key", OLD)],
        [("api-key", NEW[:-1])],
        [("api-key", NEW + "x")],
        [("api-key", NEW.upper())],
        [("api-key", f"{NEW},{OLD}")],
        [("api-key", OLD), ("x-api-key", NEW)],  # what is said first counts
    ],
)
def test_everything_else_is_refused_without_being_repeated(metadata: list[tuple[str, str]]) -> None:
    with pytest.raises(Unauthenticated) as refused:
        ApiKeys([NEW]).caller_of(metadata)
    assert NEW not in str(refused.value)
    assert OLD not in str(refused.value)


def test_a_key_that_was_taken_out_is_refused() -> None:
    ApiKeys([OLD, NEW]).caller_of([("api-key", OLD)])
    with pytest.raises(Unauthenticated):
        ApiKeys([NEW]).caller_of([("api-key", OLD)])


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
def test_the_message_names_the_setting_that_the_keys_are_from(keys: list[str]) -> None:
    with pytest.raises(StartupFailed, match="HANDOFF_API_KEYS"):
        ApiKeys([NEW], hand_off=keys)
