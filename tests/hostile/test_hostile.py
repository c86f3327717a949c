# SPDX-License-Identifier: BSD-3-Clause
"""Each attack for a second: no honest frame is lost, doubled, changed or out of order, nothing leaks."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Iterator, Optional

import pytest
from siege.attack import Attack
from siege.attacks import ATTACKS
from siege.hazards import HAZARDS
from siege.honest import Interval
from siege.outcome import Outcome
from siege.stage import Stage
from support.process import Registry

SECONDS = 1.0
RATE = 20_000  # frames a second: enough to see a loss, little enough for two CPUs
HERE = [attack for attack in ATTACKS.values() if attack.needs() is None]


class Stages:
    """A stage for all attacks; a new one, when an attack has wrecked it."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._stage: Optional[Stage] = None
        self._quiet: Optional[Interval] = None

    def run(self, attack: Attack) -> Outcome:
        if self._stage is None or self._stage.collapsed:
            self._stage = self._new()
        assert self._quiet is not None
        return self._stage.run(attack, SECONDS, self._quiet)

    def _new(self) -> Stage:
        self.close()
        stage = Stage(self._registry, forgives_crowds=True)
        stage.set_rate(RATE)
        self._quiet = stage.undisturbed(1, SECONDS)
        return stage

    def close(self) -> None:
        if self._stage is not None:
            wrongs = self._stage.close()
            self._stage = None
            assert not wrongs, wrongs


@pytest.fixture(scope="module")
def stages() -> Iterator[Stages]:
    directory = Path(tempfile.mkdtemp(prefix="vsw-"))
    registry = Registry(directory)
    made = Stages(registry)
    try:
        yield made
        made.close()
    finally:
        registry.end_all()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("attack", HERE, ids=[attack.name for attack in HERE])
def test_attack(stages: Stages, outcomes: list[Outcome], attack: Attack) -> None:
    outcome = stages.run(attack)
    outcomes.append(outcome)
    assert not outcome.broken, f"{attack.name}: {attack.does}: {outcome.broken}"
    assert outcome.under.seen > 0, f"{attack.name}: no honest frame arrived for {SECONDS:g} s"


def test_each_hazard_is_attacked() -> None:
    """Every known danger of the vhost library is named by an attack, and no other is."""
    named = {hazard for attack in ATTACKS.values() for hazard in attack.hazards}
    assert named == set(HAZARDS)


def test_each_provoked_case_is_attacked() -> None:
    """The thirteen ways in which one frontend once held up the others."""
    assert {case for attack in ATTACKS.values() for case in attack.cases} == set(range(1, 14))
