# SPDX-License-Identifier: BSD-3-Clause
"""Runs the C unit tests and pytest, and counts both.

Called by `./dev test` as `run_tests.py BUILD_DIRECTORY [--coverage | --tsan] [SELECTION...]`. A
selection goes to pytest and leaves the unit tests out; without one, test files run side by side
(`lanes.py`). With --tsan only those tests run that are about threads. With --coverage there is a
table of the lines that were run, and the whole suite fails when a guarded layer lacks some
(`coverage_report.py`). Near the end the slowest files and programs are named; the last line of the output
is `N passed, N failed`.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import coverage_report
from lanes import Lanes, whole_suite
from support import interrupts

PROJECT = Path(__file__).resolve().parent.parent

# What has threads: FDB, reapers, callers, watchdog, log; life cycle, gate, configuration, control, traffic
# between vhost-user ports, queues on several workers. The rest is one thread's work, or DPDK's and the kernel's.
TSAN_UNIT_TESTS = [
    "test_caller", "test_fd_reaper", "test_deliver", "test_fdb", "test_fdb_full", "test_fdb_table",
    "test_fdb_threads", "test_forward", "test_log", "test_vhost_io", "test_watchdog",
]
TSAN_TESTS = [
    f"tests/integration/test_{name}.py"
    for name in ("config", "gate", "l2", "lifecycle", "methods", "port_life", "rpc",
                 "rpc_clients", "traffic", "workers")
]
TSAN_RANDOM_BITS = 28

# The unit tests' limits of time hold for a machine of one's own and no sanitizer; others get so many of them.
PATIENCE = 5

SLOWEST = 10  # so many files and programs are named


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    names: list[str] = field(default_factory=list)  # of what failed
    seconds: dict[str, float] = field(default_factory=dict)  # by file or program

    def add(self, other: Count) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.names += other.names
        self.seconds.update(other.seconds)


def count_junit(report: Path) -> Count:
    """One test case an element; whatever is not a plain pass (skipped too) is a failure."""
    count = Count()
    if not report.exists():
        return count
    tree = ElementTree.parse(report)
    count.seconds = seconds_of(tree)
    for case in tree.iter("testcase"):
        if any(case.find(outcome) is not None for outcome in ("failure", "error", "skipped")):
            count.failed += 1
            count.names.append(f"{case.get('classname')}::{case.get('name')}")
        else:
            count.passed += 1
    return count


def seconds_of(tree: ElementTree.ElementTree) -> dict[str, float]:
    """What took how long. Meson times a program of many cases as a whole, pytest each case of a file."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for suite in tree.iter("testsuite"):
        for case in suite.findall("testcase"):
            name, place = case.get("name", ""), case.get("classname", "")
            file = Path("tests", *place.split(".")).with_suffix(".py")
            if (PROJECT / file).exists():
                seconds[str(file)] += float(case.get("time", 0))
            elif "time" in case.attrib:
                seconds[name] += float(case.get("time", 0))
            else:
                seconds[place.rpartition(".")[2]] = float(suite.get("time", 0))
    return seconds


def print_slowest(seconds: dict[str, float]) -> None:
    print(f"the slowest of {len(seconds)} files and programs:")
    for name in sorted(seconds, key=lambda name: -seconds[name])[:SLOWEST]:
        print(f"{seconds[name]:6.1f} s  {name}")


def run_and_count(command: list[str], report: Path, env: dict[str, str]) -> Count:
    report.unlink(missing_ok=True)
    return count_of(report, subprocess.run(command, cwd=PROJECT, env=env).returncode)


def count_of(report: Path, status: int) -> Count:
    """A runner that failed without saying which test did (a crash, say) counts as one failure."""
    count = count_junit(report)
    if status != 0 and count.failed == 0:
        count.failed = 1
        count.names.append(f"a runner: status {status}, report {report}")
    return count


def sanitizer_options(env: dict[str, str]) -> None:
    """Read by programs built with --asan; ignored by all others. A finding ends the program."""
    rules = PROJECT / "dev.d" / "lsan.supp"
    env["ASAN_OPTIONS"] = "detect_leaks=1:exitcode=99:allocator_may_return_null=1"
    env["LSAN_OPTIONS"] = f"suppressions={rules}:print_suppressions=0"
    races = PROJECT / "dev.d" / "tsan.supp"
    env["TSAN_OPTIONS"] = f"suppressions={races}:halt_on_error=1:exitcode=99:history_size=4"
    env["UBSAN_OPTIONS"] = "halt_on_error=1:print_stacktrace=1:exitcode=99"


def launcher_for_threads() -> list[str]:
    """gcc 12's ThreadSanitizer bears 28 bits of randomized addresses; kernels may have 32."""
    bits = Path("/proc/sys/vm/mmap_rnd_bits")
    if bits.exists() and int(bits.read_text()) <= TSAN_RANDOM_BITS:
        return []
    return ["/usr/bin/setarch", platform.machine(), "-R"]


def names_a_path(word: str) -> bool:
    return (PROJECT / word.partition("::")[0]).exists()


def main(build: Path, words: list[str]) -> int:
    measures = words[:1] == ["--coverage"]
    threads = words[:1] == ["--tsan"]
    selection = words[1:] if measures or threads else words
    launcher = launcher_for_threads() if threads else []
    env = dict(os.environ, VSWITCH_BUILD=str(build))
    if measures:
        coverage_report.prepare(build)
    sanitizer_options(env)
    total = Count()
    if not selection:
        unit = ["/usr/bin/meson", "test", "-C", str(build), "--no-rebuild", "--print-errorlogs",
                "--timeout-multiplier", str(PATIENCE)]
        unit += TSAN_UNIT_TESTS if threads else []
        total.add(run_and_count(launcher + unit, build / "meson-logs" / "testlog.junit.xml", env))
    pytest = [*launcher, "/usr/bin/python3", "-m", "pytest", "-c", "tests/pytest.ini"]
    if selection:
        report = build / "pytest.xml"
        everything = TSAN_TESTS if threads else ["tests"]
        paths = [] if any(names_a_path(word) for word in selection) else everything
        pytest += [f"--junitxml={report}", *selection, *paths]
        total.add(run_and_count(pytest, report, env))
    else:
        files = TSAN_TESTS if threads else whole_suite(build)
        for report, status in Lanes(pytest, env, build / "pytest").run(files):
            total.add(count_of(report, status))
    print_slowest(total.seconds)
    for name in total.names:
        print(f"failed: {name}")
    covered = not measures or coverage_report.report(build, judges=not selection)
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return 0 if total.passed > 0 and total.failed == 0 and covered else 1


if __name__ == "__main__":
    interrupts.catch()
    try:
        sys.exit(main((PROJECT / sys.argv[1]).resolve(), sys.argv[2:]))
    except KeyboardInterrupt:
        sys.exit(130)
