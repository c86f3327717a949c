# SPDX-License-Identifier: BSD-3-Clause
"""A soak: an honest pair that counts, visitors of all kinds, and the switch's vitals."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any, Callable, Optional

from hostile_run import WARM_UP, run_sessions
from support import Process, RawFrontend, Registry, Switch, wait_until
from support.frontend import Setup
from support.memory import MIB, RegionSpec
from support.process import binary
from visitors import Ground, Hostile, Visitor, all_visitors, who_is_missing
from vitals import SANITIZER_ENV, Vitals, wait_back
from vswitch import Client

PAIR = ("x", "y")
PAIR_RATE = 2000  # frames a second, both ways together
PROBED = "p"  # the port where handshakes are timed
PROBE_S = 0.1
HANDSHAKE_EVERY = 10  # probes
MINUTE = 60.0
LEAVE_LIMIT = 90.0
FINDINGS_MOST = 20


class Prober:
    """Asks the switch how it is every 100 ms, and makes a fresh handshake every second."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.slowest_rpc = 0.0
        self.slowest_handshake = 0.0

    def run(self, found: Callable[[str], None]) -> None:
        number = 0
        try:
            with Client(self.ground.switch.control) as client:
                while not self.ground.stop.is_set():
                    start = time.monotonic()
                    client.call("switch.status")
                    self.slowest_rpc = max(self.slowest_rpc, time.monotonic() - start)
                    number += 1
                    if number % HANDSHAKE_EVERY == 0:
                        self._shake_hands()
                    self.ground.rest(PROBE_S)
        except Exception as error:
            found(f"the switch does not answer: {type(error).__name__}: {error}")

    def _shake_hands(self) -> None:
        setup = Setup(ring_size=64, rx_fill=16, regions=(RegionSpec(MIB),))
        start = time.monotonic()
        with RawFrontend(self.ground.switch.path(PROBED), setup, 20.0) as frontend:
            frontend.handshake()
            self.slowest_handshake = max(self.slowest_handshake, time.monotonic() - start)

    def words(self) -> str:
        return (f"slowest RPC {self.slowest_rpc * 1000:.0f} ms, "
                f"handshake {self.slowest_handshake * 1000:.0f} ms")


class SoakRun:
    def __init__(self, registry: Registry, seed: int, say: Callable[[str], None]) -> None:
        self.registry = registry
        self.seed = seed
        self.say = say
        self.findings: list[str] = []
        self.stop = threading.Event()
        self.switch = Switch(
            registry, registry.directory / "s", "--log-level", "error", env=SANITIZER_ENV
        )
        self.ground = Ground(registry, self.switch, self.stop)
        self.prober = Prober(self.ground)
        self.visitors: list[Visitor] = []
        self._pair: Optional[Process] = None
        self._start: Optional[Vitals] = None
        self._threads: list[threading.Thread] = []

    def run(self, seconds: float) -> list[str]:
        """The findings; what has been seen is said once a minute and at the end."""
        for missing in who_is_missing():
            self.say(f"without {missing}")
        self._prepare()
        began = time.monotonic()
        try:
            self._soak(began, began + seconds)
        except KeyboardInterrupt:
            self.say("interrupted: the visitors leave")
        try:
            self._leave()
        except (AssertionError, OSError, KeyboardInterrupt) as error:
            self._found(f"at the end: {type(error).__name__}: {error}")
        self.say(f"summary, {time.monotonic() - began:.0f} s: {self._line()}")
        return self.findings

    def _found(self, what: str) -> None:
        if self.stop.is_set() and self.switch.process.status is None and "at the end" not in what:
            return  # a life that the end of the soak cut short
        self.findings.append(what)
        self.say(f"FOUND {what[:3000]}")
        if len(self.findings) >= FINDINGS_MOST:
            self.stop.set()

    def _prepare(self) -> None:
        self.switch.start()
        self.visitors = [kind(self.ground, self.seed) for kind in all_visitors()]
        for port in (*PAIR, PROBED, *(port for v in self.visitors for port in v.ports)):
            self.switch.add_port(port)
        for port, mac in zip(PAIR, ("02:00:00:00:bb:01", "02:00:00:00:bb:02")):
            self.switch.call("fdb.add", mac=mac, port=port)
        run_sessions(self.registry, self.switch, Hostile.ports, self.seed, WARM_UP)
        argv = [str(binary("tests/soak/soak-pair")), *(str(self.switch.path(p)) for p in PAIR)]
        self._pair = self.registry.start("pair", [*argv, str(PAIR_RATE)])
        for port in PAIR:
            self.switch.wait_state(port, "up")
        wait_until("only the pair is there", lambda: self._sessions() == len(PAIR))
        self._start = Vitals.of(self.switch.pid)
        self.say(f"at the start: {self._start}")

    def _sessions(self) -> int:
        sessions: int = self.switch.call("switch.status")["sessions"]
        return sessions

    def _soak(self, began: float, end: float) -> None:
        sys.setswitchinterval(0.001)
        for run in (*(visitor.run for visitor in self.visitors), self.prober.run):
            thread = threading.Thread(target=run, args=(self._found,), daemon=True)
            thread.start()
            self._threads.append(thread)
        next_line = began + MINUTE
        while (now := time.monotonic()) < end and not self.stop.is_set():
            self.stop.wait(min(1.0, end - now))
            self._check()
            if now >= next_line:
                self.say(f"{(now - began) / MINUTE:.0f} min: {self._line()}")
                next_line += MINUTE

    def _check(self) -> None:
        """The switch lives, and the pair has nothing to complain of."""
        assert self._pair is not None
        if self.switch.process.status is not None:
            self._found(self.switch.process.report("the switch ended"))
            self.stop.set()
        elif self._pair.status is not None:
            self._found(self._pair.report("the pair ended"))
            self.stop.set()
        else:
            told = self._told()
            if told.get("lost") or told.get("doubled") or told.get("changed"):
                self._found(f"the honest pair: {told}; drops: {self._drops()}")
                self.stop.set()

    def _drops(self) -> dict[str, dict[str, int]]:
        return {port: self.switch.drops(port) for port in PAIR}

    def _told(self) -> dict[str, Any]:
        """The last whole line of the pair."""
        assert self._pair is not None
        lines = self._pair.out().rpartition("\n")[0].splitlines()
        told: dict[str, Any] = json.loads(lines[-1]) if lines else {}
        return told

    def _line(self) -> str:
        told = self._told()
        lives = ", ".join(f"{name} {n}" for name, n in sorted(self.ground.lives.items()))
        vitals = "the switch has ended"
        if self.switch.process.status is None:
            vitals = str(Vitals.of(self.switch.pid))
        return (
            f"pair {told.get('received', 0)} frames, {told.get('lost', 0)} lost, "
            f"{told.get('doubled', 0)} doubled, {told.get('changed', 0)} changed, "
            f"p50 {told.get('p50_us', 0)} us, p99 {told.get('p99_us', 0)} us, "
            f"max {told.get('max_us', 0)} us, {told.get('strange', 0)} frames of others; "
            f"{self.prober.words()}; "
            f"lives: {lives}; {self.ground.hostile_sessions} hostile sessions; {vitals}"
        )

    def _leave(self) -> None:
        """All visitors go; the switch holds what it held; the pair stops and counts the last."""
        assert self._pair is not None and self._start is not None
        self.stop.set()
        for thread in self._threads:
            thread.join(LEAVE_LIMIT)
            if thread.is_alive():
                raise AssertionError("a visitor does not leave")
        if self.switch.process.status is not None:
            return
        for port in ("v", "w"):
            self.switch.call("port.delete", {"name": port, "if-exists": True})
        wait_until("only the pair is there", lambda: self._sessions() == len(PAIR), 20.0)
        end = wait_back(self.switch, self._start)
        self.say(f"at the end: {end}")
        for port in PAIR:
            assert self.switch.port(port)["fault"] is None, self.switch.port(port)["fault"]
        if self._pair.end(timeout=LEAVE_LIMIT) != 0:
            raise AssertionError(f"the honest pair: {self._told()}; drops: {self._drops()}")
        self.switch.conserves = False
        self.switch.stop(timeout=LEAVE_LIMIT)
