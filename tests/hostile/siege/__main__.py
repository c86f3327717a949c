# SPDX-License-Identifier: BSD-3-Clause
"""`./dev bench hostile`: the attacks at 80 % of the loss-free rate, and their times judged.

Exit status: 0 every limit held; 1 a limit was missed, or something broke; 2 wrong usage; 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Optional, Sequence

from bench.machine import describe
from siege.attack import Attack
from siege.attacks import ATTACKS
from siege.outcome import Outcome, table
from siege.stage import Stage
from support import interrupts
from support.process import PROJECT, Registry

SECONDS = 10.0


def parser() -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(prog="./dev bench hostile", description=(
        "Hostile neighbours, one after the other, beside an honest pair that carries numbered frames "
        "at 80 % of its loss-free rate, and a prober. Exit status 1 when a limit is missed."))
    words.add_argument("attacks", nargs="*", metavar="ATTACK",
                       help="these only, by name or by kind (messages, rings, time, secrets, control, "
                            "host); --list has them all")
    words.add_argument("--seconds", type=float, default=SECONDS, metavar="N",
                       help=f"of each attack, and of the undisturbed time before it (default {SECONDS:g})")
    words.add_argument("--json", type=Path, metavar="FILE", help="default build/bench/hostile.json")
    words.add_argument("--list", action="store_true", help="names of the attacks, and leave")
    return words


def choose(names: Sequence[str]) -> list[Attack]:
    """ValueError names what is no attack and no kind."""
    kinds = {attack.kind for attack in ATTACKS.values()}
    for name in names:
        if name not in ATTACKS and name not in kinds:
            raise ValueError(f"there is no attack and no kind of attack '{name}'; see --list")
    return [
        attack for attack in ATTACKS.values()
        if not names or attack.name in names or attack.kind in names
    ]


def say(text: str) -> None:
    print(text, flush=True)


class Siege:
    """The attacks in turn, each on a stage that the ones before have left in order."""

    def __init__(self, registry: Registry, seconds: float) -> None:
        self.registry = registry
        self.seconds = seconds
        self.stage: Optional[Stage] = None
        self.outcomes: list[Outcome] = []

    def run(self, attack: Attack) -> None:
        lacking = attack.needs()
        if lacking is not None:
            say(f"{attack.name}: left out: {lacking}")
            return
        if self.stage is None or self.stage.collapsed:
            self.close()
            self.stage = Stage(self.registry)
            say(f"honest frames a second: {self.stage.calibrate():,.0f}")
        outcome = self.stage.run(attack, self.seconds)
        self.outcomes.append(outcome)
        verdict = [*outcome.broken, *outcome.late()]
        say(f"{attack.name}: {'; '.join(verdict) if verdict else 'held'}")

    def close(self) -> None:
        if self.stage is not None:
            for wrong in self.stage.close():
                say(f"at the end: {wrong}")
            self.stage = None


def besiege(attacks: Sequence[Attack], seconds: float) -> tuple[list[Outcome], bool]:
    """What came of the attacks, and whether all of them were run."""
    directory = Path(tempfile.mkdtemp(prefix="vsw-"))
    registry = Registry(directory)
    siege = Siege(registry, seconds)
    try:
        for attack in attacks:
            siege.run(attack)
        siege.close()
    except KeyboardInterrupt:
        say("bench: interrupted; taking everything down")
        return siege.outcomes, False
    finally:
        interrupts.ignore()
        registry.end_all()
        shutil.rmtree(directory, ignore_errors=True)
    return siege.outcomes, True


def write(path: Path, outcomes: Sequence[Outcome], seconds: float) -> None:
    document = {
        "machine": describe(), "seconds": seconds,
        "attacks": [outcome.document() for outcome in outcomes],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")
    say(f"wrote {path}")


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    try:
        attacks = choose(options.attacks)
    except ValueError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    if options.list:
        for attack in attacks:
            say(f"{attack.name:<28} {attack.kind:<9} {attack.does}")
        return 0
    interrupts.catch()
    outcomes, finished = besiege(attacks, options.seconds)
    if outcomes:
        say("\n" + table(outcomes))
        write(options.json or PROJECT / "build" / "bench" / "hostile.json", outcomes,
              options.seconds)
    missed = [outcome for outcome in outcomes if outcome.broken or outcome.late()]
    say(f"{len(outcomes) - len(missed)} of {len(outcomes)} attacks were held")
    if not finished:
        return 130
    return 1 if missed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
