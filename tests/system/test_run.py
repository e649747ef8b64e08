"""The main job as a user runs it: `scripts/run`, and what it says when something is missing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts.system.ports import Ports
from scripts.system.services import ROOT
from tests.fixtures.digests import DEDUP_SECRET

SAMPLES = ROOT / "scripts" / "samples" / "conversations.jsonl"


def run(*arguments: str, timeout_s: float = 240, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "run", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
    )


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def samples() -> dict[str, dict[str, Any]]:
    return {row["event_id"]: row for row in lines(SAMPLES.read_text())}


@pytest.fixture(scope="module")
def sample_run() -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Verdicts by event id, and the summary, of a run without arguments."""
    done = run("--json")
    assert done.returncode == 0, done.stderr
    *verdicts, summary = lines(done.stdout)
    return {verdict["event_id"]: verdict for verdict in verdicts}, summary


Run = tuple[dict[str, dict[str, Any]], dict[str, Any]]
Samples = dict[str, dict[str, Any]]


def test_every_accepted_sample_has_exactly_one_verdict(sample_run: Run, samples: Samples) -> None:
    verdicts, summary = sample_run
    assert summary["accepted"] == summary["verdicts"] == len(verdicts)
    assert (summary["lost"], summary["doubled"], summary["rejected"]) == (0, 0, 0)
    assert summary["duplicates"] >= 1
    assert summary["accepted"] + summary["duplicates"] == len(samples)
    assert sum(summary["routes"].values()) == sum(summary["categories"].values()) == summary["verdicts"]


def test_every_harmful_sample_is_not_low_risk(sample_run: Run, samples: Samples) -> None:
    verdicts, _ = sample_run
    harmful = {i for i, row in samples.items() if "LOW_RISK" not in row["expect"]} & verdicts.keys()
    assert len(harmful) >= 30
    missed = [samples[i]["content"] for i in sorted(harmful) if verdicts[i]["category"] == "LOW_RISK"]
    assert missed == []


def test_hardly_a_harmless_look_alike_is_routed_to_reasoning(sample_run: Run, samples: Samples) -> None:
    verdicts, _ = sample_run
    look_alikes = {i for i, row in samples.items() if row.get("look_alike")} & verdicts.keys()
    assert len(look_alikes) >= 20
    routed = [samples[i]["content"] for i in sorted(look_alikes) if verdicts[i]["route"] != "low_risk"]
    assert len(routed) <= 1, routed  # a garden hoe is taken for an insult: docs/model-card.md, Limits


def test_all_categories_and_platforms_are_seen(sample_run: Run, samples: Samples) -> None:
    _, summary = sample_run
    assert all(summary["categories"].values()), summary["categories"]
    assert {row["platform"] for row in samples.values()} == {
        "discord",
        "slack",
        "web_chat",
        "telegram",
        "twitter",
        "reddit",
    }


def test_own_rows_with_other_names_sent_twice(tmp_path: Path) -> None:
    rows = [{"key": f"row-{i}", "text": f"my own message number {i}"} for i in range(60)]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"key": "broken", "text":\n')
    done = run(
        "--json", "--events", str(file), "--map", "content=text", "--map", "event_id=key", "--repeat", "2"
    )
    assert done.returncode == 0, done.stderr
    summary = lines(done.stdout)[-1]
    assert (summary["accepted"], summary["duplicates"], summary["rejected"]) == (60, 60, 2)
    assert (summary["verdicts"], summary["lost"], summary["doubled"]) == (60, 0, 0)


def says_one_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode != 0
    said = done.stderr.strip().splitlines()[-1]
    assert all(word in said for word in words), done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_a_missing_file_is_one_line() -> None:
    says_one_line(run("--events", "no-such-file.jsonl"), "no-such-file.jsonl")


def test_a_port_in_use_is_one_line() -> None:
    port = Ports().take(name="test")

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        says_one_line(run("--ingest-port", str(port)), str(port), "in use")


@pytest.mark.parametrize(
    ("service", "settings", "words"),
    [
        ("ingest", {"API_KEYS": ""}, ["API_KEYS"]),
        ("screener", {"API_KEYS": "k" * 20, "DEDUP_SECRET": ""}, ["DEDUP_SECRET", "32 or more"]),
        (
            "ingest",
            {"API_KEYS": "k" * 20, "MAX_QUEUE_DEPTH": "three"},
            ["MAX_QUEUE_DEPTH", "three", "from 10"],
        ),
        (
            "screener",
            {"API_KEYS": "k" * 20, "TOKENIZER_PATH": "/nowhere"},
            ["/nowhere", "seawall model build"],
        ),
        (
            "screener",
            {"API_KEYS": "k" * 20, "SCREENING_THRESHOLD": "7"},
            ["SCREENING_THRESHOLD", "7", "from 0.0 to 1.0"],
        ),
    ],
)
def test_a_wrong_setting_is_one_line(service: str, settings: dict[str, str], words: list[str]) -> None:
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "python", "-m", service],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DEDUP_SECRET": DEDUP_SECRET, **settings},
    )
    says_one_line(done, *words)
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_direct_way_ends_with_the_same_ledger(sample_run: Run) -> None:
    done = run("--json", "--handoff", "direct")
    assert done.returncode == 0, done.stderr
    *verdicts, summary = lines(done.stdout)
    _, queued = sample_run
    for name in ("accepted", "duplicates", "rejected", "verdicts", "lost", "doubled"):
        assert summary[name] == queued[name]
    assert {verdict["event_id"] for verdict in verdicts} == sample_run[0].keys()
