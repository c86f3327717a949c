# SPDX-License-Identifier: BSD-3-Clause
"""What an attack is, and where it stands: the table's entry, and what its process may use."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Literal, Optional

from siege.honest import B_MAC, C_MAC
from support.frontend import RawFrontend, Setup
from support.messages import Disconnected, Refused
from support.process import Registry
from support.raw_client import RawClient
from support.waiting import wait_until

Kind = Literal["messages", "rings", "time", "secrets", "control", "host"]

# What a frontend meets whose session the switch ends, or whose connection it turns away.
ENDED = (
    Refused, Disconnected, ConnectionError, TimeoutError, FileNotFoundError, BlockingIOError,
)


@dataclass
class Ground:
    """Where an attacker stands; made in its process, which is one of `attack.processes`."""

    registry: Registry
    directory: Path  # of the switch's sockets
    pid: int  # of the switch
    ports: list[str]
    rank: int  # of this process among those of the attack
    seconds: float
    ends: float = 0.0
    stack: ExitStack = field(default_factory=ExitStack)  # closed when the attack is over
    longest: float = 0.0  # seconds of the slowest of what the attack itself asked for
    told: list[str] = field(default_factory=list)

    @property
    def control(self) -> Path:
        return self.directory / "control.sock"

    @property
    def victims(self) -> tuple[str, str]:
        """MAC addresses of the honest pair."""
        return B_MAC, C_MAC

    def begin(self) -> None:
        self.ends = time.monotonic() + self.seconds

    def going(self) -> bool:
        """Whether the attack is to go on."""
        return time.monotonic() < self.ends

    @property
    def left(self) -> float:
        return max(self.ends - time.monotonic(), 0.0)

    def path(self, port: int = 0) -> Path:
        return self.directory / f"{self.ports[port]}.sock"

    def frontend(self, setup: Optional[Setup] = None, port: int = 0) -> RawFrontend:
        """A new connection, with nothing said yet."""
        return RawFrontend(self.path(port), setup)

    def attached(self, setup: Optional[Setup] = None, port: int = 0) -> RawFrontend:
        """A frontend with both rings running."""
        frontend = self.frontend(setup, port)
        try:
            frontend.handshake()
        except ENDED:
            frontend.close()
            raise
        return frontend

    def again(self, port: int = 0, setup: Optional[Setup] = None) -> RawFrontend:
        """As attached, as soon as the switch lets us in: it may be seeing the last session off."""

        def enter() -> Optional[RawFrontend]:
            try:
                return self.attached(setup, port)
            except ENDED:
                if not self.going():
                    raise
                return None

        return wait_until("the port takes a new session", enter, 60.0)

    def client(self) -> RawClient:
        """A connection to the control socket: for attacks by the owner, or on it."""
        return RawClient(self.control, 60.0)

    def tell(self, text: str) -> None:
        """Goes into the column of what the attacker got."""
        self.told.append(text)


@dataclass(frozen=True)
class Attack:
    """One attack; `code` runs in a process of its own, at nice 10, and returns when time is up."""

    name: str
    kind: Kind
    does: str  # in one line
    code: Callable[[Ground], None]
    prepare: Callable[[Ground], None] = lambda ground: None  # before the time begins
    processes: int = 1
    ports: int = 1  # of the attacker, all vhost-user
    cases: tuple[int, ...] = ()  # of what was once provoked; docs/threat-model.md tells them
    hazards: tuple[str, ...] = ()  # B1 to B29 of the vhost library
    needs: Callable[[], Optional[str]] = lambda: None  # what this machine lacks for it, in words
    judged: bool = True  # the times of the others: not where the whole switch is stopped
    crowds: bool = False  # its frames are for C too, whose ring may be full of them when one of B comes
    probed: bool = True  # new sessions and requests succeed all the time

