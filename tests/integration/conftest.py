# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of the integration tests."""

from __future__ import annotations

from typing import Any, Optional, Protocol

import pytest
from station import Station
from vswitch import Setup, Switch
from vswitch.frames import mac_text
from vswitch.pytest_plugin import Attach


class MakeStation(Protocol):
    """Attaches a station to a port of this name, adding the port if it is new."""

    def __call__(
        self, switch: Switch, port: str, setup: Optional[Setup] = None, **options: Any
    ) -> Station: ...


@pytest.fixture
def station(attach: Attach) -> MakeStation:
    made = 0

    def make(
        switch: Switch, port: str, setup: Optional[Setup] = None, **options: Any
    ) -> Station:
        nonlocal made
        made += 1
        return Station(port, mac_text(made), attach(switch, port, setup, **options))

    return make
