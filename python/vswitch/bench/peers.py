# SPDX-License-Identifier: BSD-3-Clause
"""Who is measured, in the order of their turns. The first is what the others are compared with."""

from __future__ import annotations

from typing import Type

from vswitch.bench.ours import Ours
from vswitch.bench.ovs import Ovs
from vswitch.bench.peer import Peer
from vswitch.bench.testpmd_vhost import TestpmdVhost

PEERS: dict[str, Type[Peer]] = {
    Ours.name: Ours,
    TestpmdVhost.name: TestpmdVhost,
    Ovs.name: Ovs,
}
OURS = Ours.name
