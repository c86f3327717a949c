# SPDX-License-Identifier: BSD-3-Clause
"""Random hostile sessions against a switch, and what must be left of them: nothing.

`soak-hostile` (hostile.c) makes the sessions; a seed repeats them.
"""

from __future__ import annotations

import json
from typing import Any, Callable, Optional, Sequence

from vitals import SANITIZER_ENV, Vitals, wait_back
from vswitch import Process, RawFrontend, Registry, Switch, wait_until
from vswitch.frames import mac_text
from vswitch.process import ProcessFailed, binary
from vswitch.station import Station, introduce

# Ports rest after faults, so that sessions are the faster the more ports there are.
PORTS = tuple(f"h{number}" for number in range(32))
PAIR = ("x", "y")
# What the first sessions of all make the library keep for good belongs to the start.
WARM_UP = 200


def start_hostile(
    registry: Registry, switch: Switch, ports: Sequence[str], seed: int, processes: int = 2,
    **options: Any,
) -> Process:
    """`soak-hostile` on these ports; `options` are its other ones, such as sessions=300."""
    argv = [str(binary("tests/soak/soak-hostile")), "--seed", str(seed)]
    for key, value in {"processes": processes, **options}.items():
        argv += [f"--{key}", str(value)]
    return registry.start("hostile", [*argv, *(str(switch.path(port)) for port in ports)])


class HostileRun:
    """A switch with two bystanders and ports for hostile frontends."""

    def __init__(self, registry: Registry, name: str) -> None:
        self.registry = registry
        self.switch = Switch(
            registry, registry.directory / name, "--log-level", "error", env=SANITIZER_ENV
        )
        self.switch.start()
        self.pair = [self._bystander(port, 0xA0 + at) for at, port in enumerate(PAIR)]
        introduce(self.pair)
        for port in PORTS:
            self.switch.add_port(port)

    def _bystander(self, port: str, mac: int) -> Station:
        self.switch.add_port(port)
        frontend = RawFrontend(self.switch.path(port)).handshake()
        self.switch.wait_state(port, "up")
        return Station(port, mac_text(mac), frontend)

    def sessions(self, seed: int, limit: float, **options: Any) -> dict[str, Any]:
        """Runs them to their end; what `soak-hostile` says of them."""
        process = start_hostile(self.registry, self.switch, PORTS, seed, **options)
        ended = wait_until(
            f"the sessions of seed {seed} are over",
            lambda: process.status is not None or self._switch_ended(seed), limit,
        )
        assert ended
        if process.status != 0 or self._switch_ended(seed):
            raise ProcessFailed(process.report(f"seed {seed}") + self.switch.process.tail())
        told: dict[str, Any] = json.loads(process.out())
        return told

    def _switch_ended(self, seed: int) -> bool:
        status = self.switch.process.status
        if status is not None:
            raise ProcessFailed(self.switch.process.report(f"ended under seed {seed}"))
        return False

    def run(
        self, seed: int, limit: float, say: Optional[Callable[[str], None]] = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Warms up, runs the sessions, and checks that the switch is what it was."""
        self.sessions(seed + 1, limit, sessions=WARM_UP)
        self._all_left()
        start = Vitals.of(self.switch.pid)
        told = self.sessions(seed, limit, **options)
        self._all_left()
        end = wait_back(self.switch, start)
        if say is not None:
            say(f"at the start: {start}")
            say(f"at the end:   {end}")
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
