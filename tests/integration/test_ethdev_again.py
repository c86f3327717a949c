# SPDX-License-Identifier: BSD-3-Clause
"""One life for the devices of drivers that need no hardware, many times over: nothing is lost."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Optional

import pytest
from ethdev_steps import DRIVERS, MAC, Driver, Ground, Step
from hostile import open_descriptors
from kernel_end import KernelEnd, MakeEnd
from support import Registry, Switch, VuserClient, wait_until
from support.fixture_types import MakeStation, MakeSwitch
from test_ethdev_life import refusal
from test_ethdev_port import HERE
from vswitch import RpcError

LIVES = 50
CHANGES: list[dict[str, Any]] = [
    {"mtu": 1400}, {"mtu": 1500, "promiscuous": False}, {"offload": False}, {"up": False},
    {"up": True, "offload": True, "promiscuous": True}, {"enabled": False}, {"enabled": True},
]
FIRST_LIVES = 3  # what they take is taken once
CHANGED = 10  # each tenth life has changes
MIB = 1 << 20


@pytest.fixture
def ground(
    make_switch: MakeSwitch, home: KernelEnd, home_switch: Switch, make_end: MakeEnd,
    station: MakeStation, workdir: Path, registry: Registry,
) -> Ground:
    """The peer has its directory for good, so that it can be started there again."""
    home_switch.add_port("p0")
    VuserClient(registry, home_switch.path("p0"), "respond", ip=f"{HERE}/24").wait_ready()
    near = station(home_switch, "near")
    ground = Ground(home_switch, home, make_end("far"), make_switch(), workdir, make_switch,
                    station, near)
    home_switch.conserves = ground.peer.conserves = False
    return ground


def resident(switch: Switch) -> int:
    """Bytes of the program's own; the mbufs are in memory that is taken at the start."""
    fields = Path(f"/proc/{switch.pid}/statm").read_text().split()
    return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")


def fill(switch: Switch) -> int:
    """How many devices the memory for mbufs has room for; they stay."""
    for number in range(64):
        try:
            switch.add_port(f"n{number}", type="ethdev", devargs=f"net_null9{number},no-rx=1")
        except RpcError as error:
            assert "the switch's memory has not that much left" in str(error)
            return number
    raise AssertionError("the memory has no end")


def room(switch: Switch) -> int:
    count = fill(switch)
    for number in range(count):
        switch.call("port.delete", name=f"n{number}")
    return count


def change(ground: Ground, driver: Driver) -> None:
    switch = ground.switch
    for options in CHANGES:
        switch.call("port.set", name="d", **options)
    if "mac" not in driver.refused:
        switch.call("port.set", name="d", mac=MAC)
        assert switch.port("d")["device"]["mac"] == MAC
    if driver.refused:
        text = refusal(switch, "port.set", name="d", **driver.refused)
        assert driver.devargs[:driver.devargs.index("0")] in text
    port = switch.port("d")
    assert port["fault"] is None and port["mtu"] == 1500, port
    driver.carries(ground)


def live(ground: Ground, driver: Driver, changed: bool, step: Optional[Step] = None) -> None:
    switch = ground.switch
    devargs = driver.devargs.format(ground.workdir, ground.peer.path("up"))
    switch.add_port("d", type="ethdev", devargs=devargs)
    if changed:
        change(ground, driver)
    if step:
        step(ground)
    if any(port["name"] == "d" for port in switch.call("port.list")):
        switch.call("port.delete", name="d")


def step_of(driver: Driver, number: int) -> Optional[Step]:
    turn, rest = divmod(number, driver.every)
    return driver.steps[turn % len(driver.steps)] if driver.steps and rest == 0 else None


@pytest.mark.parametrize("name", DRIVERS)
def test_many_lives(ground: Ground, name: str) -> None:
    """Added, changed, refused a change, renamed, moved, without its peer, deleted: nothing is lost.

    So the last life is as the first. What is between is cheap and often, or dear and now and then.
    """
    driver = DRIVERS[name]
    driver.prepare(ground)
    switch = ground.switch
    for _ in range(FIRST_LIVES):
        live(ground, driver, True)
    mbufs = room(switch)
    fds, memory = open_descriptors(switch), resident(switch)
    for number in range(LIVES):
        live(ground, driver, number % CHANGED == 0, step_of(driver, number))
    wait_until("descriptors are closed",
               lambda: open_descriptors(switch) <= fds + driver.lost_fds * LIVES)
    if not switch.is_sanitized():  # a sanitizer keeps what is freed, and looks for leaks itself
        assert resident(switch) - memory < 4 * MIB
    assert room(switch) == mbufs
    live(ground, driver, True)


def test_refused_before_its_start(make_switch: MakeSwitch) -> None:
    """The driver of virtio_user forgets its handler when it is closed before it was started.

    With too little memory for its mbufs it is; the next handler that is registered made EAL run the forgotten one.
    """
    switch, peer = make_switch(), make_switch()
    peer.add_port("up")
    devargs = "net_virtio_user{},path=" + str(peer.path("up"))
    fill(switch)
    for number in range(5):
        text = refusal(switch, "port.add", name="v", type="ethdev", devargs=devargs.format(number))
        assert "the switch's memory has not that much left" in text
    for name in ("n0", "n1"):
        switch.call("port.delete", name=name)
    for number in range(3):
        switch.add_port("v", type="ethdev", devargs=devargs.format(number))
        switch.wait_state("v", "up")
        switch.call("port.delete", name="v")
    switch.conserves = peer.conserves = False
