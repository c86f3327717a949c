# SPDX-License-Identifier: BSD-3-Clause
"""Brings the fixtures of the package `support` to every test below this directory."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Iterator

import pytest
from hostile import Bystanders, carry_on
from installation import Installation
from support import Switch, interrupts
from support.fixture_types import MakeStation, MakeSwitch
from support.frames import mac_text
from support.process import PYTHON_PATH
from support.station import introduce

pytest_plugins = [
    "support.pytest_plugin", "support.vm_plugin", "two_guests", "switch_in_guest", "kernel_end",
    "unclosable", "siege.pytest_plugin",
]

FULL_TABLE = {
    "version": 1,
    "ports": [{"name": "a", "type": "vhost-user"}],
    "fdb": [{"mac": mac_text(number), "port": "a"} for number in range(65536)],
}

# Fuzzers have a build of their own, with sanitizers: they need not run beside other builds' tests.
collect_ignore = [] if Path(os.environ.get("VSWITCH_BUILD", "build")).name == "build" else ["fuzz"]

# Programs in Python that tests start find the same packages, also where pytest was not started by ./dev.
os.environ["PYTHONPATH"] = PYTHON_PATH

# Tests interrupt programs. In the background of a shell SIGINT is ignored, which children inherit.
interrupts.catch(signal.SIGINT)


@pytest.fixture
def bystanders(switch: Switch, station: MakeStation) -> Iterator[Bystanders]:
    """Two ports that go on, whatever happens to the port `v`; checked before and after."""
    pair = station(switch, "x"), station(switch, "y")
    switch.add_port("v")
    introduce(pair)
    switch.conservation()
    switch.call("stats.clear")
    yield pair
    carry_on(pair)
    for port in ("x", "y"):
        assert switch.port(port)["fault"] is None
        assert switch.drops(port) == {}


@pytest.fixture
def full_switch(make_switch: MakeSwitch) -> Switch:
    """Its table is full of static entries of the port `a`, so that a list of them is long."""
    return make_switch(config=FULL_TABLE)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """What `meson install` puts beside the programs; only read by tests."""
    return Installation(tmp_path_factory.mktemp("installed"))
