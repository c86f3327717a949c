# SPDX-License-Identifier: BSD-3-Clause
"""What a switch holds: descriptors, mappings, memory. At the end of a soak it is what it was."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from support import Switch, wait_until
from support.process import PROJECT

KIB = 1024
SETTLE_LIMIT = 20.0
# Threads that the switch starts when it first needs them have an eventfd each.
OWN_DESCRIPTORS_MORE = 2
# Arenas and stacks of threads come and stay; a guest's memory may not.
OWN_MAPPINGS_MORE = 400
# The library keeps what its rings once took, and AddressSanitizer what it quarantines.
RSS_MORE = 48 << 20

# For programs that are measured: what was freed is soon given back. Ignored by ordinary builds.
SANITIZER_ENV = {
    "ASAN_OPTIONS": (
        "detect_leaks=1:exitcode=99:allocator_may_return_null=1"
        ":quarantine_size_mb=8:thread_local_quarantine_size_kb=64"
    ),
    "LSAN_OPTIONS": f"suppressions={PROJECT / 'dev.d' / 'lsan.supp'}:print_suppressions=0",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=99",
}


@dataclass(frozen=True)
class Vitals:
    descriptors: int
    guest_mappings: int
    mappings: int
    rss: int  # bytes

    @classmethod
    def of(cls, pid: int) -> Vitals:
        proc = Path(f"/proc/{pid}")
        maps = (proc / "maps").read_text(errors="replace").splitlines()
        rss = re.search(r"VmRSS:\s+(\d+) kB", (proc / "status").read_text())
        return cls(
            descriptors=len(os.listdir(proc / "fd")),
            guest_mappings=sum("/memfd:" in line for line in maps),
            mappings=len(maps),
            rss=int(rss[1]) * KIB if rss else 0,
        )

    def __str__(self) -> str:
        return (
            f"{self.descriptors} descriptors, {self.mappings} mappings "
            f"({self.guest_mappings} of memfds), {self.rss >> 20} MiB"
        )

    def like(self, start: Vitals) -> bool:
        """Whether nothing has stayed since `start`."""
        return (
            self.descriptors <= start.descriptors + OWN_DESCRIPTORS_MORE
            and self.guest_mappings <= start.guest_mappings
            and self.mappings <= start.mappings + OWN_MAPPINGS_MORE
            and self.rss <= start.rss + RSS_MORE
        )


def wait_back(switch: Switch, start: Vitals) -> Vitals:
    """Waits until the switch holds what it held at the start; returns what it holds."""
    wait_until(
        "the switch holds what it held at the start",
        lambda: Vitals.of(switch.pid).like(start), SETTLE_LIMIT,
        lambda: f"at the start {start}, now {Vitals.of(switch.pid)}",
    )
    return Vitals.of(switch.pid)
