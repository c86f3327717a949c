# SPDX-License-Identifier: BSD-3-Clause
"""What happens to the host: limits, a directory that goes away, a stopped switch, frontends that die."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from contextlib import ExitStack, suppress
from typing import Iterator, Optional

from siege.attack import ENDED, Attack, Ground
from siege.floods import SENDER, check, libc, mount, own_mounts
from support.frames import BROADCAST
from support.frontend import Setup
from support.memory import MIB, RegionSpec
from vswitch.client import RpcError

SMALL = Setup(ring_size=64, regions=(RegionSpec(MIB),), rx_fill=4)


@contextlib.contextmanager
def limited(pid: int, spare: int) -> Iterator[None]:
    """The switch may open so many descriptors more."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    have = len(os.listdir(f"/proc/{pid}/fd"))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (have + spare, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


def no_descriptors(ground: Ground) -> None:
    """Sessions until the descriptors are used up, and then more of them."""
    sessions = refused = 0
    with limited(ground.pid, 20), ExitStack() as stack:
        while ground.going():
            for port in range(len(ground.ports)):
                try:
                    stack.enter_context(ground.attached(SMALL, port))
                    sessions += 1
                except ENDED:
                    refused += 1
            time.sleep(0.05)
            stack.close()
    ground.tell(f"{sessions} sessions, {refused} refused")


def directory_gone(ground: Ground) -> None:
    """The directory of the sockets has another name for a while; ports are added meanwhile."""
    refused = moved = 0
    aside = ground.directory.with_name(ground.directory.name + "-aside")
    with ground.client() as owner:
        while ground.going():
            ground.directory.rename(aside)
            try:
                with suppress(RpcError):
                    owner.call("port.add", name="lost")
                refused += 1
            finally:
                aside.rename(ground.directory)
            with suppress(RpcError):
                owner.call("port.delete", name="lost")
            moved += 1
            time.sleep(0.05)
    ground.tell(f"{moved} times moved away")


def stopped_switch(ground: Ground) -> None:
    """The whole switch stands still, while frontends come and go."""
    os.kill(ground.pid, signal.SIGSTOP)
    came = 0
    try:
        while ground.left > 0.4:
            with suppress(*ENDED), ground.frontend(SMALL) as frontend:
                frontend.socket.settimeout(0.05)
                frontend.set_owner()
                came += 1
                frontend.get_features()
    finally:
        os.kill(ground.pid, signal.SIGCONT)
    ground.tell(f"{came} frontends came")


def all_die_at_once(ground: Ground) -> None:
    """Frontends under traffic that are killed together, again and again."""
    rounds = 0
    python = "/usr/bin/python3"
    while ground.going():
        victims = [
            ground.registry.start("victim", [
                python, "-m", "support.killed_frontend", str(ground.path(port)),
                SENDER[:-2] + f"{port:02x}", BROADCAST,
            ])
            for port in range(len(ground.ports))
        ]
        for victim in victims:
            with suppress(AssertionError):
                victim.wait_log("ready", max(ground.left, 0.5))
        for victim in victims:
            victim.send_signal(signal.SIGKILL)
        for victim in victims:
            victim.kill()
        rounds += 1
    ground.tell(f"{rounds} times {len(ground.ports)} frontends died")


def full_disk(ground: Ground) -> None:
    """The owner saves to a disk that has no room; the switch sees it through our mount namespace."""
    disk = ground.registry.directory / "disk"
    disk.mkdir()
    own_mounts()
    mount("tmpfs", disk, "size=16k")
    filler = os.open(disk / "filler", os.O_CREAT | os.O_RDWR)
    with suppress(OSError):
        while os.write(filler, bytes(4096)):
            pass
    os.close(filler)
    refused = 0
    with ground.client() as owner:
        while ground.going():
            try:
                owner.call("config.save", file=f"/proc/{os.getpid()}/root{disk}/saved.json")
            except RpcError:
                refused += 1
            time.sleep(0.005)
    check(libc.umount2(bytes(disk), 0))
    ground.tell(f"{refused} times refused")


def needs_root() -> Optional[str]:
    return None if os.geteuid() == 0 else "only root may mount"


ATTACKS = [
    Attack("no-descriptors", "host", "the switch may open no more descriptors", no_descriptors,
           ports=8, probed=False),
    Attack("directory-gone", "host", "the directory of the sockets is moved away", directory_gone,
           probed=False),
    Attack("full-disk", "host", "the owner saves to a full disk", full_disk, needs=needs_root),
    Attack("stopped-switch", "host", "the switch is stopped by a signal", stopped_switch,
           judged=False),
    Attack("all-die-at-once", "host", "frontends under traffic that die together", all_die_at_once,
           ports=4, crowds=True),
]
