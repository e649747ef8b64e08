from __future__ import annotations

import errno
import fcntl
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from screener.similarity.snapshot import Snapshot
from screener.similarity.snapshot_folder import SnapshotFolder
from tests.screener.similarity.test_index import seen
from tests.screener.similarity.test_snapshot import VECTORS, an_index


def snapshot(position: bytes, texts: int = 4) -> Snapshot:
    index = an_index(max_events=1_000)
    index.add([seen(i, vector) for i, vector in enumerate(VECTORS[:texts])])
    return Snapshot(position, [(1, index.capture())])


def positions(folder: SnapshotFolder) -> list[bytes]:
    return [folder.read(path).position for path in folder.newest_first()]


@contextmanager
def disk_with_room_for(limit: int) -> Iterator[None]:
    """No file grows past `limit` bytes: the system answers as it does for a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_keeps_the_last_two_newest_first_for_their_owner_alone(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path / "a" / "b")
    assert folder.newest_first() == []
    for position in (b"9-0", b"9-1", b"10-0", b"1700000000000-3"):
        assert folder.save(snapshot(position))
    assert positions(folder) == [b"1700000000000-3", b"10-0"]
    assert {path.stat().st_mode & 0o777 for path in folder.newest_first()} == {0o600}
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_a_full_disk_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path)
    folder.save(snapshot(b"1-0"))
    before = sorted(tmp_path.iterdir())
    with disk_with_room_for(2_000), pytest.raises(OSError, match="File too large") as raised:
        folder.save(snapshot(b"2-0"))
    assert raised.value.errno == errno.EFBIG
    assert sorted(tmp_path.iterdir()) == before
    assert positions(folder) == [b"1-0"]
    assert folder.save(snapshot(b"3-0"))
    assert positions(folder) == [b"3-0", b"1-0"]


def test_what_a_killed_process_left_is_no_snapshot_and_goes_with_the_next(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path)
    folder.save(snapshot(b"1-0"))
    (tmp_path / "unfinished").write_bytes(b"half" * 100_000)
    assert positions(folder) == [b"1-0"]
    folder.save(snapshot(b"2-0"))
    assert positions(folder) == [b"2-0", b"1-0"]
    assert not (tmp_path / "unfinished").exists()


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path)
    folder.save(snapshot(b"1-0"))
    with (tmp_path / "lock").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert not folder.save(snapshot(b"2-0"))
    assert folder.save(snapshot(b"2-0"))
    assert positions(folder) == [b"2-0", b"1-0"]


def test_one_of_a_stream_that_is_no_more_goes_with_the_next(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path)
    for position in (b"8-0", b"9-0", b"2-0"):
        folder.save(snapshot(position))
    assert positions(folder) == [b"2-0"]
