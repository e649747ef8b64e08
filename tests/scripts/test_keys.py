"""`seawall keys`: the file, what is printed, and what is recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from pipeline.audit import AuditFile
from pipeline.auth import ApiKeys, Caller, Quota, Scope, digest_of
from pipeline.key_file import KeyFile, ListedKey
from scripts.cli import app, execute
from scripts.commands.key_edits import KeyEdits

KEY = re.compile(r"[A-Za-z0-9_-]{43}")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("API_KEYS_FILE", str(tmp_path / "keys.json"))
    return tmp_path / "keys.json"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The key that a command prints alone on standard output."""
    assert execute(["keys", *arguments]) == 0
    out, err = capsys.readouterr()
    assert KEY.fullmatch(out.strip())
    assert out.strip() not in err
    return out.strip()


def callers(path: Path) -> dict[str, Caller]:
    """Who is behind a key, by the key's hash."""
    return {listed.sha256: listed.key().caller for listed in KeyFile.read(path).keys}


def test_a_new_key_is_printed_once_and_kept_as_a_hash(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = printed(
        capsys,
        "new",
        "bot",
        "--scope",
        "ingest",
        "--scope",
        "read",
        "--events-per-second",
        "50",
        "--burst",
        "70",
    )
    assert key not in path.read_text()
    assert callers(path) == {
        digest_of(key).hex(): Caller("bot", frozenset({Scope.INGEST, Scope.READ}), Quota(50, 70))
    }
    ApiKeys(listed=[listed.key() for listed in KeyFile.read(path).keys]).enter(
        [("api-key", key)], frozenset({Scope.READ}), door="grpc", at="/a/B"
    )
    assert execute(["keys", "list"]) == 0
    listed = capsys.readouterr().out
    assert re.search(r"^bot +ingest read +50/s, 70 at once +no end$", listed, re.MULTILINE)
    assert digest_of(key).hex() not in listed


def test_a_key_can_end(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, "new", "guest", "--scope", "read", "--expires-in-days", "2")
    [key] = KeyFile.read(path).keys
    assert key.expires is not None
    assert 1.9 < (key.expires - datetime.now(UTC)).total_seconds() / 86_400 <= 2
    assert execute(["keys", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "name": "guest",
        "scopes": ["read"],
        "expires": key.expires.isoformat().replace("+00:00", "Z"),
    }


def test_rotation_keeps_the_old_key_for_a_while(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = printed(capsys, "new", "bot", "--scope", "hand_off", "--events-per-second", "5")
    second = printed(capsys, "rotate", "bot", "--keep-hours", "2")
    assert set(callers(path)) == {digest_of(first).hex(), digest_of(second).hex()}
    assert len(set(callers(path).values())) == 1
    old, new = KeyFile.read(path).keys
    assert new.expires is None
    assert old.expires is not None
    assert 1.9 < (old.expires - datetime.now(UTC)).total_seconds() / 3_600 <= 2
    third = printed(capsys, "rotate", "bot", "--keep-hours", "0")
    printed(capsys, "rotate", "bot")
    assert digest_of(first).hex() not in callers(path)
    assert digest_of(third).hex() in callers(path)


def test_what_is_revoked_is_gone_and_every_change_is_recorded(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = [printed(capsys, "new", "bot", "--scope", "admin"), printed(capsys, "rotate", "bot")]
    printed(capsys, "new", "other", "--scope", "read")
    assert execute(["keys", "revoke", "bot"]) == 0
    assert [key.name for key in KeyFile.read(path).keys] == ["other"]
    audit = AuditFile.beside(path)
    assert [(r.action, r.target) for r in audit.records()] == [
        ("keys.add", "bot"),
        ("keys.rotate", "bot"),
        ("keys.add", "other"),
        ("keys.revoke", "bot"),
    ]
    assert all(record.who and record.at_ms > 0 for record in audit.records())
    assert not any(key in audit.path.read_text() for key in keys)
    assert not any(digest_of(key).hex() in audit.path.read_text() for key in keys)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["new", "bot", "--scope", "read"], "bot: there is a key of that name"),
        (["new", "Bad Name", "--scope", "read"], "name: String should match pattern"),
        (["new", "key-7", "--scope", "read"], "is a name of a key of API_KEYS"),
        (["new", "x", "--scope", "read", "--burst", "3"], "--burst: allowed: with --events-per-second"),
        (
            ["new", "x", "--scope", "read", "--events-per-second", "0"],
            "events_per_second: Input should be greater",
        ),
        (["revoke", "nobody-knows"], "nobody-knows: there is no key of that name"),
        (["rotate", "nobody-knows"], "nobody-knows: there is no key of that name"),
    ],
)
def test_what_is_wrong_is_one_line_and_changes_nothing(
    path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    printed(capsys, "new", "bot", "--scope", "read")
    before = path.read_bytes()
    assert execute(["keys", *arguments]) == 1
    out, err = capsys.readouterr()
    assert problem in err
    assert err.count("\n") == 1
    assert out == ""
    assert path.read_bytes() == before
    assert len(list(AuditFile.beside(path).records())) == 1


def test_without_a_file_it_asks_for_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("API_KEYS_FILE", raising=False)
    assert execute(["keys", "list"]) == 1
    assert "--file is missing" in capsys.readouterr().err


def test_two_editors_at_once_lose_nothing(path: Path) -> None:
    def add(number: int) -> None:
        KeyEdits(path).add(ListedKey(name=f"n{number}", sha256=f"{number:064x}", scopes=(Scope.READ,)))

    with ThreadPoolExecutor(8) as editors:
        list(editors.map(add, range(40)))
    assert {key.name for key in KeyFile.read(path).keys} == {f"n{number}" for number in range(40)}
    assert len(list(AuditFile.beside(path).records())) == 40


def options() -> Iterator[tuple[str, str]]:
    """Every option and argument of every command, with the command."""

    def below(command: object, name: str) -> Iterator[tuple[str, str]]:
        for parameter in getattr(command, "params", ()):
            yield from ((name, option) for option in parameter.opts)
        for child_name, child in getattr(command, "commands", {}).items():
            yield from below(child, f"{name} {child_name}")

    yield from below(typer.main.get_command(app), "seawall")


def test_no_command_takes_a_secret_as_an_argument() -> None:
    found = list(options())
    assert ("seawall keys new", "--scope") in found
    secret = re.compile(r"key$|secret|password|token$|credential")
    assert [pair for pair in found if secret.search(pair[1])] == []
