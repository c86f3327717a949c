# SPDX-License-Identifier: BSD-3-Clause
"""Guards the instructions that a frame costs from take to complete, which no noise can move.

Called by meson, once for each case of `frame_cost.c`:

    frame_cost.py check PROGRAM LIMITS CASE    status 1 when the case costs SLACK more than its limit
    frame_cost.py write PROGRAM LIMITS         measures all cases and writes the limits anew

`ninja -C build frame-cost-limits` does the latter. Each major version of gcc has limits of its own;
one that has none yet skips the check and says so. The flags for which they hold stand in
`meson.build` beside this file; there is no check where others are used.
"""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

SLACK = 0.02
SLACKS = {"alone": 0.03}  # where it is another: a frame that is a burst alone bears all that a turn costs
TIMEOUT = 120.0
MEASURED = "measured_turn"
TOTAL = "total"
SKIPPED = 77  # to meson
HEADER = f"""\
# Instructions a frame, in all and by function (with what the compiler made inline of others): the
# limits of the frame_cost tests, which allow {SLACK:.0%} more in all (alone: 3%). Written by
#     ninja -C build frame-cost-limits
# after a change that is worth what it costs, and after one that saves; commit both together.
"""


@dataclass(frozen=True)
class Cost:
    """Of one case, in instructions a frame."""

    total: float
    functions: dict[str, float]


def fail(words: str) -> int:
    print(f"frame_cost: {words}", file=sys.stderr)
    return 1


def self_costs(profile: str) -> Counter[str]:
    """Instructions by function, without those of the functions that it calls."""
    costs: Counter[str] = Counter()
    function = ""
    is_call = False
    for line in profile.splitlines():
        if line.startswith("fn="):
            # What the compiler split off or specialized is its function's: judge.constprop.0.
            function = line[3:].split(".")[0]
        elif line.startswith("calls="):
            is_call = True
        elif re.fullmatch(r"\d+ \d+", line):
            if not is_call:
                costs[function] += int(line.split()[1])
            is_call = False
    return costs


def measure(program: Path, case: str) -> Cost:
    """Runs one case under callgrind. CalledProcessError when frames did not arrive."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "callgrind.out"
        run = subprocess.run(
            ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}",
             f"--toggle-collect={MEASURED}", "--compress-strings=no", "--compress-pos=no",
             str(program), case],
            check=True, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT)
        costs = self_costs(out.read_text())
    frames = int(run.stdout)
    functions = {name: cost / frames for name, cost in costs.items()}
    return Cost(sum(functions.values()), functions)


def read_limit(limits: Path, case: str) -> Cost:
    """KeyError when the file does not know the case."""
    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[assignment]
    parser.read(limits)
    functions = {name: float(value) for name, value in parser[case].items()}
    return Cost(functions.pop(TOTAL), functions)


def grown(cost: Cost, limit: Cost) -> list[str]:
    """The functions that cost more than before, what grew most first."""
    growth = {name: each - limit.functions.get(name, 0.0) for name, each in cost.functions.items()}
    most = sorted((name for name in growth if growth[name] > 0.05), key=lambda name: -growth[name])
    return [f"  {name}: {limit.functions.get(name, 0.0):.1f} -> {cost.functions[name]:.1f} "
            f"({growth[name]:+.1f})" for name in most]


def check(program: Path, limits: Path, case: str) -> int:
    if not limits.exists():
        fail(f"there is no {limits}: nobody knows what a frame costs with this compiler; write it "
             "with a tree that costs what it should: ninja -C build frame-cost-limits")
        return SKIPPED
    limit = read_limit(limits, case)
    cost = measure(program, case)
    change = cost.total / limit.total - 1
    words = (f"case {case}: {cost.total:.1f} instructions a frame, limit {limit.total:.1f} "
             f"({change:+.1%})")
    slack = SLACKS.get(case, SLACK)
    if change > slack:
        more = "\n".join(grown(cost, limit))
        return fail(f"{words}: more than {slack:.0%} over it. What grew:\n{more}\n"
                    "if it is worth that, write new limits: ninja -C build frame-cost-limits")
    print(words)
    if change < -slack:
        print("the limits can be lowered: ninja -C build frame-cost-limits")
    return 0


def case_names(program: Path) -> list[str]:
    usage = subprocess.run([program], stderr=subprocess.PIPE, text=True, timeout=TIMEOUT).stderr
    return usage.partition("one of ")[2].split()


def section(case: str, cost: Cost) -> str:
    lines = [f"{name} = {each:.1f}" for name, each in sorted(cost.functions.items())
             if each >= 0.05]
    return "\n".join([f"[{case}]", f"{TOTAL} = {cost.total:.1f}", *lines]) + "\n"


def write(program: Path, limits: Path) -> int:
    sections = [section(case, measure(program, case)) for case in case_names(program)]
    limits.write_text("\n".join([HEADER, *sections]))
    print(f"{limits} is written anew; look at it with git diff")
    return 0


def main(arguments: list[str]) -> int:
    verb, program, limits = arguments[0], Path(arguments[1]), Path(arguments[2])
    try:
        if verb == "write":
            return write(program, limits)
        return check(program, limits, arguments[3])
    except FileNotFoundError:
        return fail("there is no valgrind; install Debian's package of that name (./dev setup)")
    except KeyError:
        fail(f"{limits} has no limit for case {arguments[3]}: nobody knows what it costs with this "
             "compiler; write it: ninja -C build frame-cost-limits")
        return SKIPPED
    except subprocess.SubprocessError as error:
        return fail(f"no measurement of {program}: {error}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
