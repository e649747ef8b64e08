from __future__ import annotations

import pytest
from pydantic.fields import FieldInfo

from pipeline.errors import StartupFailed
from pipeline.settings import ServiceSettings, allowed, load

SECRET = "hush-hush-hush-hush"


def test_defaults_are_valid() -> None:
    settings = load(ServiceSettings)
    assert settings.redis_url.get_secret_value() == "redis://127.0.0.1:6379/0"
    assert settings.keys == ()


def test_reads_the_environment_whatever_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_TIMEOUT_MS", "150")
    monkeypatch.setenv("drain_grace_ms", "1")
    settings = load(ServiceSettings)
    assert (settings.redis_timeout_ms, settings.drain_grace_ms) == (150, 1)


def test_splits_keys_at_commas_and_drops_what_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEYS", " one , two,, ")
    assert load(ServiceSettings).keys == ("one", "two")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("REDIS_TIMEOUT_MS", "9", "REDIS_TIMEOUT_MS=9: allowed: from 10 to 60000"),
        ("REDIS_TIMEOUT_MS", "60001", "REDIS_TIMEOUT_MS=60001: allowed: from 10 to 60000"),
        ("REDIS_TIMEOUT_MS", "soon", "REDIS_TIMEOUT_MS=soon: allowed: from 10 to 60000"),
        ("REDIS_TIMEOUT_MS", "", "REDIS_TIMEOUT_MS=: allowed: from 10 to 60000"),
        ("DRAIN_GRACE_MS", "-1", "DRAIN_GRACE_MS=-1: allowed: from 0 to 600000"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL=LOUD: allowed: DEBUG, INFO, WARNING, ERROR"),
        ("EVENT_ID_TTL_SECONDS", "0", "EVENT_ID_TTL_SECONDS=0: allowed: from 1 to 2592000"),
    ],
)
def test_a_fault_is_one_line_with_variable_value_and_range(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StartupFailed) as failed:
        load(ServiceSettings)
    assert str(failed.value) == message


def test_names_every_fault_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_TIMEOUT_MS", "9")
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    with pytest.raises(StartupFailed, match=r"REDIS_TIMEOUT_MS=9.*; LOG_LEVEL=LOUD"):
        load(ServiceSettings)


def test_never_prints_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEYS", SECRET)
    monkeypatch.setenv("REDIS_URL", f"redis://:{SECRET}@127.0.0.1:6379/0")
    settings = load(ServiceSettings)
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize("url", ["127.0.0.1:6379", f"http://:{SECRET}@host", "redis://host:port", ""])
def test_an_address_that_is_none_is_told_at_start_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(StartupFailed) as failed:
        load(ServiceSettings)
    assert str(failed.value) == (
        "REDIS_URL is not valid; allowed: redis://, rediss:// or unix://, as in redis://:password@host:6379/0"
    )


@pytest.mark.parametrize(
    "url",
    ["redis://h", "rediss://:p@h:6380/1", "redis://user:p%2Fw@[::1]:6379", "unix:///run/redis.sock?db=1"],
)
def test_every_form_of_address_is_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    assert load(ServiceSettings).redis_url.get_secret_value() == url


def test_settings_stay_as_they_are() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(ServiceSettings).log_level = "DEBUG"


@pytest.mark.parametrize("name", list(ServiceSettings.model_fields))
def test_every_setting_says_what_it_is_and_what_it_accepts(name: str) -> None:
    info: FieldInfo = ServiceSettings.model_fields[name]
    assert info.description
    assert allowed(info)


@pytest.mark.parametrize("url", ["redis://127.0.0.1/0", "unix:///run/redis"])
def test_certificates_without_a_rediss_address_are_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    monkeypatch.setenv("REDIS_CA_PATH", "/etc/ca.pem")
    with pytest.raises(StartupFailed, match=r"^REDIS_URL is no rediss:// address"):
        _ = ServiceSettings().redis_certificates


def test_an_authority_for_clients_without_a_certificate_of_our_own_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TLS_CLIENT_CA_PATH", "/etc/ca.pem")
    with pytest.raises(StartupFailed, match=r"^TLS_CERT_PATH is missing, and TLS_CLIENT_CA_PATH is set$"):
        _ = ServiceSettings().server_certificates
