"""Runs the agreement check over the variants of one version, in the runtimes that serve them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from screener.tokens import Tokenizer
from training.agreement import LARGEST_MOVE, Agreement, Run, alone, ask, compare, mixed
from training.check_texts import check_texts
from training.graph import Precision
from training.sessions import cpu_has_bf16, openvino_session, plain_session
from training.variants import FILES

_BF16 = f"{FILES[Precision.FP32]}, OpenVINO bf16"

Advance = Callable[[str, int, int], None]
"""Told what is being asked, the answers so far and the answers in all."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The agreements of a version, and in what precision it may be served on a CPU."""

    agreements: tuple[Agreement, ...]
    cpu_precision: str
    """`bf16` where this CPU has it and the version keeps the bound with it, else `f32`."""


def measure_version(
    folder: Path, tokenizer: Path, *, texts: int, threads: int, advance: Advance
) -> tuple[Agreement, ...]:
    """Compare every variant in `folder` with the FP32 graph that gets one text at a time."""
    encoded = Tokenizer.from_file(tokenizer).encode(check_texts(texts))
    ways = (("alone", alone(encoded)), ("mixed", mixed(encoded)))
    runs = dict(_runs(folder, threads))
    done, total = 0, texts * (1 + len(ways) * len(runs))

    def counted(name: str) -> Callable[[int], None]:
        def count(rows: int) -> None:
            nonlocal done
            done += rows
            advance(name, done, total)

        return count

    exact = plain_session(folder / FILES[Precision.FP32], threads=threads)
    reference = ask(exact, ways[0][1], texts, counted("reference"))
    return tuple(
        compare(name, way, ask(run, buckets, texts, counted(f"{name}, {way}")), reference)
        for name, run in runs.items()
        for way, buckets in ways
    )


def judge(agreements: tuple[Agreement, ...]) -> Checked:
    """Raises AgreementBroken past the bound. For bf16 that is no fault: the CPU then serves in f32."""
    bf16 = [item for item in agreements if item.variant == _BF16]
    for item in agreements:
        if item not in bf16:
            item.require()
    keeps = bf16 and all(item.largest_move <= LARGEST_MOVE for item in bf16)
    return Checked(agreements, "bf16" if keeps else "f32")


def _runs(folder: Path, threads: int) -> Iterator[tuple[str, Run]]:
    fp32 = folder / FILES[Precision.FP32]
    if cpu_has_bf16():
        yield _BF16, openvino_session(fp32, precision="bf16", threads=threads)
    yield f"{fp32.name}, OpenVINO f32", openvino_session(fp32, precision="f32", threads=threads)
    for precision in (Precision.FP16, Precision.INT8):
        yield FILES[precision], plain_session(folder / FILES[precision], threads=threads)
