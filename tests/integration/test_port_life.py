# SPDX-License-Identifier: BSD-3-Clause
"""Ports of all kinds whose lives meet: changes that fail half-way, ends amidst other things."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import Setup, Switch
from support.fixture_types import MakeStation
from support.frames import BROADCAST
from support.memory import MIB, RegionSpec
from support.messages import Feature
from support.segments import TcpFrame
from vswitch import RpcError

JUMBO, LARGEST = 9000, 65535


def test_change_without_memory_is_taken_back(
    switch: Switch, station: MakeStation, workdir: Path
) -> None:
    """The device had to be stopped for it, and is as before afterwards."""
    for number in range(2):
        switch.add_port(
            f"d{number}", type="ethdev", devargs=f"net_pcap{number},tx_pcap={workdir}/{number}",
            mtu=JUMBO,
        )
    sender = station(switch, "s")
    for number in range(2):
        with pytest.raises(RpcError, match="--memory"):
            switch.call("port.set", name=f"d{number}", mtu=LARGEST)
        port = switch.port(f"d{number}")
        assert (port["state"], port["mtu"], port["fault"]) == ("up", JUMBO, None)
    sender.send(BROADCAST)
    for number in range(2):
        switch.wait_stats(f"d{number}", tx_frames=1)


def test_device_that_would_wait_is_refused(switch: Switch, workdir: Path) -> None:
    """Devices are made one after the other: one that waits for its peer would stop all others."""
    devargs = f"net_virtio_user0,path={workdir}/server.sock,server=1"
    with pytest.raises(RpcError, match="server=1"):
        switch.call("port.add", name="d", type="ethdev", devargs=devargs)
    switch.add_port("d", type="ethdev", devargs="net_null0,no-rx=1")
    switch.wait_state("d", "up")


def test_work_for_a_receiver_is_bounded(home_switch: Switch, station: MakeStation) -> None:
    """Frames that are to be cut into single bytes: each ends its turn, and none is lost for it."""
    burst, segments = 64, 320
    setup = Setup(offloads=(Feature.CSUM, Feature.HOST_TSO4), regions=(RegionSpec(4 * MIB),))
    sender = station(home_switch, "s", setup)
    station(home_switch, "r")
    home_switch.add_port("k", type="kernel", backend="tap", ifname="life0", offload=False)
    home_switch.call("stats.clear")
    frame = TcpFrame(BROADCAST, sender.mac, bytes(segments))
    header = frame.segments_header(1).pack()
    sender.frontend.send(*[frame.left()] * burst, header=header)
    sender.frontend.flush()
    for port in ("r", "k"):
        home_switch.wait_stats(port, checksummed=0, segmented=burst, segments=burst * segments)
    assert home_switch.drops("k") == {}
