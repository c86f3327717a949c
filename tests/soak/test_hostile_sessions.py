# SPDX-License-Identifier: BSD-3-Clause
"""A random hostile frontend: 300 sessions here, 100,000 by `./dev soak --sessions 100000`."""

from __future__ import annotations

import time

from hostile_run import HostileRun
from support import Registry

SESSIONS = 300


def test_random_sessions_leave_nothing(registry: Registry) -> None:
    seed = int(time.time())
    print(f"seed {seed}")
    run = HostileRun(registry, "s")
    told = run.run(seed, SESSIONS, seconds=10)
    run.stop()
    assert 0 < told["sessions"] <= SESSIONS, told
    assert told["running_rings"] > told["sessions"] / 10, told
