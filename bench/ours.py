# SPDX-License-Identifier: BSD-3-Clause
"""This project's switch as a peer."""

from __future__ import annotations

import os
from pathlib import Path

from bench.machine import threads
from bench.peer import Peer, Topology, program_version
from support.process import binary
from support.switch import Switch

JUMBO = 9000


class Ours(Peer):
    """One worker on the backend's CPU, polling adaptively, the default: it sleeps when idle.

    Learning, counters and every check of guest input are on; there is no switch to turn them off.
    """

    name = "vswitch"
    title = "vswitch"

    @classmethod
    def version(cls) -> str:
        return program_version([str(binary("vswitch/vswitchd")), "--version"], r"([0-9]\S*)")

    @classmethod
    def settings(cls) -> str:
        return "one worker, --poll adaptive (the default), learning, all counters and checks"

    def start(self, topology: Topology) -> None:
        arguments = ["--cpus", str(self.place.cpus.backend)]
        if self.place.huge:
            arguments += ["--huge", "on"]
        # It refuses a CPU that it may not use, so it starts with both and is confined afterwards.
        both = ["/usr/bin/taskset", "-c", f"{self.place.cpus.backend},{self.place.cpus.frontend}"]
        self.switch = Switch(
            self.registry, self.directory / "s", *arguments, memory=256, wrapper=both
        )
        self.switch.start()
        self._confine()
        options = {"mtu": JUMBO} if topology.mtu > 1500 else {}
        for number in range(topology.ports):
            self.switch.add_port(f"p{number}", **options)
            self.sockets.append(self.switch.path(f"p{number}"))

    def _confine(self) -> None:
        """Leaves the backend's CPU to the worker alone, as every peer's own masks do."""
        pid, worker = self.thread()
        for tid in threads(pid):
            if tid != worker:
                os.sched_setaffinity(tid, {self.place.cpus.frontend})

    def thread(self) -> tuple[int, int]:
        return self.find_thread(self.switch.process, "worker-")

    def add_ports(self) -> tuple[Path, Path]:
        for name in ("new0", "new1"):
            self.switch.add_port(name)
        return self.switch.path("new0"), self.switch.path("new1")

    def delete_ports(self) -> None:
        for name in ("new0", "new1"):
            self.switch.call("port.delete", {"name": name})

    def stop(self) -> None:
        if hasattr(self, "switch"):
            self.switch.close_client()
        super().stop()
