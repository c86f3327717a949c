# SPDX-License-Identifier: BSD-3-Clause
"""The n-th call fails: a sample here, all of them by `./dev soak --faults`."""

from __future__ import annotations

import pytest
from fault_walk import Walk, sample
from support import Registry

SEED = 1
STARTS = 4
OPERATIONS = 450


@pytest.mark.timeout(180)
def test_sample_of_failing_calls(registry: Registry) -> None:
    walk = Walk(registry)
    try:
        sample(walk, SEED, STARTS, OPERATIONS)
    finally:
        walk.end_world()
    assert walk.findings == []
    assert walk.failed_in_words > 0, f"none of {walk.done} faults was met"
