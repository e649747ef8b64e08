"""Processors and GPUs for a load, from the costs of a run; and the run as a table of Markdown."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.calculator import Costs, CostUnknown, Load, arithmetic
from benchmarks.result import Line, Result, Wanted
from benchmarks.turns import Series
from scripts.cli import execute
from scripts.show.bench_tables import markdown_table

COSTS = Costs(ingest_us=20.0, redis_us=30.0, screener_us=200.0, token_us=500.0)
LOAD = Load(per_second=1_000.0, lengths={10: 0.5, 30: 0.5}, cache_hits=0.75, busy=0.5)
DETAILS = {
    "ingest ingested, 1 workers, CPU us an event": 20.0,
    "redis screened, 1 workers, CPU us an event": 30.0,
    "screener screened, 1 workers, CPU us an event": 200.0,
}
A_LINE = Line("events/s", Series((1.0,)))
RUN = {
    "scale-out": Result("scale-out", (A_LINE,), DETAILS),
    "screen-uncached": Result("screen-uncached", (A_LINE,), {"CPU us a token": 500.0}),
}


def needed(load: Load, costs: Costs) -> dict[str, float]:
    return {step.what: step.result for step in arithmetic(load, costs)}


def test_each_part_needs_its_work_of_a_second_over_how_busy_it_may_be() -> None:
    found = needed(LOAD, COSTS)
    assert found["ingest"] == pytest.approx(0.04)
    assert found["Redis"] == pytest.approx(0.06)
    assert found["screeners"] == pytest.approx(0.4)


def test_the_model_reads_only_what_the_cache_does_not_know() -> None:
    found = needed(LOAD, COSTS)
    assert found["tokens of a text"] == 20.0
    assert found["for the model"] == 250.0
    assert found["the model on processors"] == pytest.approx(5.0)  # 250 × 20 × 500 µs ÷ 0.5
    assert found["all of it on processors"] == 6.0  # 0.5 + 5, whole ones


def test_with_a_gpu_the_processors_are_for_the_rest() -> None:
    found = needed(LOAD, Costs(20.0, 30.0, 200.0, 500.0, gpu_token_us=4.0))
    assert found["the model on GPUs"] == 1.0
    assert found["beside them"] == 1.0
    assert "the model on GPUs" not in needed(LOAD, COSTS)


def test_one_redis_has_one_thread() -> None:
    """More than it can do takes several, and partitions to go with them."""
    many = Load(per_second=40_000.0, lengths={10: 1.0}, cache_hits=1.0, busy=1.0)
    assert needed(many, COSTS)["Redis has one thread"] == 2.0


def test_costs_are_those_of_a_run() -> None:
    assert Costs.of(RUN) == COSTS
    with_gpu = {**RUN, "triton": Result("triton", (A_LINE,), {"GPU us a token": 4.0})}
    assert Costs.of(with_gpu).gpu_token_us == 4.0


@pytest.mark.parametrize("missing", RUN)
def test_a_cost_that_was_not_measured_is_named(missing: str) -> None:
    with pytest.raises(CostUnknown, match=missing):
        Costs.of({name: result for name, result in RUN.items() if name != missing})


def test_the_command_reads_the_files_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, result in RUN.items():
        (tmp_path / f"{name}.json").write_bytes(result.encode())
    assert execute(["bench", "calculator", str(tmp_path), "--events", "1000", "--busy", "0.5"]) == 0
    assert "0.04 cores" in " ".join(capsys.readouterr().out.split())
    assert execute(["bench", "calculator", str(tmp_path), "--lengths", "16"]) == 1
    assert "TOKENS:SHARE" in capsys.readouterr().err
    assert execute(["bench", "table", str(tmp_path)]) == 0
    assert "| `scale-out` | events/s | 1.000 ±0 % |" in capsys.readouterr().out


def test_what_is_missed_stands_out_in_the_table() -> None:
    line = Line("events/s", Series((50.0,)), Series((100.0,)), "a no-op", (Wanted(least=0.8, of_ratio=True),))
    assert markdown_table([Result("x", (line,))]).splitlines()[-1] == (
        "| `x` | events/s | 50.0 ±0 % | a no-op: 100.0 ±0 % | 0.50 | **≥ 0.8 of it: missed** |"
    )
