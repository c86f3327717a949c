# SPDX-License-Identifier: BSD-3-Clause
"""Large segments for receivers that take none, and devices whose drivers speak to strangers."""

from __future__ import annotations

import os
import time
from typing import Optional

from siege.attack import Attack, Ground
from siege.floods import SENDER, TARGET, Flood, Sink, announce, roomy
from support.messages import Channel, Feature, Request, message, u64
from support.namespaces import new_namespace
from support.segments import TcpFrame
from support.waiting import wait_until
from vswitch.client import RpcError

KERNEL_MAC = "02:00:00:00:0a:99"
SEGMENTS = 64
OFFLOADS = (Feature.CSUM, Feature.HOST_TSO4)


def needs_interfaces() -> Optional[str]:
    if os.geteuid() != 0:
        return "only root makes interfaces"
    return None if os.path.exists("/dev/net/tun") else "there is no /dev/net/tun"


def tiny_segments(ground: Ground) -> None:
    """As many segments as a frame may have, of ten bytes each, to a port in a namespace of its own."""
    space = new_namespace(ground.registry, "kernel")
    name = ground.ports[0] + "-k"
    with ground.client() as owner:
        owner.call("port.add", name=name, type="kernel", backend="tap", ifname="siege0",
                   netns=space.path, mac=KERNEL_MAC, offload=False)
        try:
            owner.call("fdb.add", mac=KERNEL_MAC, port=name)
            with ground.attached(roomy(256, offloads=OFFLOADS)) as sender:
                large = TcpFrame(KERNEL_MAC, SENDER, bytes(SEGMENTS * 10))
                header = large.segments_header(10).pack()
                flood = Flood(sender, [large.left()], header)
                while ground.going():
                    flood.pump()
                    time.sleep(0.0005)
                stats = owner.call("stats.get", {"name": name})["ports"][name]
                ground.tell(f"{stats['offload']['segments']:,} segments")
        finally:
            owner.call("port.delete", name=name)


def large_segments(ground: Ground) -> None:
    """The most that may be left to the switch: frames of 64 KiB for a frontend without offloads."""
    with ground.attached(roomy(256, 32, offloads=OFFLOADS)) as sender:
        with ground.attached(roomy(), 1) as receiver:
            announce(receiver, TARGET)
            size = 2048
            base = receiver.memory.alloc(receiver.rx.size * size)
            sink = Sink(receiver, ((base + n * size, size) for n in range(receiver.rx.size)))
            large = TcpFrame(TARGET, SENDER, bytes(64_000))
            flood = Flood(sender, [large.left()], large.segments_header(210).pack())
            while ground.going():
                flood.pump()
                sink.pump()
                time.sleep(0.0005)


def strange_driver(ground: Ground) -> None:
    """A device by a driver that makes a socket for strangers: past the gate, if it is let."""
    path = ground.registry.directory / "strange.sock"
    name = ground.ports[0] + "-d"
    with ground.client() as owner:
        try:
            owner.call("port.add", name=name, type="ethdev", devargs=f"net_vhost7,iface={path}")
        except RpcError as error:
            ground.tell(f"refused: {error.message}")
            return
        try:
            wait_until("the driver listens", path.exists, 10.0)
            with Channel.connect(path) as stranger:
                stranger.sendall(message(Request.SET_FEATURES, u64(0))[:13])
                time.sleep(ground.left)
            ground.tell("half a message was heard by the library itself")
        finally:
            owner.call("port.delete", name=name)


ATTACKS = [
    Attack("tiny-segments", "time", "large segments cut into tiny ones for an interface of the kernel",
           tiny_segments, cases=(7,), needs=needs_interfaces),
    Attack("large-segments", "time", "frames of 64 KiB for a frontend that takes no large segments",
           large_segments, ports=2, cases=(7,)),
    Attack("strange-driver", "host", "a device of the vhost library's own, past the gate",
           strange_driver, cases=(13,)),
]
