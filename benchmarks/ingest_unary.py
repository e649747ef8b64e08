"""`seawall bench ingest-unary`: single calls of Ingest, beside a handler that does nothing.

Both run behind the same interceptors and get the same messages from ghz, at full load and at half of what
ingest carries. A call's time is taken outside; the processor's time is that of the service's process.
"""

from __future__ import annotations

from benchmarks.event_load import new_events, single_requests
from benchmarks.ghz_load import write_delimited
from benchmarks.ingest_doors import MOST_EVENTS, at_a_rate, at_full_load, beside_no_op, doors
from benchmarks.result import Effort, Result, Wanted

_AT_ONCE = 50
_TRIAL_CALLS = 1_000


async def measure(effort: Effort) -> Result:
    """Measures.

    Raises:
        RuntimeError: a call failed, or accepted events are not in the queue.
    """
    async with doors() as found:
        requests = found.folder / "requests"
        most = _TRIAL_CALLS if effort.brief else min(MOST_EVENTS, int(10_000 * effort.seconds))
        write_delimited(requests, single_requests(new_events(most)))

        trial = at_full_load("Ingest", requests, calls=_TRIAL_CALLS, at_once=_AT_ONCE)
        await found.turn(found.no_op, trial, _TRIAL_CALLS)
        carried = (await found.turn(found.ingest, trial, _TRIAL_CALLS))["events_per_second"]
        calls = min(most, max(_TRIAL_CALLS, int(carried * effort.seconds)))
        full_load = at_full_load("Ingest", requests, calls=calls, at_once=_AT_ONCE)
        full = await found.both(full_load, calls, effort.rounds)
        rate = full["ingest"]["events_per_second"].median / 2
        half = at_a_rate("Ingest", requests, calls=calls // 2, per_second=rate)
        paced = await found.both(half, calls // 2, effort.rounds)
    return Result(
        "ingest-unary",
        (
            beside_no_op("calls/s", full, "events_per_second", Wanted(least=0.8, of_ratio=True)),
            beside_no_op("p50 at full load, ms", full, "p50_ms"),
            beside_no_op("p99 at full load, ms", full, "p99_ms"),
            beside_no_op("processor time of a call, µs", full, "processor_us"),
            beside_no_op("p50 at half of it, ms", paced, "p50_ms"),
            beside_no_op("p99 at half of it, ms", paced, "p99_ms"),
        ),
        {"calls at once": _AT_ONCE, "calls of a round": calls, "half of it, calls/s": rate},
    )
