# SPDX-License-Identifier: BSD-3-Clause
"""Runs the cases: peers up, rounds A B C A B C, those that rest stopped by a signal.

All that is measured goes to a `Result` as it comes, so that an interrupt loses nothing.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.cases import Case, by_topology
from bench.machine import Cpus, stolen_seconds
from bench.measure import BUSY_ENOUGH, CYCLES, Stand
from bench.peer import Peer, Place, Topology
from bench.peers import peer_for
from bench.raw import RawBench, RawFailed
from bench.statistics import Sample, mark_phase_changes
from support.process import ProcessFailed
from support.waiting import WaitTimeout
from vswitch.client import RpcError

START_SECONDS = 5.0  # about what it takes to start the peers of a topology
PROBE_SECONDS = 0.15
SETTLE_SECONDS = 0.1
WAIT_MOST = 0.02  # of a sample's time, that something else had the backend's CPU
FAILURES_MOST = 2  # of one peer in one case, one after another: it is left out of the rest
FAILURES = (
    RawFailed, ProcessFailed, RpcError, WaitTimeout, OSError, ValueError,
    subprocess.SubprocessError,
)


@dataclass
class Result:
    samples: list[Sample] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)  # who took no part where, and why
    interrupted: bool = False

    def of(self, case: str) -> list[Sample]:
        return [sample for sample in self.samples if sample.case == case]


@dataclass(frozen=True)
class Plan:
    cases: Sequence[Case]
    rounds: int
    seconds: float
    peers: Sequence[str]

    def sample_seconds(self, case: Case) -> float:
        return PROBE_SECONDS + SETTLE_SECONDS + 0.1 + case.measurement.duration(self.seconds)

    def estimate(self) -> float:
        """Seconds that the whole will take, about."""
        total = START_SECONDS * len(by_topology(self.cases)) * len(self.peers)
        for case in self.cases:
            peers = [name for name in case.peers if name in self.peers]
            samples = sum(case.rounds(name, self.rounds) for name in peers)
            total += samples * self.sample_seconds(case)
        return total


class Rounds:
    """One run. `say` gets a line of progress at a time."""

    def __init__(
        self, plan: Plan, cpus: Cpus, huge: bool, directory: Path, say: Callable[[str], None]
    ) -> None:
        self.plan = plan
        self.cpus = cpus
        self.huge = huge
        self.directory = directory
        self.say = say
        self.raw = RawBench(cpus)
        self.result = Result()
        self.up: list[Peer] = []
        self.starts = 0

    def run(self) -> Result:
        tsc_hz = self.raw.probe()["tsc_hz"]
        self.stand = Stand(self.raw, self.plan.seconds, tsc_hz, self.directory, self.huge)
        allowed = os.sched_getaffinity(0)
        for topology, cases in by_topology(self.plan.cases):
            # Everything that is started from here on inherits it; only the backend's thread goes
            # elsewhere. Kernel ports have no such thread: the kernel works wherever it is called.
            everywhere = {self.cpus.backend, self.cpus.frontend}
            os.sched_setaffinity(0, everywhere if topology.kernel else {self.cpus.frontend})
            try:
                self._start_all(topology, cases)
                for case in cases:
                    self._measure_case(case)
            finally:
                self.stop_all()
                os.sched_setaffinity(0, allowed)
        return self.result

    def stop_all(self) -> None:
        for peer in self.up:
            peer.stop()
        self.up.clear()

    def _start_all(self, topology: Topology, cases: Sequence[Case]) -> None:
        wanted = {name for case in cases for name in case.peers}
        self.starts += 1
        directory = self.directory / f"{self.starts}"
        directory.mkdir()
        for name in self.plan.peers:
            if name in wanted:
                place = Place(directory, self.cpus, self.huge)
                self._start(peer_for(name, topology)(place), topology, cases)

    def _start(self, peer: Peer, topology: Topology, cases: Sequence[Case]) -> None:
        reason = peer.refuses(topology)
        if reason is None:
            kind = " with interfaces" if topology.kernel else ""
            self.say(f"starting {peer.title}{kind}, {topology.ports} ports, mtu {topology.mtu}")
            self.up.append(peer)
            try:
                peer.start(topology)
                peer.waited()
                peer.pause()
                return
            except FAILURES as error:
                reason = f"it did not start: {error}"
                self.up.remove(peer)
                peer.stop()
        names = ", ".join(case.name for case in cases if peer.name in case.peers)
        self._absent(f"{peer.title} takes no part in {names}: {reason}")

    def _absent(self, text: str) -> None:
        self.result.absent.append(text)
        self.say(text)

    def _measure_case(self, case: Case) -> None:
        if case.needs_hugepages and not self.huge:
            self._absent(f"{case.name} was not measured: there are no hugepages")
            return
        peers = [peer for peer in self.up if peer.name in case.peers]
        failures = {peer.name: 0 for peer in peers}
        samples: list[Sample] = []
        try:
            for number in range(self.plan.rounds):
                for peer in peers:
                    if failures[peer.name] >= FAILURES_MOST:
                        continue
                    if number >= case.rounds(peer.name, self.plan.rounds):
                        continue
                    sample = self._sample(case, peer, number)
                    samples.append(sample)
                    self.result.samples.append(sample)
                    failures[peer.name] = failures[peer.name] + 1 if sample.error else 0
                    self.say(progress(case, sample, self.plan.rounds))
        finally:
            if samples and case.measurement.disturbable:
                mark_phase_changes(samples, self._probe_at_end(samples[-1].probe))

    def _probe_at_end(self, otherwise: float) -> float:
        try:
            return self.raw.probe(PROBE_SECONDS)["round_trip_cycles"]
        except FAILURES:
            return otherwise

    def _sample(self, case: Case, peer: Peer, number: int) -> Sample:
        sample = Sample(case.name, peer.name, number, probe=0.0)
        try:
            if case.measurement.disturbable:
                sample.probe = self.raw.probe(PROBE_SECONDS)["round_trip_cycles"]
            peer.resume()
            try:
                self._take(case, peer, sample)
                # Until the backend has seen that its frontends are gone; the same for everybody.
                time.sleep(SETTLE_SECONDS)
            finally:
                peer.pause()
        except FAILURES as error:
            sample.error = str(error)
            if not peer.alive():
                sample.error += "\n" + peer.registry.report()
        return sample

    def _take(self, case: Case, peer: Peer, sample: Sample) -> None:
        waited, stolen = peer.waited(), stolen_seconds(self.cpus)
        begin = time.monotonic()
        sample.numbers = case.measurement.take(self.stand, peer)
        seconds = time.monotonic() - begin
        waited = peer.waited() - waited
        stolen = stolen_seconds(self.cpus) - stolen
        sample.value = sample.numbers[case.measurement.metric.key]
        sample.limit = case.measurement.limit(sample.numbers)
        if case.measurement.disturbable:
            sample.disturbed = disturbances(seconds, waited, stolen)
        if case.measurement.metric is CYCLES and sample.numbers["backend_busy"] < BUSY_ENOUGH:
            sample.disturbed.append(f"backend {100 * sample.numbers['backend_busy']:.0f} % busy")


def disturbances(seconds: float, waited: float, stolen: float) -> list[str]:
    """What came between, in words: of a sample's `seconds`, those waited for the CPU or stolen."""
    found = []
    if waited > WAIT_MOST * seconds:
        found.append(f"the backend waited {1000 * waited:.0f} ms for its CPU")
    if stolen > 0:
        found.append(f"the hypervisor took {1000 * stolen:.0f} ms")
    return found


def progress(case: Case, sample: Sample, rounds: int) -> str:
    place = f"{case.name:<16} {sample.round + 1}/{rounds} {sample.peer:<8}"
    if sample.value is None:
        return f"{place} failed: {sample.error.splitlines()[0] if sample.error else '?'}"
    metric = case.measurement.metric
    text = f"{place} {sample.value:>14,.{metric.decimals}f} {metric.unit}"
    text += f"  {sample.phase} ({sample.probe:.0f})"
    return text + (f"  disturbed: {'; '.join(sample.disturbed)}" if sample.disturbed else "")
