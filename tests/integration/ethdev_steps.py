# SPDX-License-Identifier: BSD-3-Clause
"""What strikes a device: its interface is renamed, moved or deleted, or its peer restarts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Mapping, Optional

from kernel_end import KernelEnd
from support import Switch, wait_until
from support.fixture_types import MakeStation, MakeSwitch
from support.station import Station
from test_ethdev_life import reaches
from test_ethdev_port import HERE, THERE, veth, write_pcap

BACK = 20.0  # a second until it is missed, and tries a second apart
MAC = "02:00:00:00:00:99"


@dataclass
class Ground:
    """Where a device lives: a switch in a namespace, and who is at the other end."""

    switch: Switch
    home: KernelEnd
    far: KernelEnd  # has the veth's other end
    peer: Switch  # whom memif and virtio_user call
    workdir: Path
    make_switch: MakeSwitch
    make_station: MakeStation
    near: Station  # on a port of the switch
    there: Optional[Station] = None  # on a port of the peer

    def ifname(self) -> str:
        return str(self.switch.port("d")["device"]["ifname"])

    def missed(self) -> dict[str, Any]:
        """The port, when its device is known to be gone."""
        wait_until("it is missed", lambda: self.switch.port("d")["fault"] is not None, BACK)
        return self.switch.port("d")


Step = Callable[[Ground], None]


def nothing(ground: Ground) -> None:
    pass


@dataclass
class Driver:
    devargs: str
    prepare: Step = nothing
    refused: Mapping[str, Any] = field(default_factory=dict)  # a change that it cannot make
    carries: Step = nothing  # frames, both ways
    steps: tuple[Step, ...] = ()  # one in each life of so many, by turns
    every: int = 12
    lost_fds: int = 0  # what DPDK itself forgets with each device


# ---- On an interface of others ----


def lay_veth(ground: Ground) -> None:
    veth(ground.home, ground.far)


def across_veth(ground: Ground) -> None:
    ground.far.ping(HERE, 1)


def rename_veth(ground: Ground) -> None:
    """It has the new name until the port is deleted."""
    ground.home.ip("link", "set", "v0", "name", "w0")
    for mtu in (1400, 1500):
        ground.switch.call("port.set", name="d", mtu=mtu)
        assert ground.home.links()["w0"]["mtu"] == mtu and ground.ifname() == "w0"
    across_veth(ground)
    ground.switch.call("port.delete", name="d")
    ground.home.ip("link", "set", "w0", "name", "v0")


def is_back(ground: Ground) -> None:
    ground.switch.wait_state("d", "up", BACK)
    across_veth(ground)


def move_veth(ground: Ground) -> None:
    ground.home.ip("link", "set", "v0", "netns", ground.far.path.split("/")[2])
    assert "is gone from the switch's network namespace" in ground.missed()["state_text"]
    ground.far.ip("link", "set", "v0", "netns", ground.home.path.split("/")[2])
    ground.home.ip("link", "set", "v0", "up")
    is_back(ground)


def delete_veth(ground: Ground) -> None:
    ground.home.ip("link", "delete", "v0")
    assert "it is tried again" in ground.missed()["state_text"]
    lay_veth(ground)
    is_back(ground)


VETH_STEPS = (rename_veth, move_veth, delete_veth)

# ---- On an interface of its own ----


def across_tap(ground: Ground) -> None:
    ifname = ground.ifname()
    ground.home.ip("address", "replace", f"{THERE}/24", "dev", ifname)
    ground.home.ip("link", "set", ifname, "up")
    ground.home.ping(HERE, 1)


def rename_tap(ground: Ground) -> None:
    ground.home.ip("link", "set", "dtap0", "name", "dtap1")
    for mtu in (1400, 1500):
        ground.switch.call("port.set", name="d", mtu=mtu)
        assert ground.home.links()["dtap1"]["mtu"] == mtu and ground.ifname() == "dtap1"
    across_tap(ground)


def gone_for_good(ground: Ground) -> None:
    assert "delete the port and add it again" in ground.missed()["state_text"]


def move_tap(ground: Ground) -> None:
    ground.home.ip("link", "set", "dtap0", "netns", ground.far.path.split("/")[2])
    gone_for_good(ground)
    ground.switch.call("port.delete", name="d")
    assert "dtap0" not in ground.far.links()


def delete_tap(ground: Ground) -> None:
    ground.home.ip("link", "delete", "dtap0")
    gone_for_good(ground)


# ---- Towards a peer ----


def to_peer(ground: Ground) -> None:
    """Between a station here and another there."""
    ground.switch.wait_state("d", "up", BACK)
    ground.peer.wait_state("up", "up", BACK)
    near, there = ground.near, ground.there or ground.make_station(ground.peer, "there")
    ground.there = there
    near.announce()
    there.announce()
    for a, b in ((near, there), (there, near)):
        reaches(a, b)


def serve_memif(ground: Ground) -> None:
    ground.peer.add_port("up", type="ethdev",
                         devargs=f"net_memif9,role=server,socket={ground.workdir}/m.sock,"
                         "socket-abstract=no")


def call_memif(ground: Ground) -> None:
    ground.peer.add_port("up", type="ethdev",
                         devargs=f"net_memif9,role=client,socket={ground.workdir}/s.sock,"
                         "socket-abstract=no")


def serve_vhost(ground: Ground) -> None:
    ground.peer.add_port("up")


def restart_peer(ground: Ground, begin: Step) -> None:
    ground.peer.kill()
    ground.there = None
    ground.switch.wait_state("d", "down", BACK)
    ground.peer = ground.make_switch(directory=ground.peer.directory)
    ground.peer.conserves = False
    begin(ground)
    to_peer(ground)


def restart_memif_server(ground: Ground) -> None:
    restart_peer(ground, serve_memif)


def restart_memif_client(ground: Ground) -> None:
    call_memif(ground)
    to_peer(ground)
    restart_peer(ground, call_memif)
    ground.peer.call("port.delete", name="up")


def restart_vhost(ground: Ground) -> None:
    restart_peer(ground, serve_vhost)


# ----


def write_capture(ground: Ground) -> None:
    write_pcap(ground.workdir / "in.pcap", [])


DRIVERS = {
    "af_packet": Driver("net_af_packet0,iface=v0", lay_veth, {"mtu": 9000}, carries=across_veth,
                        steps=VETH_STEPS),
    "af_xdp": Driver("net_af_xdp0,iface=v0", lay_veth, {"mtu": 9000}, carries=across_veth,
                     steps=VETH_STEPS),
    "tap": Driver("net_tap0,iface=dtap0", refused={"mtu": 65535}, carries=across_tap,
                  steps=(rename_tap, move_tap, delete_tap)),
    "pcap": Driver("net_pcap0,rx_pcap={0}/in.pcap,tx_pcap={0}/out.pcap", write_capture,
                   {"mac": MAC}),
    # The socket that it listens on stays open.
    "memif-server": Driver("net_memif0,role=server,socket={0}/s.sock,socket-abstract=no",
                           refused={"mac": MAC}, steps=(restart_memif_client,),
                           every=24, lost_fds=1),
    "memif-client": Driver("net_memif0,role=client,socket={0}/m.sock,socket-abstract=no",
                           serve_memif, {"mac": MAC}, carries=to_peer,
                           steps=(restart_memif_server,), every=24),
    "virtio_user": Driver("net_virtio_user0,path={1}", serve_vhost, {"mac": MAC}, carries=to_peer,
                          steps=(restart_vhost,), every=24),
    "null": Driver("net_null0,no-rx=1"),
}
