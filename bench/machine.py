# SPDX-License-Identifier: BSD-3-Clause
"""The machine under measurement: its CPUs, its hugepages, and what the kernel counts of threads."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

HUGE_PAGE_MIB = 2
HUGE_PAGES_FILE = Path(f"/sys/kernel/mm/hugepages/hugepages-{HUGE_PAGE_MIB * 1024}kB/nr_hugepages")


class BenchError(Exception):
    """What stands in the way of measuring, as a sentence for the person who called."""


@dataclass(frozen=True)
class Cpus:
    """One CPU for the backend's polling thread alone, one for the frontend and everything else."""

    backend: int
    frontend: int


def choose_cpus(allowed: Iterable[int], siblings: Mapping[int, frozenset[int]]) -> Cpus:
    """The lowest CPU for the backend; the next that is no hyper-thread of it for the frontend.

    `siblings` names the CPUs that share a core with each.
    """
    cpus = sorted(allowed)
    if len(cpus) < 2:
        raise BenchError(
            f"cannot measure on {len(cpus)} CPU: the backend and the frontend need one each, or "
            "one measures the other; use a machine with two, or widen the affinity (taskset -c 0,1)"
        )
    backend = cpus[0]
    apart = [cpu for cpu in cpus[1:] if cpu not in siblings.get(backend, frozenset())]
    return Cpus(backend, (apart or cpus[1:])[0])


def parse_cpu_list(text: str) -> frozenset[int]:
    """`0-2,5` as the kernel writes it."""
    cpus: set[int] = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        cpus.update(range(int(first), int(last or first) + 1))
    return frozenset(cpus)


def core_siblings(cpus: Iterable[int]) -> dict[int, frozenset[int]]:
    siblings = {}
    for cpu in cpus:
        path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        if path.exists():
            siblings[cpu] = parse_cpu_list(path.read_text())
    return siblings


def cpus_of_this_machine() -> Cpus:
    allowed = os.sched_getaffinity(0)
    return choose_cpus(allowed, core_siblings(allowed))


def describe() -> dict[str, str]:
    """What a reader of the results must know of the machine."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    hypervisor = Path("/proc/cpuinfo").read_text().find(" hypervisor") >= 0
    return {
        "cpu": model,
        "cpus": str(os.cpu_count()),
        "kernel": platform.release(),
        "virtual": "yes" if hypervisor else "no",
    }


# What the kernel counts.


@dataclass(frozen=True)
class ThreadCount:
    """Of one thread, since its start."""

    run_seconds: float
    wait_seconds: float  # ready to run, but something else had the CPU


def thread_count(pid: int, tid: int) -> ThreadCount:
    run, wait, _ = Path(f"/proc/{pid}/task/{tid}/schedstat").read_text().split()
    return ThreadCount(int(run) * 1e-9, int(wait) * 1e-9)


def process_seconds(pid: int) -> float:
    """CPU time of all threads of a process that run now."""
    return sum(thread_count(pid, tid).run_seconds for tid in threads(pid))


def threads(pid: int) -> list[int]:
    return sorted(int(name) for name in os.listdir(f"/proc/{pid}/task"))


def thread_by_name(
    pid: int, prefix: str | tuple[str, ...], cpu: int | None = None
) -> int | None:
    """The thread whose name begins with (one) `prefix` and, with `cpu`, may run on this CPU alone."""
    for tid in threads(pid):
        task = Path(f"/proc/{pid}/task/{tid}")
        if not (task / "comm").read_text().startswith(prefix):
            continue
        if cpu is None:
            return tid
        for line in (task / "status").read_text().splitlines():
            if line.startswith("Cpus_allowed_list:"):
                if parse_cpu_list(line.partition(":")[2]) == {cpu}:
                    return tid
    return None


def stolen_seconds(cpus: Cpus, stat: str | None = None) -> float:
    """Time that the hypervisor gave to somebody else while one of our CPUs had work."""
    text = Path("/proc/stat").read_text() if stat is None else stat
    wanted = {f"cpu{cpus.backend}", f"cpu{cpus.frontend}"}
    ticks = 0
    for line in text.splitlines():
        fields = line.split()
        if fields and fields[0] in wanted:
            ticks += int(fields[8])
    return ticks / os.sysconf("SC_CLK_TCK")


class HugePages:
    """Reserves hugepages for one run, where that is allowed, and gives them back.

    `there` says whether `mib` are free; if not, `why` says why, and all stacks get ordinary pages.
    0 MiB: none are wanted.
    """

    def __init__(self, mib: int, path: Path = HUGE_PAGES_FILE) -> None:
        self.mib = mib
        self.path = path
        self.there = False
        self.why = ""
        self._before: int | None = None

    def __enter__(self) -> HugePages:
        if self.mib == 0:
            self.why = "none were wanted"
            return self
        try:
            if self._free_mib() < self.mib:
                self._reserve()
            self.there = self._free_mib() >= self.mib
        except OSError as error:
            self.why = f"{self.path.name} cannot be set: {error.strerror}"
        if not self.there and not self.why:
            self.why = f"the kernel found {self._free_mib()} MiB of the {self.mib} that are needed"
        if not self.there:
            self._restore()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def _free_mib(self) -> int:
        return int((self.path.parent / "free_hugepages").read_text()) * HUGE_PAGE_MIB

    def _reserve(self) -> None:
        before = int(self.path.read_text())
        lack = (self.mib - self._free_mib()) // HUGE_PAGE_MIB
        self._before = before
        self.path.write_text(f"{before + lack}")

    def _restore(self) -> None:
        if self._before is not None and int(self.path.read_text()) != self._before:
            self.path.write_text(f"{self._before}")
        self._before = None
