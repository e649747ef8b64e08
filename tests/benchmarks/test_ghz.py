"""Every method, called by ghz as a load tester would: by reflection and by the proto files.

Not part of `scripts/test`, for ghz is built with Go; `.ci/run` builds it and runs this.
"""

from __future__ import annotations

import os
import subprocess

import pytest
from seawall.ingest.v1 import ingest_pb2
from seawall.screening.v1 import screening_pb2

from scripts.system.services import ROOT
from scripts.system.system import System


@pytest.mark.ghz
def test_ghz_calls_every_method_both_ways(system: System) -> None:
    done = subprocess.run(
        [ROOT / "benchmarks" / "ghz" / "every_method.sh", system.ingest_address, system.screener_address],
        env={**os.environ, "API_KEY": system.api_key},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    called = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("ok")]
    services = [*ingest_pb2.DESCRIPTOR.services_by_name.values()]
    services += screening_pb2.DESCRIPTOR.services_by_name.values()
    methods = [f"{service.full_name}/{method.name}" for service in services for method in service.methods]
    assert set(called) == set(methods)
    assert all(called.count(method) >= 2 for method in methods)


@pytest.mark.ghz
@pytest.mark.parametrize("way", ["STREAM", "DIRECT"])
def test_ghz_waits_for_verdicts_without_an_error(system: System, way: str) -> None:
    done = subprocess.run(
        [ROOT / "benchmarks" / "ghz" / "wait_for_verdict.sh", system.ingest_address],
        env={**os.environ, "API_KEY": system.api_key, "HAND_OFF": way, "DURATION": "5s", "RATE": "5"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Count:" in done.stdout
