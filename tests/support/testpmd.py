# SPDX-License-Identifier: BSD-3-Clause
"""A running `dpdk-testpmd`: DPDK's own frontend (`net_virtio_user`) or backend (`net_vhost`)."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from support.process import Process, ProcessFailed, Registry
from support.waiting import wait_until

PROMPT = "testpmd> "
# What another thread prints would come amidst an answer, or amidst the prompt.
QUIET = ("--mask-event=queue_state", "--mask-event=intr_lsc")
ORDINARY_MEMORY = ("--no-huge",)


def launch(
    registry: Registry,
    vdevs: Sequence[str],
    *arguments: str,
    user: int | None = None,
    memory: int = 256,
    mbufs: int = 4096,
    pages: Sequence[str] = ORDINARY_MEMORY,
    wrapper: Sequence[str] = (),
) -> Process:
    """Starts `dpdk-testpmd` and does not wait; for starts that must fail.

    `memory` is in MiB; `pages` are EAL's options that say of which kind; `wrapper` is a command to
    start it by. Two of its threads share the CPUs of this process; no PCI, no files left.
    """
    prefix = f"{registry.directory.name}-{registry.unique('testpmd-prefix')}"
    cpus = ",".join(str(cpu) for cpu in sorted(os.sched_getaffinity(0)))
    argv = [
        *wrapper, "/usr/bin/stdbuf", "-oL", "/usr/bin/dpdk-testpmd", *pages, "-m", str(memory),
        "--no-pci", "--no-telemetry", "--log-level=pmd.net.virtio.init:info",
        "--file-prefix", prefix, f"--lcores=(0,1)@({cpus})",
    ]
    argv += [f"--vdev={vdev}" for vdev in vdevs]
    argv += ["--", "-i", f"--total-num-mbufs={mbufs}", *QUIET, *arguments]
    directory = str(registry.directory)
    env = {"XDG_RUNTIME_DIR": directory, "RUNTIME_DIRECTORY": directory}
    return registry.start("testpmd", argv, env, user, stdin=True)


def virtio_user(number: int, path: Path, options: str = "") -> str:
    """The device arguments of a frontend on `path`; `options` as in `queue_size=512,mac=...`."""
    return f"net_virtio_user{number},path={path}" + (f",{options}" if options else "")


class Testpmd:
    """`dpdk-testpmd` with the given vdevs, driven through its prompt. Options as for `launch`."""

    __test__ = False  # its name looks like a test to pytest

    def __init__(
        self,
        registry: Registry,
        vdevs: Sequence[str],
        *arguments: str,
        user: int | None = None,
        memory: int = 256,
        mbufs: int = 4096,
        pages: Sequence[str] = ORDINARY_MEMORY,
        wrapper: Sequence[str] = (),
    ) -> None:
        self.process = launch(
            registry, vdevs, *arguments, user=user, memory=memory, mbufs=mbufs, pages=pages,
            wrapper=wrapper,
        )
        self._read = 0
        self._until_prompt("has started", 30.0)

    @classmethod
    def frontend(
        cls, registry: Registry, path: Path, *arguments: str, options: str = "",
        user: int | None = None, memory: int = 256, mbufs: int = 4096,
    ) -> Testpmd:
        """One `net_virtio_user` port on `path`."""
        vdevs = [virtio_user(0, path, options)]
        return cls(registry, vdevs, *arguments, user=user, memory=memory, mbufs=mbufs)

    def command(self, line: str, timeout: float = 20.0) -> str:
        """Types one line at the prompt; returns what comes up to the next prompt."""
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self._until_prompt(f"answers '{line}'", timeout)

    def stats(self, port: int = 0) -> dict[str, int]:
        """`show port stats`: RX-packets, RX-missed, RX-bytes, TX-packets, TX-dropped and so on."""
        text = self.command(f"show port stats {port}")
        return {name: int(value) for name, value in re.findall(r"([RT]X-[a-z]+): +(\d+)", text)}

    def forward(self, mode: str) -> None:
        """Sets the forwarding mode (`rxonly`, `txonly`, `macswap`, `io`) and starts it."""
        self.command(f"set fwd {mode}")
        self.command("start")

    def stop_forwarding(self) -> str:
        return self.command("stop")

    def send_bursts(self, bursts: int, size: int = 64, segments: int = 1, burst: int = 32) -> int:
        """`start tx_first`: sends bursts of UDP frames of `segments` mbufs of `size` bytes each.

        Returns how many frames the rings of all its ports took, which may be fewer. What is
        received meanwhile is dropped; forwarding is stopped again at the end.
        """
        before = self._sent()
        self.command(f"set txpkts {','.join([str(size)] * segments)}")
        self.command(f"set burst {burst}")
        self.command("set fwd rxonly")
        self.command(f"start tx_first {bursts}")
        self.stop_forwarding()
        return self._sent() - before

    def _sent(self) -> int:
        text = self.command("show port stats all")
        return sum(int(value) for value in re.findall(r"TX-packets: +(\d+)", text))

    def stop_port(self, port: int = 0) -> None:
        """`port stop`: the driver resets the device. Forwarding must be stopped."""
        self.command(f"port stop {port}")

    def start_port(self, port: int = 0) -> None:
        self.command(f"port start {port}")

    def wait_received(
        self, packets: int, timeout: float = 10.0, port: int = 0
    ) -> dict[str, int]:
        def check() -> dict[str, int] | None:
            stats = self.stats(port)
            return stats if stats["RX-packets"] >= packets else None

        return wait_until(
            f"testpmd has received {packets} packets", check, timeout,
            lambda: str(self.stats(port)),
        )

    def quit(self, timeout: float = 20.0) -> None:
        """Leaves as `quit` does; ProcessFailed unless its status is 0."""
        self.process.stdin.write(b"quit\n")
        self.process.stdin.flush()
        if self.process.wait(timeout) != 0:
            raise ProcessFailed(self.process.report("did not quit cleanly"))

    def kill(self) -> None:
        self.process.kill()

    def _until_prompt(self, what: str, timeout: float) -> str:
        def find() -> str | None:
            ended = self.process.status is not None
            text, prompt, _ = self.process.out()[self._read:].partition(PROMPT)
            if prompt:
                self._read += len(text) + len(prompt)
                return text
            if ended:
                raise ProcessFailed(self.process.report(f"ended before it {what}"))
            return None

        return wait_until(
            f"testpmd {what}", find, timeout, lambda: self.process.report("is silent")
        )
