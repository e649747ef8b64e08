from __future__ import annotations

from pathlib import Path

import pytest
import redis

from pipeline.errors import StartupFailed
from scripts.system.ports import Ports
from scripts.system.process import ProcessDied
from scripts.system.redis import RedisServer, redis_binary


def start(folder: Path, data_dir: Path | None = None) -> RedisServer:
    folder.mkdir(exist_ok=True)
    server = RedisServer(port=Ports().take(name="Redis"), folder=folder, data_dir=data_dir)
    server.start()
    server.wait_ready()
    return server


def test_the_binary_is_there() -> None:
    assert redis_binary().name == "redis-server"


def test_an_old_redis_on_the_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=5.0.7 sha=0'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert redis_binary() != old


def test_without_a_data_folder_nothing_is_kept(tmp_path: Path) -> None:
    server = start(tmp_path / "a")
    with redis.Redis.from_url(server.url) as client:
        config = client.config_get("*")
        assert (config["appendonly"], config["save"]) == ("no", "")
        assert (config["maxmemory-policy"], config["bind"]) == ("noeviction", "127.0.0.1")
        client.set("key", "value")
    server.stop()
    assert not server.process.running
    again = start(tmp_path / "a")
    with redis.Redis.from_url(again.url) as client:
        assert client.get("key") is None
    again.stop()


def test_with_a_data_folder_every_answered_write_survives_a_crash(tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = start(tmp_path / "a", data)
    with redis.Redis.from_url(server.url) as client:
        assert client.config_get("append*")["appendfsync"] == "always"
        client.xadd("events:raw", {"event": "1"})
    server.process.kill()
    server.stop()
    again = start(tmp_path / "a", data)
    with redis.Redis.from_url(again.url) as client:
        assert client.xlen("events:raw") == 1
    again.stop()


def test_a_data_folder_has_one_redis_at_a_time(tmp_path: Path) -> None:
    server = start(tmp_path / "a", tmp_path / "data")
    with pytest.raises(StartupFailed, match="is in use by another run"):
        RedisServer(port=Ports().take(name="Redis"), folder=tmp_path, data_dir=tmp_path / "data")
    server.stop()
    start(tmp_path / "b", tmp_path / "data").stop()


def test_a_data_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartupFailed, match="cannot use"):
        RedisServer(port=1, folder=tmp_path, data_dir=tmp_path / "file" / "data")


def test_says_why_it_did_not_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "appendonly.aof").write_text("this is no append-only file")
    server = RedisServer(port=Ports().take(name="Redis"), folder=tmp_path, data_dir=data)
    server.start()
    with pytest.raises(ProcessDied, match=r"Redis ended with exit status 1: .*append only file"):
        server.wait_ready()
    server.stop()
