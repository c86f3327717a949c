# SPDX-License-Identifier: BSD-3-Clause
"""How one sample of each kind is taken, while the peer runs and all others are stopped.

A measurement returns the numbers it saw by name; `Metric.key` says which of them a case is about.
"""

from __future__ import annotations

import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench import testpmd_virtio_user
from bench.machine import process_seconds
from bench.peer import Peer
from bench.raw import RawBench
from support.frontend import RawFrontend

BUSY_ENOUGH = 0.95
# A frontend that waits for so much of its time has room: the mirror image of BUSY_ENOUGH.
WAITING_ENOUGH = 0.05
# Of a DPDK frontend's polls: an empty one takes it a small part of what a burst takes.
MOSTLY_EMPTY = 0.5

Numbers = dict[str, float]


@dataclass(frozen=True)
class Metric:
    key: str
    unit: str
    less_is_better: bool
    decimals: int = 0


CYCLES = Metric("cycles_per_frame", "cycles/frame", True, 1)
RATE = Metric("fps", "frames/s", False)
WAKE = Metric("p50_us", "µs", True, 1)
IDLE = Metric("cpu_percent", "% CPU", True, 2)
FIRST = Metric("total_ms", "ms", True, 1)


@dataclass(frozen=True)
class Stand:
    """What a measurement has at hand."""

    raw: RawBench
    seconds: float
    tsc_hz: float
    directory: Path
    huge: bool


class Measurement(ABC):
    metric: Metric
    # Whether it matters how near the CPUs are, and who else wanted them.
    disturbable: ClassVar[bool] = True

    @abstractmethod
    def take(self, stand: Stand, peer: Peer) -> Numbers: ...

    def duration(self, seconds: float) -> float:
        """About how long a sample of `seconds` takes in all."""
        return seconds + 0.5

    def limit(self, numbers: Mapping[str, float]) -> str:
        """Which side could not go faster, as far as the numbers tell."""
        return "-"


def limiting_side(busy: float, waiting: float) -> str:
    """A backend that always polls is always busy, so the frontend's waiting has the word there."""
    if waiting >= WAITING_ENOUGH:
        return "backend" if busy >= BUSY_ENOUGH else "neither"
    return "frontend"


@dataclass(frozen=True)
class RawRun(Measurement):
    """As many frames as arrive, by the raw frontend.

    `warm` are seconds of the same traffic that are not counted: where a backend keeps something of
    each flow, what counts is how it goes on, not how it begins.
    """

    options: Sequence[str]
    warm: float = 0.0
    metric: Metric = CYCLES

    def take(self, stand: Stand, peer: Peer) -> Numbers:
        options = [*self.options, "--warm", f"{self.warm:g}"]
        run = stand.raw.run(peer.sockets, peer.thread(), stand.seconds, options)
        if not run["received"]:
            raise ValueError("no frame arrived")
        return dict(run)

    def duration(self, seconds: float) -> float:
        return super().duration(seconds) + self.warm

    def limit(self, numbers: Mapping[str, float]) -> str:
        return limiting_side(numbers["backend_busy"], numbers["waiting"])


def bisect_rate(
    highest: float, trial: Callable[[float], bool], resolution: float = 0.02
) -> float:
    """The highest rate whose trial has no loss (RFC 2544, 26.1), to `resolution` of `highest`.

    0 when none of those tried has none.
    """
    good, bad = 0.0, highest
    if trial(highest):
        return highest
    while bad - good > resolution * highest:
        middle = (good + bad) / 2
        if trial(middle):
            good = middle
        else:
            bad = middle
    return good


@dataclass(frozen=True)
class LossFree(Measurement):
    """The highest rate at which every frame arrives; each trial offers one rate for a while.

    A trial with loss is repeated once: a virtual machine that pauses loses frames at any rate.
    """

    options: Sequence[str]
    metric: Metric = RATE

    def take(self, stand: Stand, peer: Peer) -> Numbers:
        def run(*more: str) -> Mapping[str, float]:
            words = [*self.options, *more]
            return stand.raw.run(peer.sockets, peer.thread(), stand.seconds / 2, words)

        trials = 0

        def lossless(rate: float) -> bool:
            nonlocal trials
            trials += 1
            seen = run("--rate", f"{rate:.0f}")
            offered = seen["sent"] >= 0.999 * rate * seen["seconds"]
            return offered and seen["lost"] == 0

        most = run()["fps"]
        rate = bisect_rate(1.05 * most, lambda rate: lossless(rate) or lossless(rate))
        return {"fps": rate, "closed_loop_fps": most, "trials": trials}

    def duration(self, seconds: float) -> float:
        return 10 * (seconds / 2 + 0.15)


@dataclass(frozen=True)
class Wake(Measurement):
    """From a frame's kick to its arrival, after a silence in which a backend may fall asleep."""

    pause: float = 0.02
    metric: Metric = WAKE

    def take(self, stand: Stand, peer: Peer) -> Numbers:
        count = max(20, int(stand.seconds / self.pause))
        numbers = dict(stand.raw.wake(peer.sockets, count, self.pause))
        if numbers["lost"]:
            raise ValueError(f"{numbers['lost']:.0f} of {count} frames did not arrive")
        return numbers


@dataclass(frozen=True)
class Idle(Measurement):
    """CPU time of all of a peer's processes while two frontends are attached and silent."""

    settle: float = 0.5
    metric: Metric = IDLE
    disturbable: ClassVar[bool] = False

    def take(self, stand: Stand, peer: Peer) -> Numbers:
        with ExitStack() as frontends:
            for path in peer.sockets[:2]:
                frontends.enter_context(RawFrontend(path)).handshake()
            time.sleep(self.settle)
            before, begin = self._cpu(peer), time.monotonic()
            time.sleep(self.window(stand.seconds))
            used, seconds = self._cpu(peer) - before, time.monotonic() - begin
        return {"cpu_percent": 100 * used / seconds, "seconds": seconds}

    @staticmethod
    def _cpu(peer: Peer) -> float:
        return sum(process_seconds(process.pid) for process in peer.processes)

    def duration(self, seconds: float) -> float:
        return self.settle + self.window(seconds)

    @staticmethod
    def window(seconds: float) -> float:
        """Long enough for a hundredth of a CPU to be more than a few wake-ups."""
        return max(1.0, 2 * seconds)


@dataclass(frozen=True)
class FirstFrame(Measurement):
    """From the request for two ports to the first frame between them."""

    metric: Metric = FIRST

    def take(self, stand: Stand, peer: Peer) -> Numbers:
        begin = time.monotonic()
        sockets = peer.add_ports()
        added = time.monotonic() - begin
        try:
            first = stand.raw.first(sockets)
        finally:
            peer.delete_ports()
        return {
            "total_ms": 1000 * (added + first["first_frame_seconds"]),
            "add_ports_ms": 1000 * added,
            "attach_ms": 1000 * first["attach_seconds"],
        }


@dataclass(frozen=True)
class TestpmdLoad(Measurement):
    """Full load in both directions by DPDK's own frontend."""

    __test__ = False  # its name looks like a test to pytest
    size: int
    metric: Metric = RATE

    def take(self, stand: Stand, peer: Peer) -> Numbers:
        with tempfile.TemporaryDirectory(dir=stand.directory) as directory:
            numbers = testpmd_virtio_user.measure(
                Path(directory), peer.sockets, peer.thread(), self.size, stand.seconds,
                stand.tsc_hz, stand.huge,
            )
        if not numbers["received"]:
            raise ValueError("no frame came round")
        if round(numbers["bytes_per_frame"]) != self.size:
            raise ValueError(f"frames of {numbers['bytes_per_frame']:.0f} B came round")
        return numbers

    def duration(self, seconds: float) -> float:
        return seconds + 3.0

    def limit(self, numbers: Mapping[str, float]) -> str:
        """A frontend most of whose polls find nothing waits for the backend."""
        waiting = 1.0 if numbers["empty_polls"] >= MOSTLY_EMPTY else 0.0
        return limiting_side(numbers["backend_busy"], waiting)
