# SPDX-License-Identifier: BSD-3-Clause
"""Starts where the system around the switch lacks something: descriptors, /proc, /sys."""

from __future__ import annotations

import os
from typing import Optional

import pytest
from support import Switch
from support.fixture_types import MakeSwitch
from test_start import fails
from vswitch import RpcError

LEAST = 43  # descriptors of a switch with one worker and no ports
PORT = 524  # of one that may have a port with a frontend


def without_mount(path: str) -> list[str]:
    return ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", f'umount -l {path} && exec "$0" "$@"']


def with_descriptors(most: int) -> list[str]:
    return ["/usr/bin/prlimit", f"--nofile={most}:{most}"]


def refuses(switch: Switch, *words: str) -> None:
    """It says what is missing, in one line, and nothing else."""
    lines = fails(switch, status=1).splitlines()
    assert len(lines) == 1 and switch.process.out() == "", switch.process.report("said something else")
    for word in words:
        assert word in lines[0], (word, lines)
    assert not switch.directory.exists()


def warning(switch: Switch) -> Optional[str]:
    for line in switch.process.log().splitlines():
        if line.startswith("warning: "):
            return line
    return None


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to unmount")


@pytest.mark.parametrize("most", [16, 24, 32, LEAST - 1])
def test_too_few_descriptors_to_start(make_switch: MakeSwitch, most: int) -> None:
    switch = make_switch(start=False, wrapper=with_descriptors(most))
    refuses(switch, str(most), str(LEAST), "RLIMIT_NOFILE", "ulimit -n", "LimitNOFILE=")


def test_more_workers_take_more_descriptors(make_switch: MakeSwitch) -> None:
    switch = make_switch("--workers", "4", start=False, wrapper=with_descriptors(LEAST))
    refuses(switch, str(LEAST + 9), "RLIMIT_NOFILE")
    make_switch("--workers", "4", wrapper=with_descriptors(LEAST + 9))


@pytest.mark.parametrize("most", [LEAST, 64, PORT - 1])
def test_too_few_descriptors_for_a_port(make_switch: MakeSwitch, most: int) -> None:
    """It starts with a warning, and answers."""
    switch = make_switch(wrapper=with_descriptors(most))
    text = warning(switch)
    assert text is not None and str(most) in text and "RLIMIT_NOFILE" in text and str(PORT) in text
    if most < PORT - 1:
        with pytest.raises(RpcError, match="RLIMIT_NOFILE"):
            switch.add_port("a")


def test_descriptors_for_one_port(make_switch: MakeSwitch) -> None:
    switch = make_switch(wrapper=with_descriptors(PORT))
    assert warning(switch) is None
    switch.add_port("a")


@needs_root
def test_no_sys(make_switch: MakeSwitch) -> None:
    switch = make_switch(start=False, wrapper=without_mount("/sys"))
    refuses(switch, "/sys/devices/system/cpu", "mount it")


@needs_root
def test_no_proc(make_switch: MakeSwitch) -> None:
    """It starts with a warning; who adds a port is told again."""
    switch = make_switch(wrapper=without_mount("/proc"))
    text = warning(switch)
    assert text is not None and "/proc" in text and "mount it" in text
    with pytest.raises(RpcError, match="is /proc mounted"):
        switch.add_port("a")
    assert switch.call("port.list") == []
