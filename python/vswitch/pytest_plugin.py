# SPDX-License-Identifier: BSD-3-Clause
"""pytest fixtures: a directory with short paths, a registry of processes, and switches.

When a test fails, the ends of its processes' logs stand in the report. Whatever happens, every
process is ended by its pid.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, Callable, Generator, Iterator, Protocol, Union

import pytest

from vswitch.frontend import RawFrontend, Setup
from vswitch.process import Registry
from vswitch.switch import Switch


class MakeSwitch(Protocol):
    """Starts a switch in a directory of its own and waits until it is ready."""

    def __call__(self, *arguments: str, start: bool = True, **options: Any) -> Switch: ...


Attach = Callable[..., RawFrontend]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, None]:
    outcome = yield
    report: pytest.TestReport = outcome.get_result()
    registry = getattr(item, "funcargs", {}).get("registry")
    if report.failed and isinstance(registry, Registry):
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
def attach(make_switch: MakeSwitch) -> Iterator[Attach]:
    """Makes a RawFrontend attach to a port of a switch, adding the port if it is new.

    `attach(switch, "p0", Setup(...), mtu=9000)`; returns when the port is up. All are closed
    before the switches leave.
    """
    frontends: list[RawFrontend] = []

    def make(
        switch: Switch, port: str, setup: Union[Setup, None] = None, **options: Any
    ) -> RawFrontend:
        switch.add_port(port, may_exist=True, **options)
        frontend = RawFrontend(switch.path(port), setup)
        frontends.append(frontend)
        frontend.handshake()
        switch.wait_state(port, "up")
        return frontend

    yield make
    for frontend in frontends:
        frontend.close()
