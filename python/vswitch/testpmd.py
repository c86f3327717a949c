# SPDX-License-Identifier: BSD-3-Clause
"""A running `dpdk-testpmd`: DPDK's own frontend (`net_virtio_user`) or backend (`net_vhost`)."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Optional

from vswitch.process import ProcessFailed, Registry
from vswitch.waiting import wait_until

PROMPT = "testpmd> "


class Testpmd:
    """`dpdk-testpmd` with the given vdevs, driven through its prompt.

    Two of its threads share the CPUs of this process; no hugepages, no PCI, no files left.
    """

    __test__ = False  # its name looks like a test to pytest

    def __init__(
        self,
        registry: Registry,
        vdevs: list[str],
        *arguments: str,
        user: Optional[int] = None,
        memory: int = 256,
    ) -> None:
        prefix = f"{registry.directory.name}-{registry.unique('testpmd')}"
        cpus = ",".join(str(cpu) for cpu in sorted(os.sched_getaffinity(0)))
        argv = [
            "/usr/bin/stdbuf", "-oL", "/usr/bin/dpdk-testpmd", "--no-huge", "-m", str(memory), "--no-pci", "--no-telemetry",
            "--single-file-segments", "--file-prefix", prefix,
            f"--lcores=(0,1)@({cpus})",
        ]
        argv += [f"--vdev={vdev}" for vdev in vdevs]
        argv += ["--", "-i", "--total-num-mbufs=4096", *arguments]
        directory = str(registry.directory)
        env = {"XDG_RUNTIME_DIR": directory, "RUNTIME_DIRECTORY": directory}
        self.process = registry.start("testpmd", argv, env, user, stdin=True)
        self._read = 0
        self._until_prompt("has started", 30.0)

    @classmethod
    def frontend(
        cls, registry: Registry, path: Path, *arguments: str, options: str = "",
        user: Optional[int] = None,
    ) -> Testpmd:
        """One `net_virtio_user` port on `path`; `options` such as `queue_size=512,mac=...`."""
        vdev = f"net_virtio_user0,path={path}" + (f",{options}" if options else "")
        return cls(registry, [vdev], *arguments, user=user)

    @classmethod
    def backend(cls, registry: Registry, path: Path, *arguments: str) -> Testpmd:
        """One `net_vhost` port that serves `path`: another backend to check frontends against."""
        return cls(registry, [f"net_vhost0,iface={path},queues=1"], *arguments)

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

    def wait_received(self, packets: int, timeout: float = 10.0) -> dict[str, int]:
        def check() -> Optional[dict[str, int]]:
            stats = self.stats()
            return stats if stats["RX-packets"] >= packets else None

        return wait_until(
            f"testpmd has received {packets} packets", check, timeout, lambda: str(self.stats())
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
        def find() -> Optional[str]:
            ended = self.process.status is not None
            text = self.process.out()[self._read:]
            if text.rstrip("\r\n").endswith(PROMPT) and text.count(PROMPT) >= 1:
                self._read += len(text)
                return text
            if ended:
                raise ProcessFailed(self.process.report(f"ended before it {what}"))
            return None

        return wait_until(
            f"testpmd {what}", find, timeout, lambda: self.process.report("is silent")
        )
