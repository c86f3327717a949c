# SPDX-License-Identifier: BSD-3-Clause
"""Large segments for an interface of the kernel that takes none: each is cut into thousands."""

from __future__ import annotations

import os
import time
from typing import Optional

from siege.attack import Attack, Ground
from siege.floods import SENDER, Flood, roomy
from vswitch.bench.namespaces import new_namespace
from vswitch.messages import Feature
from vswitch.segments import TcpFrame

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


ATTACKS = [
    Attack("tiny-segments", "time", "large segments cut into tiny ones for an interface of the kernel",
           tiny_segments, cases=(7,), needs=needs_interfaces),
]
