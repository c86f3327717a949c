# SPDX-License-Identifier: BSD-3-Clause
"""The prober: ten times a second a new session on a port of its own, and a request, each timed.

`Prober` runs `python3 -m siege.prober CONTROL_SOCKET PORT_SOCKET PORT` as a process. Commands on its
standard input: `mark NAME` tells the slowest since the last mark, `rest NAME` and `go NAME` stop
and start it. Sessions and requests have a thread each, so that one that hangs does not hide the other.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Callable, TypeVar

from siege.spoken import Spoken
from support.frontend import RawFrontend, Setup
from support.memory import MIB, RegionSpec
from support.process import Registry
from support.switch import Switch
from vswitch.client import Client

PERIOD = 0.1
SMALL = Setup(ring_size=64, regions=(RegionSpec(MIB),), rx_fill=4)
PORT = "probe"
PROBE_LIMIT = 60.0


@dataclass(frozen=True)
class Probes:
    """The slowest of each, in milliseconds, and what went wrong."""

    rpc: float
    rpcs: int
    handshake: float
    handshakes: int
    failures: list[str]


class Prober:
    """Port `probe` of a switch, and the process that probes it; it rests until `go`."""

    def __init__(self, registry: Registry, switch: Switch) -> None:
        switch.add_port(PORT)
        self._spoken = Spoken(registry, "prober", [
            "/usr/bin/python3", "-m", "siege.prober", str(switch.control), str(switch.path(PORT)),
        ])
        self._spoken.wait_mark("ready")

    def go(self) -> None:
        self._spoken.ask("go")

    def rest(self) -> None:
        """Returns when no session and no request of it is under way."""
        self._spoken.ask("rest", PROBE_LIMIT)

    def cut(self) -> Probes:
        """Since the last cut."""
        told = self._spoken.ask()
        del told["mark"]
        return Probes(**told)


@dataclass
class Probe:
    """One kind of probe, repeated by a thread of its own."""

    what: str
    act: Callable[[], None]
    began: float = 0.0  # of the one under way, 0 when there is none
    slowest: float = 0.0
    count: int = 0
    failures: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    going: threading.Event = field(default_factory=threading.Event)
    resting: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while True:
            if not self.going.is_set():
                self.resting.set()
                self.going.wait()
            self.began = time.monotonic()
            try:
                self.act()
            except Exception as error:  # whatever it is, it is what the others would have met
                self.failures.append(f"{self.what}: {type(error).__name__}: {error}")
            with self.lock:
                took = time.monotonic() - self.began
                self.slowest = max(self.slowest, took)
                self.began = 0.0
                self.count += 1
            time.sleep(max(PERIOD - took, 0.0))

    def cut(self) -> tuple[float, int, list[str]]:
        """Milliseconds of the slowest, one still under way included; how many; failures."""
        with self.lock:
            pending = time.monotonic() - self.began if self.began else 0.0
            slowest = max(self.slowest, pending)
            count, failures = self.count, self.failures
            self.slowest, self.count, self.failures = 0.0, 0, []
        return slowest * 1000, count, failures


T = TypeVar("T")


def patiently(connect: Callable[[], T], *passing: type[OSError]) -> T:
    """As a connect that blocks while the backlog is full, which one with a limit of time does not.

    Errors that are `passing` are waited out as well.
    """
    waited_out: tuple[type[OSError], ...] = (BlockingIOError, *passing)
    deadline = time.monotonic() + PROBE_LIMIT
    while True:
        try:
            return connect()
        except waited_out:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.001)


def shake_hands(path: str) -> None:
    """A whole session; the next one waits until the switch has seen the end of this one."""
    with patiently(lambda: RawFrontend(path, SMALL, PROBE_LIMIT)) as frontend:
        frontend.handshake()
        frontend.get_features()


def ask_status(control: str) -> None:
    with patiently(lambda: Client(control, PROBE_LIMIT)) as client:
        client.call("port.show", name=PORT)


def tell(mark: str, **values: object) -> None:
    print(json.dumps({"mark": mark, **values}), flush=True)


def serve(rpc: Probe, handshake: Probe) -> None:
    """Obeys until the standard input ends."""
    for line in sys.stdin:
        command, _, name = line.strip().partition(" ")
        if command == "mark":
            slowest, count, failures = rpc.cut()
            session, sessions, more = handshake.cut()
            tell(name, rpc=slowest, rpcs=count, handshake=session, handshakes=sessions,
                 failures=failures + more)
            continue
        for probe in (rpc, handshake):
            if command == "go":
                probe.resting.clear()
                probe.going.set()
            else:
                probe.going.clear()
                probe.resting.wait()
        tell(name)


def main(control: str, path: str) -> None:
    rpc = Probe("request", lambda: ask_status(control))
    handshake = Probe("session", lambda: shake_hands(path))
    for probe in (rpc, handshake):
        threading.Thread(target=probe.run, daemon=True).start()
    tell("ready")
    serve(rpc, handshake)


if __name__ == "__main__":
    main(*sys.argv[1:3])
