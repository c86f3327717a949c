# SPDX-License-Identifier: BSD-3-Clause
"""A cgroup with a limit, of either version, in which a test starts a switch."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import pytest
from support import wait_until

ROOT = Path("/sys/fs/cgroup")
PERIOD_US = 100_000


class Group:
    """One cgroup, and a wrapper that starts a program in it."""

    def __init__(self, controller: str) -> None:
        old = ROOT / controller
        self.is_old = old.is_dir()
        self.path = (old if self.is_old else ROOT) / f"vswitch-test-{os.getpid()}"
        self.wrapper = (
            "/bin/sh", "-c", 'echo $$ >"$0"/cgroup.procs && exec "$@"', str(self.path)
        )

    def make(self, **settings: str) -> None:
        """Fails the test where this machine has no such cgroups."""
        try:
            self.path.mkdir()
            for name, value in settings.items():
                (self.path / name.replace("__", ".")).write_text(value)
        except OSError as error:
            pytest.fail(f"a cgroup is needed: run as root where {ROOT} is ({error})")

    def close(self) -> None:
        def gone() -> bool:
            with contextlib.suppress(OSError):
                self.path.rmdir()
            return not self.path.exists()

        wait_until("the cgroup is empty", gone)


class MemoryGroup(Group):
    """At most so many bytes of memory."""

    def __init__(self, limit: int) -> None:
        super().__init__("memory")
        name = "memory__limit_in_bytes" if self.is_old else "memory__max"
        self.make(**{name: str(limit)})

    def killed(self) -> bool:
        """Whether the kernel has killed a process of the group for want of memory."""
        words = " ".join(
            path.read_text() for path in
            (self.path / "memory.oom_control", self.path / "memory.events") if path.exists()
        )
        found = re.search(r"oom_kill (\d+)", words)
        return found is not None and int(found[1]) > 0


class CpuGroup(Group):
    """So much of a CPU as is said: after that the kernel lets all threads wait for the next 100 ms."""

    def __init__(self) -> None:
        super().__init__("cpu")
        self.make()

    def limit(self, share: float) -> None:
        quota = int(share * PERIOD_US)
        if self.is_old:
            (self.path / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (self.path / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (self.path / "cpu.max").write_text(f"{quota} {PERIOD_US}")

    def throttled(self) -> int:
        """How often that happened."""
        found = re.search(r"nr_throttled (\d+)", (self.path / "cpu.stat").read_text())
        return int(found[1]) if found else 0
