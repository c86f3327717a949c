# SPDX-License-Identifier: BSD-3-Clause
"""AF_XDP: an interface's queue, bound and let go of again and again, and large MTUs."""

from __future__ import annotations

import time

import pytest
from hostile import open_descriptors
from kernel_end import KernelEnd, MakeEnd
from support import Switch
from test_ethdev_life import refusal
from test_ethdev_port import HERE, THERE, veth

ON_V0 = "net_af_xdp0,iface=v0"
LIVES = 10
SOON = 5.0  # seconds, where the kernel took ten
MTU_MAX = 3434  # an mbuf is a page at most
IP_AND_ICMP = 28  # bytes of a ping's packet before its data


@pytest.fixture
def near(make_end: MakeEnd, home_switch: Switch) -> KernelEnd:
    """Behind another port, which takes frames of any size."""
    end = make_end("near")
    home_switch.add_port("c", type="kernel", backend="tap", netns=end.path, ip=[f"{HERE}/24"],
                         mtu=9000)
    return end


def carries(near: KernelEnd, far: KernelEnd, *mtus: int) -> None:
    """Packets of these sizes in one piece, asked for and answered by both ends."""
    for mtu in mtus:
        data = ("-M", "do", "-s", str(mtu - IP_AND_ICMP))
        far.ping(HERE, 3, *data)
        near.ping(THERE, 3, *data)


def test_af_xdp_again(
    home: KernelEnd, home_switch: Switch, make_end: MakeEnd, near: KernelEnd
) -> None:
    """Deleted and added at once, it carries frames each time; changed in its life, too."""
    far = make_end("far")
    veth(home, far)
    fds = 0
    for number in range(LIVES):
        start = time.monotonic()
        home_switch.add_port("x", type="ethdev", devargs=ON_V0)
        carries(near, far, 84, 1500)
        assert time.monotonic() - start < SOON
        mtu = (1400, 1300, 1500)[number % 3]
        home_switch.call("port.set", name="x", mtu=mtu)
        home_switch.wait_state("x", "up")
        assert home.links()["v0"]["mtu"] == home_switch.port("x")["device"]["mtu"] == mtu
        far.ping(HERE, 1)
        fds = fds or open_descriptors(home_switch)
        assert open_descriptors(home_switch) == fds
        assert home_switch.drops("x") == {}
        home_switch.call("port.delete", name="x")
    home_switch.conserves = False


def test_af_xdp_carries_its_mtu(
    home: KernelEnd, home_switch: Switch, make_end: MakeEnd, near: KernelEnd
) -> None:
    """Up to the largest, with no look away; a larger one is refused by name and changes nothing."""
    far = make_end("far")
    veth(home, far)
    home_switch.add_port("x", type="ethdev", devargs=ON_V0)
    for mtu in (1500, 1800, 2026, 3000, MTU_MAX):
        home_switch.call("port.set", name="x", mtu=mtu)
        far.ip("link", "set", "v1", "mtu", str(mtu))
        assert home.links()["v0"]["mtu"] == home_switch.port("x")["device"]["mtu"] == mtu
        carries(near, far, 84, 1500, mtu)
    for mtu in (MTU_MAX + 1, 9000):
        message = refusal(home_switch, "port.set", name="x", mtu=mtu)
        assert f"net_af_xdp takes an MTU of at most {MTU_MAX}, and not {mtu}" in message
        assert home.links()["v0"]["mtu"] == home_switch.port("x")["mtu"] == MTU_MAX
        carries(near, far, 84, MTU_MAX)
    home_switch.call("port.delete", name="x")
    message = refusal(home_switch, "port.add", name="x", type="ethdev", devargs=ON_V0, mtu=9000)
    assert f"net_af_xdp takes an MTU of at most {MTU_MAX}, and not 9000" in message
    home_switch.add_port("x", type="ethdev", devargs=ON_V0, mtu=3000)
    carries(near, far, 3000)
    home_switch.conserves = False
