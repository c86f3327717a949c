# SPDX-License-Identifier: BSD-3-Clause
"""The raw frontend: one process of `raw-bench` for each sample, one line of JSON from each."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.machine import Cpus
from support.process import as_user, binary

LIMIT = 60.0  # beyond the time that it is told to take


class RawFailed(Exception):
    """It gave up, and said why."""


class RawBench:
    def __init__(self, cpus: Cpus) -> None:
        self.cpus = cpus
        self.program = str(binary("tests/bench/raw-bench"))

    def probe(self, seconds: float = 0.15) -> Mapping[str, float]:
        """`round_trip_cycles` of a dirty line between the two CPUs, which must be free."""
        pair = f"{self.cpus.backend},{self.cpus.frontend}"
        return self._call(["probe", "--cpus", pair, "--seconds", f"{seconds:g}"], seconds)

    def run(
        self,
        sockets: Sequence[Path],
        thread: tuple[int, int],
        seconds: float,
        options: Sequence[str] = (),
    ) -> Mapping[str, float]:
        words = ["run", "--seconds", f"{seconds:g}", "--backend", f"{thread[0]}/{thread[1]}"]
        return self._call([*words, *self._pin(), *options, *map(str, sockets)], seconds)

    def wake(self, sockets: Sequence[Path], count: int, pause: float) -> Mapping[str, float]:
        words = ["wake", "--count", str(count), "--pause", f"{pause:g}", *self._pin()]
        return self._call([*words, *map(str, sockets)], count * pause)

    def trips(
        self, protocol: str, namespaces: Sequence[str], address: str, count: int
    ) -> Mapping[str, float]:
        """From the first of two namespaces to an address in the second; pinned to no CPU."""
        return self._call([protocol, "--count", str(count), *namespaces, address], 0)

    def first(self, sockets: Sequence[Path]) -> Mapping[str, float]:
        return self._call(["first", *self._pin(), *map(str, sockets)], 0)

    def _pin(self) -> list[str]:
        return ["--cpu", str(self.cpus.frontend)]

    def _call(self, words: list[str], seconds: float) -> Mapping[str, float]:
        argv = [*as_user(None), self.program, *words]
        try:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=seconds + LIMIT,
            )
        except subprocess.TimeoutExpired:
            limit = f"{seconds + LIMIT:.0f} s"
            raise RawFailed(f"raw-bench {words[0]}: no end within {limit}") from None
        if done.returncode != 0:
            raise RawFailed(done.stderr.strip() or f"raw-bench {words[0]}: {done.returncode}")
        answer: dict[str, float] = json.loads(done.stdout)
        return answer
