# SPDX-License-Identifier: BSD-3-Clause
"""Who comes to a switch in a soak: frontends of all kinds, kernel ports, an administrator.

A visitor's life is one visit, from coming to going or dying. Each visitor has a thread, ports of
its own and a random source of its own. A life that goes wrong is a finding, unless the visitor
itself broke a rule.
"""

from __future__ import annotations

import json
import os
import random
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

from hostile_run import forget, start_hostile
from support import (
    Process, ProcessFailed, RawClient, RawFrontend, Registry, Setup, Switch, Testpmd, VuserClient,
)
from support.frames import frame, is_intact, mac_bytes, mac_text
from support.memory import MIB, RegionSpec
from support.messages import Disconnected, Feature, Refused
from support.namespaces import Namespace, new_namespace, run_tool
from vswitch import RpcError

LIMIT = 60.0
TESTPMD = Path("/usr/bin/dpdk-testpmd")


@dataclass
class Ground:
    """What all visitors share."""

    registry: Registry
    switch: Switch
    stop: threading.Event
    hostile_sessions: int = 0
    lives: dict[str, int] = field(default_factory=dict)

    def rest(self, seconds: float) -> None:
        """Lets time pass, but not beyond the end of the soak."""
        self.stop.wait(seconds)

    def forget(self, process: Process) -> None:
        forget(self.registry, process)


class Visitor:
    """One thread's worth of lives; `ports` are there from the start to the end of the soak."""

    name = "visitor"
    ports: Sequence[str] = ()

    def __init__(self, ground: Ground, seed: int) -> None:
        self.ground = ground
        self.switch = ground.switch
        self.chance = random.Random(f"{seed} {self.name}")
        self.lives = 0

    def live(self) -> None:
        raise NotImplementedError

    def run(self, found: Callable[[str], None]) -> None:
        while not self.ground.stop.is_set():
            try:
                self.live()
            except Exception as error:
                found(f"{self.name}, life {self.lives}: {type(error).__name__}: {error}"
                      f"{self._faults()}")
                self.ground.rest(1.0)
            self.lives += 1
            self.ground.lives[self.name] = self.lives

    def call(self, method: str, /, **params: Any) -> Any:
        with RawClient(self.switch.control, LIMIT) as client:
            return client.call(method, params or None)

    def _faults(self) -> str:
        """What the switch says against the ports of this visitor."""
        words = ""
        with suppress(Exception):  # a switch that does not answer is a finding by itself
            for name in self.ports:
                fault = self.call("port.show", name=name)["fault"]
                if fault is not None:
                    words += f"; port {name}, {fault['age_s']:.1f} s ago: {fault['text']}"
        return words


class RawPair(Visitor):
    """Two frontends in Python, which talk, stop, go on, change their memory, err, and leave."""

    name = "raw"
    ports = ("r0", "r1")

    def live(self) -> None:
        with RawFrontend(self.switch.path("r0"), self._setup(), LIMIT) as a, \
                RawFrontend(self.switch.path("r1"), self._setup(), LIMIT) as b:
            for frontend in (a, b):
                frontend.handshake()
            for number in range(self.chance.randrange(1, 20)):
                self._deed(a, b, number)
                if self.ground.stop.is_set():
                    return
            if self.chance.random() < 0.3:
                with suppress(Disconnected, Refused, ConnectionError, BrokenPipeError):
                    a.request(self.chance.randrange(41), os.urandom(self.chance.randrange(64)))

    def _setup(self) -> Setup:
        return Setup(
            ring_size=self.chance.choice((64, 256, 1024)),
            mergeable=self.chance.random() < 0.8,
            legacy=self.chance.random() < 0.1,
            in_order=self.chance.random() < 0.5,
            offloads=self.chance.choice(((), (Feature.CSUM, Feature.GUEST_CSUM))),
            regions=(RegionSpec(4 * MIB),) * self.chance.randrange(1, 4),
        )

    def _deed(self, a: RawFrontend, b: RawFrontend, number: int) -> None:
        deed = self.chance.randrange(6)
        if deed == 0:
            for index, base in enumerate(a.stop_rings()):
                a.start_ring(index, base)
        elif deed == 1:
            # other files at the same places are refused: each table has sizes of its own
            a.replace_memory((RegionSpec((5 + number) * MIB), RegionSpec(MIB)))
        else:
            self._talk(a, b)
        self.ground.rest(self.chance.random() * 0.05)

    def _talk(self, a: RawFrontend, b: RawFrontend) -> None:
        """Frames that others flood may take their place; those that come are as they were sent."""
        mac, other = mac_text(0xC1), mac_text(0xC2)
        for number in range(16):
            a.send(frame(other, mac, self.chance.randrange(60, 1500), number), timeout=LIMIT)
        a.flush(LIMIT)
        while (seen := b.poll()) is not None:
            if seen.frame[:6] == mac_bytes(other) and seen.frame[6:12] == mac_bytes(mac):
                assert is_intact(seen.frame), f"a frame was changed: {seen.frame[:32].hex()}"
        while a.poll() is not None:
            pass


class Clients(Visitor):
    """vuser-client: one answers, one pings; they end by Ctrl-C or by SIGKILL."""

    name = "client"
    ports = ("c0", "c1")

    def live(self) -> None:
        registry = self.ground.registry
        respond = VuserClient(
            registry, self.switch.path("c0"), "respond", "--ip", "10.9.0.1/24"
        )
        ping = VuserClient(
            registry, self.switch.path("c1"), "ping", "10.9.0.1", "--ip", "10.9.0.2/24",
            "--interval", "0.05",
        )
        try:
            for client in (respond, ping):
                client.wait_ready(LIMIT)
            self.ground.rest(self.chance.uniform(0.2, 4))
            for client in (respond, ping):
                if self.chance.random() < 0.5:
                    client.kill()
                else:
                    client.process.end(timeout=LIMIT)
                    client.process.check_sanitizers()
        finally:
            for client in (respond, ping):
                self.ground.forget(client.process)


class Testpmds(Visitor):
    """DPDK's own frontend: it sends some bursts, and quits or is killed."""

    name = "testpmd"
    ports = ("t0",)

    def live(self) -> None:
        testpmd = Testpmd.frontend(
            self.ground.registry, self.switch.path("t0"), "--auto-start", memory=128, mbufs=2048
        )
        try:
            testpmd.stop_forwarding()
            for _ in range(self.chance.randrange(1, 4)):
                testpmd.send_bursts(2, self.chance.randrange(60, 1500))
                self.ground.rest(self.chance.random())
            if self.chance.random() < 0.5:
                testpmd.quit(LIMIT)
        finally:
            self.ground.forget(testpmd.process)


class Kernels(Visitor):
    """Kernel ports between two namespaces; a namespace may end before its port does."""

    name = "kernel"

    def live(self) -> None:
        spaces = [self._space(number) for number in range(2)]
        try:
            for number, space in enumerate(spaces):
                self.call("port.add", name=f"k{number}", type="kernel", backend="tap",
                          ifname=f"soak{number}", netns=space.path,
                          ip=[f"10.8.0.{number + 1}/24"])
            run_tool(spaces[0].command(
                "/usr/bin/ping", "-n", "-c", "5", "-i", "0.05", "-W", "10", "10.8.0.2"))
            self.ground.rest(self.chance.random())
            if self.chance.random() < 0.3:
                self._end(spaces.pop())
        finally:
            for number in range(2):
                self.call("port.delete", **{"name": f"k{number}", "if-exists": True})
            for space in spaces:
                self._end(space)

    def _space(self, number: int) -> Namespace:
        return new_namespace(self.ground.registry, f"soak-net{number}")

    def _end(self, space: Namespace) -> None:
        for process in list(self.ground.registry.processes):
            if process.pid == space.pid:
                self.ground.forget(process)


class Hostile(Visitor):
    """Random hostile sessions (hostile.c) for a while, then peace; or its processes are killed."""

    name = "hostile"
    ports = tuple(f"h{number}" for number in range(16))
    pace = 50  # sessions a second and process: the honest pair shares the CPUs

    def live(self) -> None:
        seed = self.chance.randrange(1 << 32)
        seconds = self.chance.uniform(2, 20)
        if self.chance.random() < 0.7:
            self._add_anew()
        process = start_hostile(
            self.ground.registry, self.switch, self.ports, seed, seconds=round(seconds, 1),
            pace=self.pace,
        )
        try:
            if self.chance.random() < 0.3:
                self.ground.rest(self.chance.uniform(0, seconds))
                return
            while process.status is None and not self.ground.stop.is_set():
                self.ground.rest(0.1)
            if process.status:
                raise ProcessFailed(process.report(f"seed {seed}"))
            if process.status == 0:
                self.ground.hostile_sessions += json.loads(process.out())["sessions"]
        finally:
            self.ground.forget(process)
        self.ground.rest(self.chance.random())

    def _add_anew(self) -> None:
        """Ports that are new take no rests."""
        for name in self.ports:
            self.call("port.delete", name=name)
            self.call("port.add", name=name)


class Administrator(Visitor):
    """Ports come and go, settings change, clients of the control socket err and vanish."""

    name = "administrator"

    def live(self) -> None:
        name = self.chance.choice(("v", "w"))
        for deed in self.chance.sample(list(self._deeds(name)), 4):
            try:
                deed()
            except RpcError as error:
                if not error.message:
                    raise
            self.ground.rest(self.chance.random() * 0.2)

    def _deeds(self, name: str) -> Iterator[Callable[[], object]]:
        yield lambda: self.call("port.add", name=name, mtu=self.chance.randrange(68, 9000))
        yield lambda: self.call("port.delete", name=name)
        yield lambda: self.call("port.set", name=name, **{"mac-limit": self.chance.randrange(9)})
        yield lambda: self.call("fdb.flush", port="r0")
        yield lambda: self.call("fdb.add", mac=mac_text(0xD0), port="r0")
        yield lambda: self.call("fdb.delete", mac=mac_text(0xD0))
        yield lambda: self.call("fdb.list")
        yield lambda: self.call("rpc.discover")
        yield lambda: self.call("stats.get")
        yield lambda: self.call("config.save", file=str(self.ground.registry.directory / "saved"))
        yield self._vanish
        yield self._babble

    def _vanish(self) -> None:
        with RawClient(self.switch.control, LIMIT) as client:
            client.subscribe()
            client.send_request("port.list")

    def _babble(self) -> None:
        with RawClient(self.switch.control, LIMIT) as client:
            with suppress(ConnectionError, BrokenPipeError):
                client.send_bytes(os.urandom(self.chance.randrange(1, 5000)) + b"\n")


def all_visitors() -> list[type[Visitor]]:
    """Those that can come here; the others are named by `who_is_missing`."""
    kinds: list[type[Visitor]] = [RawPair, Clients, Hostile, Administrator]
    if TESTPMD.exists():
        kinds.append(Testpmds)
    if os.geteuid() == 0:
        kinds.append(Kernels)
    return kinds


def who_is_missing() -> list[str]:
    missing = []
    if not TESTPMD.exists():
        missing.append(f"testpmd ({TESTPMD} is not installed)")
    if os.geteuid() != 0:
        missing.append("kernel ports (not root)")
    return missing
