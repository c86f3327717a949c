# SPDX-License-Identifier: BSD-3-Clause
"""`vswitchd-faults`, the switch whose n-th call of a kind fails (faults.c), and its control file."""

from __future__ import annotations

import mmap
import socket
import struct
from pathlib import Path
from typing import Any

from support import Registry, Switch
from support.process import Process, binary

# The order is that of enum kind in faults.c.
KINDS = (
    "alloc", "event", "mmap", "accept", "write", "epoll", "eventfd", "open", "socket",
    "thread",
)
RECORD = struct.Struct("<QQQQ")  # calls, first, n, failed


class Faults:
    """The file that a switch shares with its test: counters, and what is to fail."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(bytes(RECORD.size * len(KINDS)))
        path.chmod(0o666)
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self._words = memoryview(self._map).cast("Q")

    def arm(self, kind: str, first: int, n: int = 1) -> None:
        """From now on call number `first` of this kind fails, and so do the n - 1 after it."""
        at = 4 * KINDS.index(kind)
        self._words[at + 1] = 0
        self._words[at] = 0
        self._words[at + 3] = 0
        self._words[at + 2] = n
        self._words[at + 1] = first

    def disarm(self) -> None:
        for at in range(0, 4 * len(KINDS), 4):
            self._words[at + 1] = 0

    def count(self) -> None:
        """Counts calls from now on; none fails."""
        self.disarm()
        for at in range(0, 4 * len(KINDS), 4):
            self._words[at] = 0

    def calls(self) -> dict[str, int]:
        return {kind: self._words[4 * at] for at, kind in enumerate(KINDS)}

    def failed(self, kind: str) -> int:
        """How many calls did fail since the kind was armed."""
        return self._words[4 * KINDS.index(kind) + 3]

    def close(self) -> None:
        self._words.release()
        self._map.close()
        self.path.unlink()


class FaultySwitch(Switch):
    """A switch with a control file of its own."""

    def __init__(self, registry: Registry, directory: Path, *arguments: str, **options: Any) -> None:
        self.faults = Faults(registry.directory / registry.unique("faults"))
        env = {"VSWITCH_FAULTS": str(self.faults.path), **options.pop("env", {})}
        super().__init__(registry, directory, *arguments, env=env, **options)

    def launch(self) -> Process:
        argv = [str(binary("tests/soak/vswitchd-faults")), *self.arguments]
        self._process = self.registry.start("vswitchd-faults", argv, self.env, self.user)
        return self._process

    @staticmethod
    def _notified(notify: socket.socket, process: Process) -> bool:
        """Ready is also a switch whose message to its service manager fails, if it says so."""
        told = "the service manager could not be told READY=1" in process.log()
        return told or Switch._notified(notify, process)
