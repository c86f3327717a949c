# SPDX-License-Identifier: BSD-3-Clause
"""pytest fixtures for guests, which tests share: a boot takes seconds.

Where no guest can boot the tests that want one are left out, and the summary says why.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from support import vm_image
from support.process import Registry
from support.vm import GUEST_MIB, Guest, Nic

LEFT_OUT = pytest.StashKey[str]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    reason = vm_image.missing()
    wanting = [item for item in items if "site" in getattr(item, "fixturenames", ())]
    if reason is None or not wanting:
        return
    config.stash[LEFT_OUT] = f"{len(wanting)} tests with virtual machines skipped: {reason}"
    config.hook.pytest_deselected(items=wanting)
    items[:] = [item for item in items if item not in wanting]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if LEFT_OUT in config.stash:
        terminalreporter.write_line(config.stash[LEFT_OUT], yellow=True)


def pytest_exception_interact(node: pytest.Item, report: pytest.TestReport) -> None:
    """Puts the ends of the logs and of the guests' consoles beside the failure."""
    site = getattr(node, "funcargs", {}).get("site")
    if isinstance(site, Site):
        report.sections.append(("guests", site.report()))


class Site:
    """The processes and guests of all tests that share them, in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.registry = Registry(directory)
        self.guests: list[Guest] = []

    def guest(
        self,
        name: str,
        nics: Sequence[Nic] = (),
        memory: int = GUEST_MIB,
        shares: Sequence[Path] = (),
    ) -> Guest:
        """A guest that is not booted yet."""
        self.guests.append(Guest(self.registry, name, nics, memory, shares))
        return self.guests[-1]

    def report(self) -> str:
        report = self.registry.report()
        for guest in self.guests:
            report += f"--- {guest.name}: console\n{guest.console[-2000:]}\n"
        return report

    def close(self) -> None:
        for guest in self.guests:
            guest.close()
        self.registry.end_all()


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    path = Path(tempfile.mkdtemp(prefix="vsw-vm-"))
    path.chmod(0o755)
    site = Site(path)
    yield site
    site.close()
    shutil.rmtree(path)
