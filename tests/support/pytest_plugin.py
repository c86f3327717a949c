# SPDX-License-Identifier: BSD-3-Clause
"""pytest fixtures: a directory with short paths, a registry of processes, and switches.

When a test fails, the ends of its processes' logs stand in the report. Whatever happens, every
process is ended by its pid.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.fixture_types import MakeStation, MakeSwitch
from support.frames import mac_text
from support.frontend import RawFrontend, Setup
from support.process import Registry
from support.station import Station
from support.switch import Switch


def pytest_exception_interact(node: pytest.Item, report: pytest.TestReport) -> None:
    """Puts the ends of the logs beside the failure."""
    registry = getattr(node, "funcargs", {}).get("registry")
    if isinstance(registry, Registry):
        report.sections.append(("processes", registry.report()))


@pytest.fixture
def workdir() -> Iterator[Path]:
    """A directory with a short path: a socket's may have 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="vsw-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def registry(workdir: Path) -> Iterator[Registry]:
    processes = Registry(workdir)
    yield processes
    processes.end_all()


@pytest.fixture
def make_switch(registry: Registry, workdir: Path) -> Iterator[MakeSwitch]:
    """Switches that must still run, and leave cleanly, when the test is over."""
    switches: list[Switch] = []

    def make(*arguments: str, start: bool = True, **options: Any) -> Switch:
        directory = options.pop("directory", None) or workdir / registry.unique("s")
        switch = Switch(registry, directory, *arguments, **options)
        if start:
            switch.start()
            switches.append(switch)
        return switch

    yield make
    for switch in switches:
        switch.finish()


@pytest.fixture
def switch(make_switch: MakeSwitch) -> Switch:
    return make_switch()


@pytest.fixture
def station(make_switch: MakeSwitch) -> Iterator[MakeStation]:
    made: list[Station] = []

    def make(
        switch: Switch, port: str, setup: Setup | None = None, **options: Any
    ) -> Station:
        switch.add_port(port, may_exist=True, **options)
        frontend = RawFrontend(switch.path(port), setup)
        made.append(Station(port, mac_text(len(made) + 1), frontend))
        frontend.handshake()
        switch.wait_state(port, "up")
        return made[-1]

    yield make
    for station in made:
        station.frontend.close()
