# SPDX-License-Identifier: BSD-3-Clause
"""Walks the n-th failing call through start, operations and stop of a switch.

A case is (what, kind, n). All of them are found by counting: each operation runs once without a
fault. A sample of them is what `./dev test` runs; `./dev soak --faults` runs all.
"""

from __future__ import annotations

import random
import re
import signal
from dataclasses import dataclass, field
from typing import Callable, Iterator, NamedTuple, Optional

from fault_world import LINES_MOST, OPERATIONS, Broken, Operation, World, outcome, shape
from faults import KINDS, FaultySwitch
from support import Registry, WaitTimeout
from support.process import ProcessFailed

PER_KIND_MOST = 400  # of one operation and kind; what lies beyond is sampled
BEYOND = 20
START_LIMIT = 40.0
REFUSED = (1, 2)  # exit status of a switch that cannot start, or not with these options
START, STOP = "start", "stop"


class Case(NamedTuple):
    what: str  # start, stop, or the name of an operation
    kind: str
    n: int

    def __str__(self) -> str:
        return f"{self.what}, {self.kind} {self.n}"


@dataclass
class Walk:
    """What was walked through, and what was found."""

    registry: Registry
    say: Callable[[str], None] = lambda line: None
    done: int = 0
    failed_in_words: int = 0
    findings: list[str] = field(default_factory=list)
    shapes: dict[str, object] = field(default_factory=dict)  # of answers, by operation
    _world: Optional[World] = None
    _worlds: int = 0

    # Counting.

    def cases(self, seed: int) -> list[Case]:
        """All cases, those of one operation together."""
        chance = random.Random(seed)
        counts = {START: self._count_start()}
        for operation in OPERATIONS:
            counts[operation.name] = self._count(operation)
        counts[STOP] = self._count_stop()
        return [
            Case(what, kind, n)
            for what, calls in counts.items()
            for kind in KINDS
            for n in chosen(calls[kind], chance)
        ]

    def _count_start(self) -> dict[str, int]:
        return self.world().at_start

    def _count(self, operation: Operation) -> dict[str, int]:
        world = self.world()
        operation.prepare(world)
        world.faults.count()
        self.shapes[operation.name] = shape(operation.run(world))
        calls = world.faults.calls()
        world.restore()
        return calls

    def _count_stop(self) -> dict[str, int]:
        world = self.world()
        world.faults.count()
        world.switch.stop()
        calls = world.faults.calls()
        self.end_world()
        return calls

    # Running.

    def world(self) -> World:
        if self._world is None:
            self._world = World(self.registry, f"w{self._worlds}")
            self._worlds += 1
        return self._world

    def end_world(self) -> None:
        if self._world is not None:
            self._world.end()
            self._world = None

    def run(self, case: Case) -> None:
        """One case; what is wrong becomes a finding, and the next case gets a new switch."""
        self.done += 1
        try:
            if case.what == START:
                self._start(case)
            elif case.what == STOP:
                self._stop(case)
            else:
                self._operate(case)
        except (Broken, AssertionError, OSError) as error:
            self._find(case, error)

    def _find(self, case: Case, error: BaseException) -> None:
        words = f"{case}: {error}"
        if self._world is not None and self._world.switch.process.status is not None:
            words += "\n" + self._world.switch.process.tail()
        self.findings.append(words)
        self.say(f"FOUND {words}")
        self.end_world()

    def _operate(self, case: Case) -> None:
        world = self.world()
        [operation] = [operation for operation in OPERATIONS if operation.name == case.what]
        operation.prepare(world)
        world.words()
        world.faults.arm(case.kind, case.n)
        words = outcome(operation, world, self.shapes[operation.name])
        self.failed_in_words += words is not None
        world.restore()
        world.talk()
        if world.lines_said >= LINES_MOST:
            self.finish()

    def _start(self, case: Case) -> None:
        """It starts and works, or says why it cannot and leaves nothing."""
        name = self.registry.unique("start")
        switch = FaultySwitch(self.registry, self.registry.directory / name)
        switch.faults.arm(case.kind, case.n)
        try:
            switch.start(START_LIMIT)
        except ProcessFailed:
            self._check_refusal(switch)
        else:
            switch.call("switch.status")
            switch.stop()
        finally:
            switch.kill()
            switch.faults.close()

    def _check_refusal(self, switch: FaultySwitch) -> None:
        process = switch.process
        if process.status not in REFUSED:
            raise Broken(f"the start ends with status {process.status}: {process.tail()}")
        if not re.search("^(error: )?vswitchd.*: ", process.log(), re.MULTILINE):
            raise Broken(f"the start fails without words: {process.tail()}")
        left = list(switch.directory.iterdir()) if switch.directory.exists() else []
        if left:
            raise Broken(f"the start that failed leaves {[path.name for path in left]}")
        self.failed_in_words += 1

    def _stop(self, case: Case) -> None:
        world = self.world()
        world.faults.arm(case.kind, case.n)
        try:
            world.switch.stop(signal.SIGTERM)
        finally:
            self.end_world()

    def finish(self) -> None:
        """The switch leaves cleanly: no leak, no descriptor, status 0."""
        world = self._world
        if world is None:
            return
        try:
            world.switch.stop()
        except (ProcessFailed, WaitTimeout) as error:
            self.findings.append(f"stop after {self.done} cases: {error}")
        finally:
            self.end_world()


def chosen(calls: int, chance: random.Random) -> Iterator[int]:
    """Each of the first calls, and some of those beyond."""
    yield from range(1, min(calls, PER_KIND_MOST) + 1)
    beyond = range(PER_KIND_MOST + 1, calls + 1)
    yield from sorted(chance.sample(beyond, min(len(beyond), BEYOND)))


def sample(walk: Walk, seed: int, starts: int, operations: int) -> None:
    """So many cases of starts and stops, and of operations: the same ones for the same seed.

    A case's place among the others comes from its name alone, because the numbers of calls differ a
    little from run to run.
    """
    cases = walk.cases(seed)
    cases.sort(key=lambda case: random.Random(f"{seed}: {case}").random())
    slow = [case for case in cases if case.what in (START, STOP)]
    quick = [case for case in cases if case.what not in (START, STOP)]
    for case in slow[:starts] + quick[:operations]:
        walk.run(case)
    walk.finish()
