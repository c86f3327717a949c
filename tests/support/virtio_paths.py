# SPDX-License-Identifier: BSD-3-Clause
"""The receive and transmit paths of DPDK's virtio PMD on a split ring, by their published names.

The PMD chooses among five implementations by its device arguments and by what the backend offers;
DPDK's test suite runs its cases over each. Which one was chosen, only its log tells.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VirtioPath:
    """`name` as in the test suite's plans: m/n mergeable or not, io in-order, v vectorized."""

    name: str
    devargs: str
    receive: str  # what the PMD's log calls the function that it chose
    mergeable: bool
    indirect: bool  # whether a frame in several mbufs takes one slot of the transmit ring

    @property
    def log_line(self) -> str:
        return f"virtio: using {self.receive} Rx path"


SPLIT_PATHS = (
    VirtioPath("S-m", "mrg_rxbuf=1,in_order=0", "mergeable buffer", True, True),
    VirtioPath("S-n", "mrg_rxbuf=0,in_order=0", "standard", False, True),
    VirtioPath("S-n-v", "mrg_rxbuf=0,in_order=0,vectorized=1", "vectorized", False, True),
    VirtioPath("S-io-m", "mrg_rxbuf=1,in_order=1", "inorder", True, False),
    VirtioPath("S-io-n", "mrg_rxbuf=0,in_order=1", "inorder", False, False),
)
PATH = {path.name: path for path in SPLIT_PATHS}
