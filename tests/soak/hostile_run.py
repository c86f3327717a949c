# SPDX-License-Identifier: BSD-3-Clause
"""Random hostile sessions against a switch, and what must be left of them: nothing.

`soak-hostile` (hostile.c) makes the sessions; a seed repeats them. They come in rounds, because a
port whose sessions end in fault again and again takes rests of up to five seconds: for each round the
ports are made anew.
"""

from __future__ import annotations

import json
import math
import time
from typing import Any, Callable, Sequence

from support import Process, RawFrontend, Registry, Switch, wait_until
from support.frames import mac_text
from support.process import ProcessFailed, binary
from support.station import Station, introduce
from vitals import SANITIZER_ENV, Vitals, wait_back

PORTS = tuple(f"h{number}" for number in range(32))
PAIR = ("x", "y")
PROCESSES = 4
# What the first sessions of all make the library keep for good belongs to the start.
WARM_UP = 200
SESSIONS_A_PORT = 3  # and round
ROUND_LIMIT = 300.0
MINUTE = 60.0


def start_hostile(
    registry: Registry, switch: Switch, ports: Sequence[str], seed: int, processes: int = 2,
    **options: Any,
) -> Process:
    """`soak-hostile` on these ports; `options` are its other ones, such as sessions=300."""
    argv = [str(binary("tests/soak/soak-hostile")), "--seed", str(seed)]
    for key, value in {"processes": processes, **options}.items():
        argv += [f"--{key}", str(value)]
    return registry.start("hostile", [*argv, *(str(switch.path(port)) for port in ports)])


def forget(registry: Registry, process: Process) -> None:
    """Its files go too, because there are many of its kind."""
    process.kill()
    registry.processes.remove(process)
    process.out_path.unlink()
    process.log_path.unlink()


def run_sessions(
    registry: Registry, switch: Switch, ports: Sequence[str], seed: int, count: int,
    seconds: float = math.inf, say: Callable[[dict[str, Any]], None] = lambda told: None,
) -> dict[str, Any]:
    """`count` sessions, or as many as there is time for, on ports that are added for each round.

    Returns what `soak-hostile` says of all; `say` gets that after each round.
    """
    told: dict[str, Any] = {"sessions": 0, "running_rings": 0, "messages": 0, "seconds": 0.0}
    began = time.monotonic()
    for first in range(0, count, SESSIONS_A_PORT * len(ports)):
        left = seconds - (time.monotonic() - began)
        if left <= 0:
            break
        for port in ports:
            switch.call("port.delete", {"name": port, "if-exists": True})
            switch.add_port(port)
        of_round = _run_round(registry, switch, start_hostile(
            registry, switch, ports, seed, min(PROCESSES, len(ports)), first=first,
            sessions=min(count - first, SESSIONS_A_PORT * len(ports)),
            **({} if math.isinf(left) else {"seconds": round(left, 1)}),
        ), f"seed {seed}, sessions from {first} on")
        for key in ("sessions", "running_rings", "messages"):
            told[key] += of_round[key]
        told["seconds"] = time.monotonic() - began
        say(told)
    return told


def _run_round(
    registry: Registry, switch: Switch, process: Process, name: str
) -> dict[str, Any]:
    wait_until(
        f"they are over: {name}",
        lambda: process.status is not None or switch.process.status is not None, ROUND_LIMIT,
    )
    if switch.process.status is not None:
        raise ProcessFailed(switch.process.report(f"ended under {name}"))
    if process.status != 0:
        raise ProcessFailed(process.report(name) + switch.process.tail())
    told: dict[str, Any] = json.loads(process.out())
    forget(registry, process)
    return told


class HostileRun:
    """A switch with two bystanders, and ports for hostile frontends."""

    def __init__(self, registry: Registry, name: str) -> None:
        self.registry = registry
        self.switch = Switch(
            registry, registry.directory / name, "--log-level", "error", env=SANITIZER_ENV
        )
        self.switch.start()
        self.pair = [self._bystander(port, 0xA0 + at) for at, port in enumerate(PAIR)]
        introduce(self.pair)

    def _bystander(self, port: str, mac: int) -> Station:
        self.switch.add_port(port)
        frontend = RawFrontend(self.switch.path(port)).handshake()
        self.switch.wait_state(port, "up")
        return Station(port, mac_text(mac), frontend)

    def run(
        self, seed: int, sessions: int, seconds: float = math.inf,
        say: Callable[[str], None] = lambda line: None,
    ) -> dict[str, Any]:
        """Warms up, runs the sessions, and checks that the switch is what it was."""
        run_sessions(self.registry, self.switch, PORTS, seed + 1, WARM_UP)
        self._all_left()
        start = Vitals.of(self.switch.pid)
        say(f"at the start: {start}")
        progress = Progress(self.switch, say)
        told = run_sessions(
            self.registry, self.switch, PORTS, seed, sessions, seconds, progress.show
        )
        self._all_left()
        say(f"at the end:   {wait_back(self.switch, start)}")
        self.heal()
        return told

    def _all_left(self) -> None:
        """All sessions have ended, in the library too, but those of the bystanders."""
        wait_until(
            "all hostile sessions are over",
            lambda: bool(self.switch.call("switch.status")["sessions"] == len(PAIR)),
        )

    def heal(self) -> None:
        """Each port serves an honest frontend, and the bystanders have missed nothing."""
        for number, port in enumerate(PORTS):
            with RawFrontend(self.switch.path(port)) as frontend:
                frontend.handshake()
                self.switch.wait_state(port, "up")
                station = Station(port, mac_text(0xB0 + number), frontend)
                self.talk(station, self.pair[0])
        self.talk(*self.pair)

    @staticmethod
    def talk(a: Station, b: Station) -> None:
        """A frame each way; what others flooded before, and filled the rings with, is taken out."""
        for sender, receiver in ((a, b), (b, a)):
            while receiver.frontend.poll() is not None:
                pass
            data = sender.send(receiver)
            while receiver.frontend.receive().frame != data:
                pass

    def stop(self) -> None:
        """It leaves cleanly: with status 0, and without a leak where that is looked for."""
        for station in self.pair:
            station.frontend.close()
        self.switch.stop()


class Progress:
    """A line a minute."""

    def __init__(self, switch: Switch, say: Callable[[str], None]) -> None:
        self._switch = switch
        self._say = say
        self._next = MINUTE

    def show(self, told: dict[str, Any]) -> None:
        if told["seconds"] < self._next:
            return
        self._next = told["seconds"] + MINUTE
        self._say(f"{told['seconds'] / MINUTE:.0f} min: {told['sessions']} sessions; "
                  f"{Vitals.of(self._switch.pid)}")
