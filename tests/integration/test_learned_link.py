# SPDX-License-Identifier: BSD-3-Clause
"""What was learned at a port ends with its link, so that nobody is sent to where nobody is."""

from __future__ import annotations

import time
from typing import Callable

import pytest
from kernel_end import KernelEnd, MakeEnd
from support import RawFrontend, Switch, wait_until
from support.fixture_types import MakeStation
from support.frames import BROADCAST, frame
from support.messages import Refused
from support.station import Station, introduce
from test_ethdev_port import veth

SILENT = "02:51:1e:00:00:01"  # a station that is heard once
AT_ONCE = 2.0  # seconds that a notice of the kernel, or the next look at a device, may take


@pytest.fixture
def three(switch: Switch, station: MakeStation) -> list[Station]:
    """Stations on `a`, `b` and `c`, known to the switch."""
    made = [station(switch, port) for port in ("a", "b", "c")]
    introduce(made)
    return made


def forgotten(switch: Switch, mac: str, timeout: float = 10.0) -> None:
    wait_until(
        f"{mac} is forgotten", lambda: mac not in switch.fdb(), timeout, lambda: str(switch.fdb())
    )


def let_pass(seconds: float) -> None:
    end = time.monotonic() + seconds
    wait_until("it is time", lambda: time.monotonic() > end)


def leave(station: Station) -> None:
    station.frontend.close()


def stop(station: Station) -> None:
    station.frontend.stop_rings()


def disable_rings(station: Station) -> None:
    for index in (0, 1):
        station.frontend.set_vring_enable(index, False)


def break_a_rule(station: Station) -> None:
    with pytest.raises(Refused):
        station.frontend.set_vring_num(0, 3)


@pytest.mark.parametrize("end", [leave, stop, disable_rings, break_a_rule])
def test_silent_station_is_reached_where_it_went(
    switch: Switch, three: list[Station], end: Callable[[Station], None]
) -> None:
    """It left `b` and is at `c` now, from where it has not sent anything yet."""
    a, b, c = three
    end(b)
    wait_until("b is not up", lambda: bool(switch.port("b")["state"] != "up"))
    forgotten(switch, b.mac)
    c.expect(a.send(b))
    assert switch.fdb() == {a.mac: "a", c.mac: "c"}


def test_frontend_that_is_back_soon_is_still_known(
    switch: Switch, three: list[Station]
) -> None:
    """A restart floods nothing: the next frame goes to its port alone."""
    a, b, c = three
    b.frontend.close()
    switch.wait_state("b", "waiting")
    with RawFrontend(switch.path("b")).handshake() as again:
        switch.wait_state("b", "up")
        assert switch.fdb()[b.mac] == "b"
        data = a.send(b)
        assert again.receive().frame == data
        a.announce(c)  # and nothing came to c before


def test_disabled_port_is_forgotten_at_once(switch: Switch, three: list[Station]) -> None:
    a, b, c = three
    switch.call("port.set", name="b", enabled=False)
    forgotten(switch, b.mac, AT_ONCE)
    c.expect(a.send(b))
    switch.call("port.set", name="b", enabled=True)
    b.announce(a, c)
    assert switch.fdb()[b.mac] == "b"


def test_static_entry_stays(switch: Switch, three: list[Station]) -> None:
    b = three[1]
    switch.call("fdb.add", mac=SILENT, port="b")
    switch.call("port.set", name="b", enabled=False)
    forgotten(switch, b.mac)
    assert switch.fdb()[SILENT] == "b"


def test_announced_station_of_a_guest_that_is_not_up_yet(
    switch: Switch, three: list[Station]
) -> None:
    """SEND_RARP may come before the rings run; the station is known until they should."""
    switch.add_port("d")
    with RawFrontend(switch.path("d")) as guest:
        guest.negotiate()
        guest.share_memory()
        let_pass(4.0)  # a port without a link for so long keeps nothing that was learned
        guest.send_rarp(bytes.fromhex(SILENT.replace(":", "")))
        let_pass(1.2)  # ports are looked at once a second
        assert switch.fdb()[SILENT] == "d"
        guest.fill_rx()
        for index in (0, 1):
            guest.start_ring(index)
            guest.set_vring_enable(index, True)
        switch.wait_state("d", "up")
        assert switch.fdb()[SILENT] == "d"


# ---- Interfaces and devices ----


def speak(end: KernelEnd, ifname: str) -> None:
    """A broadcast of the station SILENT out of an interface."""
    data = frame(BROADCAST, SILENT, 64, 1)
    code = (
        "import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW);"
        f"s.bind(('{ifname}', 0)); s.send(bytes.fromhex('{data.hex()}'))"
    )
    end.run("/usr/bin/python3", "-c", code)


def known_at(switch: Switch, port: str) -> None:
    wait_until("it is known", lambda: switch.fdb().get(SILENT) == port)


def heard_at(switch: Switch, port: str, end: KernelEnd, ifname: str) -> None:
    """The station speaks until it is known: an interface that is up again may drop the first frames."""

    def is_known() -> bool:
        speak(end, ifname)
        return switch.fdb().get(SILENT) == port

    wait_until("it is known", is_known)


@pytest.mark.parametrize("end", ["down", "delete", "disable"])
def test_kernel_port_without_a_link(
    switch: Switch, three: list[Station], make_end: MakeEnd, end: str
) -> None:
    space = make_end("k")
    switch.add_port("k", type="kernel", backend="tap", ifname="k0", netns=space.path)
    switch.wait_state("k", "up")
    speak(space, "k0")
    known_at(switch, "k")
    if end == "down":
        space.ip("link", "set", "k0", "down")
    elif end == "delete":
        space.ip("link", "delete", "k0")
    else:
        switch.call("port.set", name="k", enabled=False)
    forgotten(switch, SILENT, AT_ONCE)


def test_device_without_a_link(
    home: KernelEnd, home_switch: Switch, make_end: MakeEnd
) -> None:
    far = make_end("far")
    veth(home, far)
    home_switch.add_port("nic0", type="ethdev", devargs="net_af_packet0,iface=v0")
    home_switch.wait_state("nic0", "up")
    speak(far, "v1")
    known_at(home_switch, "nic0")
    far.ip("link", "set", "v1", "down")
    forgotten(home_switch, SILENT, 2 * AT_ONCE)
    far.ip("link", "set", "v1", "up")
    home_switch.wait_state("nic0", "up")
    heard_at(home_switch, "nic0", far, "v1")
    home.ip("link", "delete", "v0")
    forgotten(home_switch, SILENT, 2 * AT_ONCE)
