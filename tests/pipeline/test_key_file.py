from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline.auth import Quota, Scope, digest_of
from pipeline.key_file import KeyFile, KeyFileInvalid, ListedKey, ListedQuota

PLAIN = "somebody-put-the-key-itself-here"
HASH = digest_of("the-key-0123456789").hex()
GOOD: dict[str, Any] = {"name": "bot", "sha256": HASH, "scopes": ["ingest", "read"]}


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    key = ListedKey(
        name="bot",
        sha256=HASH,
        scopes=(Scope.INGEST, Scope.HAND_OFF),
        quota=ListedQuota(events_per_second=2.5, burst=10),
        expires=datetime(2030, 1, 2, tzinfo=UTC),
    )
    file = KeyFile(keys=(key, ListedKey(name="bot", sha256="0" * 64, scopes=(Scope.READ,))))
    file.write(tmp_path / "keys.json")
    assert KeyFile.read(tmp_path / "keys.json") == file
    known = key.key()
    assert known.digest == digest_of("the-key-0123456789")
    assert known.caller.scopes == {Scope.INGEST, Scope.HAND_OFF}
    assert known.caller.quota == Quota(2.5, 10)
    assert known.expires_at_s == datetime(2030, 1, 2, tzinfo=UTC).timestamp()


def test_a_new_file_is_its_owners_alone_and_an_old_one_keeps_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    KeyFile().write(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    KeyFile().write(path)
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["keys.json"]  # noqa: PTH208  # names are what is asked


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ([{**GOOD, "sha256": PLAIN}], "keys.0.sha256: String should match pattern"),
        ([{**GOOD, "key": PLAIN}], "keys.0.key: Extra inputs are not permitted"),
        ([{**GOOD, "scopes": []}], "keys.0.scopes: Tuple should have at least 1 item"),
        ([{**GOOD, "scopes": ["root"]}], "keys.0.scopes.0: Input should be 'ingest', 'screen', 'read'"),
        ([{**GOOD, "name": "Line\nbreak"}], "keys.0.name: String should match pattern"),
        ([{**GOOD, "name": "key-1"}], "keys.0.name: Value error, is a name of a key of API_KEYS"),
        ([{**GOOD, "quota": {"events_per_second": 0, "burst": 1}}], "keys.0.quota.events_per_second"),
        ([{**GOOD, "quota": {"events_per_second": 1}}], "keys.0.quota.burst: Field required"),
        ([{**GOOD, "expires": "2030-01-01T00:00:00"}], "keys.0.expires: Input should have timezone info"),
        ([GOOD, {**GOOD, "name": "other"}], "keys: Value error, hold the same sha256 twice"),
    ],
)
def test_what_is_wrong_is_named_and_not_quoted(
    tmp_path: Path, keys: list[dict[str, Any]], problem: str
) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(orjson.dumps({"keys": keys}))
    with pytest.raises(KeyFileInvalid) as invalid:
        KeyFile.read(path)
    assert problem in str(invalid.value)
    assert str(path) in str(invalid.value)
    assert PLAIN not in str(invalid.value)
    assert HASH not in str(invalid.value)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b'{"keys": 3}', b"\xff\xfe", b"x" * 1_048_577])
def test_what_is_no_key_file_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(text)
    with pytest.raises(KeyFileInvalid, match=r"keys\.json: "):
        KeyFile.read(path)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(KeyFileInvalid, match="No such file"):
        KeyFile.read(tmp_path / "keys.json")
