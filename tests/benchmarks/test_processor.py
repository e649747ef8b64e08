"""How much of the processor a process and its children use."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from benchmarks.processor import children, processor_s

BUSY = "import time; begin = time.process_time()\nwhile time.process_time() - begin < {}: pass\n"


def test_what_ended_children_used_counts_too() -> None:
    before_s = processor_s(os.getpid())
    subprocess.run([sys.executable, "-c", BUSY.format(0.1)], check=True)
    assert processor_s(os.getpid()) - before_s >= 0.1


def test_what_living_children_use_counts_too() -> None:
    script = f"{BUSY.format(0.1)}print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert child.pid in children(os.getpid())
        assert processor_s(child.pid) >= 0.1
        before_s = time.process_time()
        assert processor_s(os.getpid()) >= processor_s(child.pid) + before_s - 0.02  # ticks of 10 ms
        child.communicate(b"\n")
    assert child.pid not in children(os.getpid())
