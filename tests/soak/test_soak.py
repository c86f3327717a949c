# SPDX-License-Identifier: BSD-3-Clause
"""A soak of some seconds: half an hour is for `./dev soak`."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from support import Process, Registry, wait_until
from support.process import PROJECT, binary

LIMIT = 60.0


def start(registry: Registry, workdir: Path, *words: str) -> Process:
    """`soak.py` with all its temporary files below `workdir`."""
    (workdir / "t").mkdir()
    env = {
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(workdir / "t"),
        "VSWITCH_BUILD": str(binary("vswitch/vswitchd").parent.parent),
    }
    argv = ["/usr/bin/python3", str(PROJECT / "tests" / "soak" / "soak.py"), *words]
    return registry.start("soak", argv, env)


@pytest.mark.timeout(240)
def test_soak_ends_on_ctrl_c_and_leaves_nothing(registry: Registry, workdir: Path) -> None:
    """With the checks and the summary of an end in time."""
    soak = start(registry, workdir, "--time", "30m", "--seed", "7")
    pair = wait_until(
        "the pair has sent frames",
        lambda: [path for path in workdir.glob("t/*/pair.out") if path.stat().st_size > 0],
        LIMIT, soak.tail,
    )
    os.kill(soak.pid, signal.SIGINT)
    assert soak.wait(2 * LIMIT) == 0, soak.tail()
    told = soak.out()
    assert "at the end: " in told and "summary, " in told and "nothing was found" in told
    assert not pair[0].exists()
    assert list((workdir / "t").iterdir()) == []
