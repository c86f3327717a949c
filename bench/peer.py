# SPDX-License-Identifier: BSD-3-Clause
"""What a backend must be able to do to be measured.

Another one is a subclass with `name`, `version`, `settings`, `start` and `thread`, and an entry in
`peers.PEERS`. It listens on vhost-user sockets, and runs its polling thread on `place.cpus.backend`
and everything else on `place.cpus.frontend`, which all children inherit. A peer of `kernel.py`,
whose ports are interfaces, has two network namespaces in `ends` instead.
"""

from __future__ import annotations

import re
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench.machine import Cpus, thread_by_name, thread_count
from support.namespaces import Namespace
from support.process import Process, Registry
from support.waiting import wait_until

START_LIMIT = 60.0
HUGE_MIB = 1024  # the most that one stack takes of hugepages


@dataclass(frozen=True)
class Topology:
    """What the stacks are started with; cases that want the same share one start."""

    ports: int = 2
    mtu: int = 1500
    stations: int = 1024  # addresses that the MAC table must hold
    kernel: bool = False  # two ports are interfaces in namespaces, further ones for DPDK


@dataclass(frozen=True)
class Place:
    """Where and on what a peer runs."""

    directory: Path  # short: names of sockets have 107 bytes
    cpus: Cpus
    huge: bool  # memory in hugepages, the same for every peer


class Peer(ABC):
    """One backend: started for a topology, stopped and continued by signals, ended by its pids."""

    name: ClassVar[str]
    title: ClassVar[str]  # as the report calls it

    def __init__(self, place: Place) -> None:
        self.place = place
        self.directory = place.directory / self.name
        self.directory.mkdir()
        self.registry = Registry(self.directory)
        self.sockets: list[Path] = []
        self.ends: list[Namespace] = []

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """As the program or its package says it."""

    @classmethod
    @abstractmethod
    def settings(cls) -> str:
        """How it is set up, and by whose advice; one line of the report."""

    def refuses(self, topology: Topology) -> str | None:
        """Why it takes no part, or None."""
        return None

    @abstractmethod
    def start(self, topology: Topology) -> None:
        """Returns when all ports listen, with their paths in `sockets`."""

    @abstractmethod
    def thread(self) -> tuple[int, int]:
        """Process and thread that polls the ports."""

    def waited(self) -> float:
        """Seconds so far that this thread was ready to run but something else had its CPU."""
        return thread_count(*self.thread()).wait_seconds

    def add_ports(self) -> tuple[Path, Path]:
        """Adds two ports while it runs; returns when both listen."""
        raise NotImplementedError(f"{self.name} has no way to add ports")

    def delete_ports(self) -> None:
        """Takes the two away again."""
        raise NotImplementedError(f"{self.name} has no way to delete ports")

    @property
    def processes(self) -> list[Process]:
        return self.registry.processes

    def pause(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGCONT)

    def alive(self) -> bool:
        return all(process.status is None for process in self.processes)

    def stop(self) -> None:
        """By SIGKILL, which a stopped process obeys too; all its files are in a temporary place."""
        self.registry.end_all()

    def find_thread(self, process: Process, *prefixes: str) -> tuple[int, int]:
        """Process and thread; its name, which may differ from release to release, begins with one."""
        cpu = self.place.cpus.backend
        tid = wait_until(
            f"{process.name} has a thread '{prefixes[0]}' on CPU {cpu}",
            lambda: thread_by_name(process.pid, prefixes, cpu),
            START_LIMIT,
        )
        return process.pid, tid


def program_version(argv: Sequence[str], pattern: str) -> str:
    """The first group of `pattern` in what a program prints."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    found = re.search(pattern, done.stdout + done.stderr)
    return found.group(1) if found else "unknown"
