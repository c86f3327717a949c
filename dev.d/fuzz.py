# SPDX-License-Identifier: BSD-3-Clause
"""Runs the fuzzers of tests/fuzz, as many at a time as there are CPUs, and says what came of it.

Called by `./dev fuzz` as `fuzz.py BUILD_DIRECTORY [NAME...] [--time SECONDS] [--minimize]`. A fuzzer
begins with the committed corpus and with what earlier runs in this build directory have found
(BUILD_DIRECTORY/corpus). A finding's input stays in BUILD_DIRECTORY/findings. The exit status is 1
when there is one.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from support import Process, ProcessFailed, Registry, interrupts

PROJECT = Path(__file__).resolve().parent.parent
SOURCES = PROJECT / "tests" / "fuzz"
CORPUS = SOURCES / "corpus"

DICTIONARIES = {"config": "json.dict", "rpc": "json.dict"}

CORPUS_BYTES_MAX = 2 << 20  # all that is committed
INPUT_BYTES_MAX = 4096
INPUT_SECONDS_MAX = 20  # of one input; none takes longer than some milliseconds
MEMORY_MIB_MAX = 1024  # of one fuzzer
MERGE_SECONDS = 3600.0
GRACE_SECONDS = 120.0  # over its time, until a fuzzer is ended

SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1",
              "UBSAN_OPTIONS": "print_stacktrace=1"}
# How libFuzzer and the sanitizers begin the line that says what is wrong.
FINDING = re.compile(r"does not hold|runtime error:|ERROR: |SUMMARY: ")
# Names that libFuzzer gives: what it may replace. Cases that people keep have names in words.
HASH = re.compile(r"[0-9a-f]{40}")

HEADINGS = ("target", "executions", "a second", "edges", "features", "corpus", "new", "findings")


@dataclass
class Run:
    """One fuzzer at work, or what it has said when it has ended."""

    name: str
    process: Process
    known: int  # entries of the corpus when it began
    ends: float  # time.monotonic(): by then it should have ended
    late: bool = False

    def statistic(self, name: str) -> int:
        found = re.search(rf"^stat::{name}:\s+(\d+)", self.process.log(), re.MULTILINE)
        return int(found[1]) if found else 0

    def coverage(self) -> tuple[int, int]:
        """Edges of the control flow, and features: edges by how often, roughly, they were run."""
        found = re.findall(r"\bcov: (\d+) ft: (\d+)", self.process.log())
        return (int(found[-1][0]), int(found[-1][1])) if found else (0, 0)

    def reproducers(self) -> list[str]:
        return re.findall(r"Test unit written to (\S+)", self.process.log())

    def failed(self) -> bool:
        return self.late or self.process.status != 0


@dataclass
class Fuzzing:
    """What all fuzzers of this run share."""

    build: Path
    seconds: int
    registry: Registry
    running: list[Run] = field(default_factory=list)
    ended: list[Run] = field(default_factory=list)

    def program(self, name: str) -> Path:
        return self.build / "tests" / "fuzz" / f"fuzz_{name}"

    def found(self, name: str) -> Path:
        return directory(self.build / "corpus" / name)

    def start(self, name: str) -> None:
        process = self.begin(
            name, f"-max_total_time={self.seconds}",
            f"-artifact_prefix={directory(self.build / 'findings')}/{name}-",
            str(self.found(name)), str(directory(CORPUS / name)))
        ends = time.monotonic() + self.seconds + GRACE_SECONDS
        self.running.append(Run(name, process, count(self.found(name)), ends))

    def begin(self, name: str, *words: str) -> Process:
        """A fuzzer's program, with a log that holds nothing yet."""
        self.registry.directory.joinpath(f"{name}.log").unlink(missing_ok=True)
        return self.registry.start(
            name, [str(self.program(name)), *options(name), *words], SANITIZERS)

    def wait(self) -> Run:
        """Until one of those that run has ended, or has to be ended."""
        while True:
            for run in self.running:
                run.late = run.process.status is None and time.monotonic() > run.ends
                if run.late:
                    run.process.kill()
                if run.process.status is not None:
                    self.running.remove(run)
                    self.ended.append(run)
                    return run
            time.sleep(0.1)


def directory(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def count(path: Path) -> int:
    return sum(1 for _ in path.iterdir())


def names() -> list[str]:
    return sorted(path.stem.removeprefix("fuzz_") for path in SOURCES.glob("fuzz_*.c"))


def options(name: str) -> list[str]:
    """Bounds of memory and time, so that a fuzzer harms nobody, and what it is told."""
    words = [f"-rss_limit_mb={MEMORY_MIB_MAX}", f"-timeout={INPUT_SECONDS_MAX}",
             f"-max_len={INPUT_BYTES_MAX}", "-print_final_stats=1", "-verbosity=1"]
    if name in DICTIONARIES:
        words.append(f"-dict={SOURCES / DICTIONARIES[name]}")
    return words


def print_row(words: tuple[str, ...]) -> None:
    print(f"{words[0]:<10}" + "".join(f"{word:>12}" for word in words[1:]), flush=True)


def print_run(fuzzing: Fuzzing, run: Run) -> None:
    edges, features = run.coverage()
    entries = count(fuzzing.found(run.name))
    print_row((run.name, f"{run.statistic('number_of_executed_units'):,}",
               f"{run.statistic('average_exec_per_sec'):,}", f"{edges:,}", f"{features:,}",
               f"{entries + count(CORPUS / run.name):,}", f"{entries - run.known:,}",
               str(int(run.failed()))))


def print_finding(fuzzing: Fuzzing, run: Run) -> None:
    """What is wrong, and how to see it again."""
    print(f"\n{run.name}: found a fault; {run.process.log_path} tells more")
    if run.late:
        print("  it did not end in time and was ended")
    for line in run.process.log().splitlines():
        if FINDING.search(line):
            print(f"  {line.strip()}")
    for path in run.reproducers():
        print(f"  input:  {path}\n  repeat: {fuzzing.program(run.name)} {path}")
    if not run.reproducers():
        print(f"  it left no input; its exit status is {run.process.status}")


def fuzz(fuzzing: Fuzzing, wanted: list[str]) -> int:
    waiting = list(wanted)
    print_row(HEADINGS)
    while waiting or fuzzing.running:
        while waiting and len(fuzzing.running) < (os.cpu_count() or 1):
            fuzzing.start(waiting.pop(0))
        print_run(fuzzing, fuzzing.wait())
    findings = [run for run in fuzzing.ended if run.failed()]
    for run in findings:
        print_finding(fuzzing, run)
    return 1 if findings else 0


def minimize(fuzzing: Fuzzing, name: str) -> None:
    """Makes the committed corpus the few inputs that together reach all that is reached."""
    merged = fuzzing.build / "merged" / name
    shutil.rmtree(merged, ignore_errors=True)
    before = count(directory(CORPUS / name))
    process = fuzzing.begin(name, "-merge=1", "-set_cover_merge=1", str(directory(merged)),
                            str(CORPUS / name), str(fuzzing.found(name)))
    if process.wait(MERGE_SECONDS) != 0:
        raise ProcessFailed(process.report("could not merge the corpora"))
    for path in CORPUS.joinpath(name).iterdir():
        if HASH.fullmatch(path.name):
            path.unlink()
    cases = {path.read_bytes() for path in CORPUS.joinpath(name).iterdir()}
    for path in merged.iterdir():
        if path.read_bytes() not in cases:
            shutil.copyfile(path, CORPUS / name / path.name)
    shutil.rmtree(fuzzing.found(name))
    print(f"{name}: {before} inputs before, {count(CORPUS / name)} now", flush=True)


def minimize_all(fuzzing: Fuzzing, wanted: list[str]) -> int:
    for name in wanted:
        minimize(fuzzing, name)
    size = sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file())
    print(f"all corpora: {size:,} bytes of {CORPUS_BYTES_MAX:,}")
    if size <= CORPUS_BYTES_MAX:
        return 0
    print("fuzz: the corpora are too large to be committed; make the largest inputs shorter",
          file=sys.stderr)
    return 1


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev fuzz", description="Runs the fuzzers of tests/fuzz.")
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help=f"only these of {', '.join(names())}; else all")
    parser.add_argument("--time", type=int, default=20, metavar="SECONDS",
                        help="of each fuzzer (default: 20)")
    parser.add_argument("--minimize", action="store_true",
                        help="do not fuzz; take into tests/fuzz/corpus what runs have found")
    arguments = parser.parse_args(words)
    for name in arguments.names:
        if name not in names():
            parser.error(f"there is no fuzzer '{name}'; there are {', '.join(names())}")
    if arguments.time < 1:
        parser.error("--time: 1 second or more is right")
    return arguments


def main(build: Path, words: list[str]) -> int:
    arguments = parse(words)
    wanted = arguments.names or names()
    registry = Registry(directory(build / "logs"))
    fuzzing = Fuzzing(build, arguments.time, registry)
    interrupts.catch()
    try:
        return minimize_all(fuzzing, wanted) if arguments.minimize else fuzz(fuzzing, wanted)
    finally:
        interrupts.ignore()
        registry.end_all()


if __name__ == "__main__":
    try:
        sys.exit(main((PROJECT / sys.argv[1]).resolve(), sys.argv[2:]))
    except KeyboardInterrupt:
        sys.exit(130)
