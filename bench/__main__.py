# SPDX-License-Identifier: BSD-3-Clause
"""`./dev bench`: measures, and shows what came out. In every case nothing is left running.

Exit status: 0 done; 1 it could not measure; 2 wrong usage; 130 interrupted, after the table of what
there was.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import compare, plot, report
from bench.cases import ALL, CASES, Case, choose_cases
from bench.machine import BenchError, Cpus, HugePages, cpus_of_this_machine, describe
from bench.peer import HUGE_MIB
from bench.peers import PEERS, peer_for
from bench.rounds import Plan, Result, Rounds
from support import interrupts
from support.process import PROJECT

ROUNDS, QUICK_ROUNDS = 11, 7
SECONDS, QUICK_SECONDS = 1.0, 0.25
# Each DPDK peer's share, the frontends' rings and buffers, and testpmd as a frontend.
HUGE_TOTAL = HUGE_MIB * (len(ALL) + 1)


def parser() -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(prog="./dev bench", description=(
        "Measures vswitch beside dpdk-testpmd, OVS-DPDK and, between interfaces, the Linux bridge, "
        "interleaved, on the same CPUs."))
    words.add_argument("cases", nargs="*", metavar="CASE",
                       help="these only, or all that begin so: kernel; --list has them all")
    words.add_argument("--quick", action="store_true", help="few cases, short samples; 2 minutes")
    words.add_argument("--rounds", type=rounds_number, metavar="N",
                       help=f"rounds of each case (default {ROUNDS}, with --quick {QUICK_ROUNDS})")
    words.add_argument("--json", type=Path, metavar="FILE", help="default build/bench/bench.json")
    words.add_argument("--svg", type=Path, metavar="FILE", help="default build/bench/bench.svg")
    words.add_argument("--compare", type=Path, metavar="OLD.json", help="and an earlier run beside")
    words.add_argument("--peers", type=peer_names, metavar="NAME,...", default=list(PEERS),
                       help=f"of {', '.join(PEERS)}; the first always takes part")
    words.add_argument("--huge", choices=("auto", "off"), default="auto",
                       help="auto: reserves hugepages for the run where that is allowed")
    words.add_argument("--list", action="store_true", help="names of the cases, and leave")
    return words


def rounds_number(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 1 to 1000")
    return int(text)


def peer_names(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in PEERS:
            raise argparse.ArgumentTypeError(f"there is no peer '{name}', only {', '.join(PEERS)}")
    return [name for name in PEERS if name in names or name == next(iter(PEERS))]


def say(text: str) -> None:
    print(text, flush=True)


def run(plan: Plan, cpus: Cpus, huge: bool) -> Result:
    """Takes every stack down again, also after an interrupt, which is noted in the result."""
    directory = Path(tempfile.mkdtemp(prefix="vsw-bench-"))
    rounds = Rounds(plan, cpus, huge, directory, say)
    try:
        rounds.run()
    except KeyboardInterrupt:
        rounds.result.interrupted = True
        say("bench: interrupted; taking everything down")
    finally:
        if rounds.result.interrupted:
            interrupts.ignore()
        rounds.stop_all()
        shutil.rmtree(directory, ignore_errors=True)
    return rounds.result


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    say(f"wrote {path}")


def show(options: argparse.Namespace, plan: Plan, result: Result, settings: dict[str, Any]) -> None:
    rows = [
        row for case in plan.cases for row in report.rows_of(case, result.of(case.name))
    ]
    if rows:
        say("\n" + report.table(rows, CASES))
    say("\n" + report.notes(result))
    if not rows:
        say("Nothing was measured, and nothing is written.")
        return
    if options.compare:
        say("\n" + compare.compare(options.old, rows))
    output = PROJECT / "build" / "bench"
    document = report.document(result, rows, describe(), settings)
    write(options.json or output / "bench.json", json.dumps(document, indent=1) + "\n")
    subtitle = f"medians and extremes, above the median of the cases; {describe()['cpu']}; {settings['memory']}"
    write(options.svg or output / "bench.svg", plot.svg(rows, subtitle))


def peer_lines(plan: Plan) -> list[str]:
    """Who takes part, and how each is set up."""
    peers = {
        peer_for(name, case.topology): None
        for case in plan.cases for name in case.peers if name in plan.peers
    }
    return [f"{peer.title} {peer.version()}: {peer.settings()}" for peer in peers]


def bench(options: argparse.Namespace, cases: Sequence[Case]) -> int:
    cpus = cpus_of_this_machine()
    seconds = QUICK_SECONDS if options.quick else SECONDS
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    peers = [name for name in options.peers if any(name in case.peers for case in cases)]
    plan = Plan(cases, rounds, seconds, peers)
    if options.compare:
        options.old = compare.load(options.compare)
    with HugePages(HUGE_TOTAL if options.huge == "auto" else 0) as pages:
        memory = "all stacks in hugepages of 2 MiB" if pages.there else (
            f"all stacks in ordinary pages, as {pages.why}")
        say(f"{len(plan.cases)} cases, {plan.rounds} rounds of {', '.join(plan.peers)}, "
            f"{seconds:g} s each; backend on CPU {cpus.backend}, frontend and the rest on CPU "
            f"{cpus.frontend}; {memory}")
        for line in peer_lines(plan):
            say(f"  {line}")
        say(f"This will take about {plan.estimate() / 60:.1f} minutes.")
        begin = time.monotonic()
        result = run(plan, cpus, pages.there)
    settings = {
        "rounds": plan.rounds, "seconds": seconds, "backend_cpu": cpus.backend,
        "frontend_cpu": cpus.frontend, "memory": memory,
        "took_seconds": round(time.monotonic() - begin, 1),
    }
    show(options, plan, result, settings)
    if result.interrupted:
        return 130
    return 0 if any(sample.value is not None for sample in result.samples) else 1


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    try:
        cases = choose_cases(options.cases, options.quick)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    if options.list:
        for case in cases:
            say(f"{case.name:<16} {case.help}{' [quick]' if case.quick else ''}")
        return 0
    interrupts.catch()
    try:
        return bench(options, cases)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
