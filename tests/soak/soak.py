# SPDX-License-Identifier: BSD-3-Clause
"""`./dev soak`: a switch among good and bad neighbours for a long time.

    soak.py [--time 30m]           visitors of all kinds come, go, die and attack, while an honest
                                   pair counts every frame
    soak.py --sessions N           that many random hostile sessions, as fast as they go
    soak.py --faults               every n-th failing call through start, operations and stop
    soak.py ... --seed N           the same choices again

Status 0: nothing was found. Ctrl-C ends it early, with the same checks and the same summary.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

from fault_walk import Walk
from hostile_run import HostileRun
from soak_run import SoakRun
from support import Registry, interrupts
from support.process import PROJECT
from vitals import SANITIZER_ENV

UNITS = {"s": 1, "m": 60, "h": 3600}


def duration(text: str) -> float:
    """Seconds: 90, 90s, 30m, 2h."""
    found = re.fullmatch(r"(\d+)([smh]?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text} is not a time; 90, 90s, 30m and 2h are")
    return float(int(found[1]) * UNITS[found[2] or "s"])


def say(line: str) -> None:
    print(line, flush=True)


def tell(findings: list[str]) -> int:
    """The last words; the exit status."""
    for finding in findings:
        say(f"FOUND {finding}")
    say(f"soak: {len(findings)} findings" if findings else "soak: nothing was found")
    return 1 if findings else 0


def run_sessions(registry: Registry, seed: int, sessions: int) -> int:
    run = HostileRun(registry, "s")
    try:
        told = run.run(seed, sessions, say=say)
        run.stop()
    except AssertionError as error:
        return tell([f"seed {seed}: {error}"])
    rate = told["sessions"] / max(told["seconds"], 0.1)
    say(f"{told['sessions']} sessions, {told['running_rings']} of them with running rings, "
        f"{told['messages']} messages, {rate:.0f} sessions a second")
    return tell([])


def run_faults(registry: Registry, seed: int, only: str) -> int:
    walk = Walk(registry, say)
    cases = [case for case in walk.cases(seed) if re.search(only, str(case))]
    what, start = "", time.monotonic()
    try:
        for number, case in enumerate(cases):
            if case.what != what:
                what = case.what
                say(f"{number} of {len(cases)} cases, {time.monotonic() - start:.0f} s: {what}")
            walk.run(case)
        walk.finish()
    finally:
        walk.end_world()
    say(f"{walk.done} cases, {walk.failed_in_words} failed in words, the others went well")
    return tell(walk.findings)


def run_soak(registry: Registry, seed: int, seconds: float) -> int:
    return tell(SoakRun(registry, seed, say).run(seconds))


def in_a_directory(work: Callable[[Registry], int]) -> int:
    """Nothing is left: no process, no file."""
    directory = Path(tempfile.mkdtemp(prefix="vsw-soak-"))
    directory.chmod(0o755)
    registry = Registry(directory)
    try:
        return work(registry)
    finally:
        interrupts.ignore()
        registry.end_all()
        shutil.rmtree(directory, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__.splitlines()[0])
    parser.add_argument("--time", type=duration, default=1800.0, metavar="SECONDS",
                        help="how long: 90, 90s, 30m, 2h (30m)")
    parser.add_argument("--sessions", type=int, metavar="N",
                        help="instead: so many random hostile sessions")
    parser.add_argument("--faults", nargs="?", const="", metavar="PATTERN",
                        help="instead: all failing calls, or those whose names match")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of an earlier run")
    options = parser.parse_args()
    os.chdir(PROJECT)
    interrupts.catch()
    os.environ.update(SANITIZER_ENV)
    say(f"seed {options.seed}")
    if options.sessions is not None:
        sessions: int = options.sessions
        return in_a_directory(lambda registry: run_sessions(registry, options.seed, sessions))
    if options.faults is not None:
        pattern: str = options.faults
        return in_a_directory(lambda registry: run_faults(registry, options.seed, pattern))
    return in_a_directory(lambda registry: run_soak(registry, options.seed, options.time))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
