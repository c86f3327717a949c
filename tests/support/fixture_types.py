# SPDX-License-Identifier: BSD-3-Clause
"""The types of the fixtures in `support.pytest_plugin` that make things."""

from __future__ import annotations

from typing import Any, Protocol

from support.frontend import Setup
from support.station import Station
from support.switch import Switch


class MakeSwitch(Protocol):
    """Starts a switch in a directory of its own and waits until it is ready."""

    def __call__(self, *arguments: str, start: bool = True, **options: Any) -> Switch: ...


class MakeStation(Protocol):
    """Attaches a station to a port of this name, adding the port if it is new.

    Each has a MAC address of its own; it returns when the port is up. All are closed before the
    switches leave. Options are the port's.
    """

    def __call__(
        self, switch: Switch, port: str, setup: Setup | None = None, **options: Any
    ) -> Station: ...
