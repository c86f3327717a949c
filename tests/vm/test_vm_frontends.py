# SPDX-License-Identifier: BSD-3-Clause
"""QEMU guests as frontends: Linux drives cards of every kind against the switch."""

from __future__ import annotations

import pytest
from hall import CARDS, DPDK, Hall

pytestmark = pytest.mark.timeout(240)


@pytest.mark.parametrize("card", [card.name for card in CARDS if not card.name.startswith("mtu")])
def test_guest_pings_dpdk(hall: Hall, card: str) -> None:
    """virtio_pvp_regression (case 12), virtio 0.95 and 1.0: frames of 64 and 1518 bytes with FCS."""
    for payload in (18, 1472):
        hall.ping("a", card, DPDK, payload)
