# SPDX-License-Identifier: BSD-3-Clause
"""Runs test files of pytest side by side, each in a process of its own.

Called by `run_tests.py` for a whole suite. Most of a test's time is spent waiting: for a program's start, for a
state. Two lanes use that time, where there are two CPUs. Files may run side by side, because nothing of theirs has
a fixed name on the machine: sockets and logs are in new directories, namespaces and cgroups have a process id in
their names. A file that needs the machine for itself is in `ALONE`, and comes after all others.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from support import interrupts

PROJECT = Path(__file__).resolve().parent.parent
END_SECONDS = 60.0  # for a pytest that was interrupted, to end what its tests have started
NOTHING_COLLECTED = 5  # pytest's status: here, where a machine cannot run any test of a file

# These take every CPU; hugepages of the whole machine; equal shares of a CPU.
ALONE = [
    "tests/fuzz/test_fuzz.py",
    "tests/integration/test_published_memory.py",
    "tests/integration/test_fair_share.py",
]

# These need the CPUs most: one lane begins with them. The other begins at the other end of the list, with
# tests/soak, which waits most.
BUSY = ["tests/hostile/test_hostile.py", "tests/vm", "tests/bench"]

# Files that share what takes long to make, as guests do, are run by one process.
TOGETHER = ("tests/vm", "tests/bench")


@dataclass
class Part:
    """A file or a directory, and the pytest that runs it."""

    path: str
    report: Path
    output: IO[bytes]
    process: subprocess.Popen[bytes]

    def print_output(self, cpu_seconds: float = 0.0) -> None:
        self.output.seek(0)
        print(f"\n== {self.path}, {cpu_seconds:.0f} s of CPU time", flush=True)
        sys.stdout.buffer.write(self.output.read())
        sys.stdout.flush()
        self.output.close()


@dataclass
class Lanes:
    """What all parts of this run share; `run` returns each part's report with its status."""

    command: Sequence[str]
    env: dict[str, str]
    reports: Path
    running: dict[int, Part] = field(default_factory=dict)  # by lane
    ended: list[tuple[Path, int]] = field(default_factory=list)

    def run(self, paths: Sequence[str]) -> list[tuple[Path, int]]:
        self.reports.mkdir(exist_ok=True)
        beside = deque(in_order([path for path in paths if path not in ALONE]))
        lanes = range(min(2, len(os.sched_getaffinity(0))))
        try:
            while beside or self.running:
                for lane in lanes:
                    if lane not in self.running and beside:
                        self._start(lane, beside.popleft() if lane == 0 else beside.pop())
                self._wait()
            for path in ALONE:
                if path in paths:
                    self._start(0, path)
                    self._wait()
        finally:
            self._stop()
        return self.ended

    def _start(self, lane: int, path: str) -> None:
        report = self.reports / f"{path.replace('/', '-').removesuffix('.py')}.xml"
        report.unlink(missing_ok=True)
        output = tempfile.TemporaryFile()
        command = ["/usr/bin/setpriv", "--pdeathsig", "INT", "--", *self.command,
                   "--no-header", "-q", f"--junitxml={report}", path]
        # in a session of its own, so that Ctrl-C reaches it once, from `_stop`
        with interrupts.held_back():
            process = subprocess.Popen(
                command, cwd=PROJECT, env=self.env, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True)
            self.running[lane] = Part(path, report, output, process)

    def _wait(self) -> None:
        """Until one has ended."""
        while True:
            for lane, part in self.running.items():
                before = cpu_seconds_of_the_ended()
                status = part.process.poll()
                if status is not None:
                    del self.running[lane]
                    part.print_output(cpu_seconds_of_the_ended() - before)
                    self.ended.append((part.report, 0 if status == NOTHING_COLLECTED else status))
                    return
            time.sleep(0.05)

    def _stop(self) -> None:
        """After an interrupt: as at a terminal, each test ends what it has started."""
        if self.running:
            interrupts.ignore()
        for part in self.running.values():
            part.process.send_signal(signal.SIGINT)
        for part in self.running.values():
            try:
                part.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                part.process.kill()
                part.process.wait()
            part.print_output()


def cpu_seconds_of_the_ended() -> float:
    """Of all processes that were waited for, with what they themselves have waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def in_order(paths: Sequence[str]) -> list[str]:
    return [*(path for path in BUSY if path in paths), *(path for path in paths if path not in BUSY)]


def whole_suite(build: Path) -> list[str]:
    """Each file, or its directory where files belong together; tests/conftest.py says why not fuzzers."""
    files = [str(path.relative_to(PROJECT)) for path in sorted(PROJECT.glob("tests/*/test_*.py"))]
    paths = [next((top for top in TOGETHER if file.startswith(f"{top}/")), file) for file in files]
    return [path for path in dict.fromkeys(paths) if build.name == "build" or "/fuzz/" not in path]
