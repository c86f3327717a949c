# SPDX-License-Identifier: BSD-3-Clause
"""`--control-group`: who may use the control socket, and which switch `vswitchctl` asks by itself."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from support.process import as_user, binary, ordinary_user

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="a mount of its own for /run takes root")

# In a mount namespace with a /run of its own: the switch of /run/vswitch, open to the group `daemon`, is started,
# and each further word is a shell command that is then run.
HOST_SWITCH = """
mount -t tmpfs -o mode=755 tmpfs /run
"$1" --huge off --memory 64 --control-group daemon 2>/run/log & shift
"$1" --socket-dir /run/vswitch --wait 20 add-port host >/run/out || { cat /run/log; exit 1; }
export PATH="${1%/*}:$PATH" && shift
mkdir -m 755 /run/user
for command; do sh -c "$command"; echo "status $?"; done 2>&1
kill %1 && wait %1
"""
MEMBER = "setpriv --reuid 65534 --regid 65534 --groups 1 -- env XDG_RUNTIME_DIR=/run/user "
OTHER = "setpriv --reuid 65534 --regid 65534 --clear-groups -- env XDG_RUNTIME_DIR=/run/user "


@as_root
def test_group_finds_the_switch_of_the_host() -> None:
    """A member of the group is led to it, unless he has a directory of his own; another user is not."""
    commands = [
        "stat -c '%a %G' /run/vswitch/control.sock",
        f"{MEMBER} vswitchctl --wait 0 --json show-port host | grep -c state",
        f"{OTHER} vswitchctl --wait 0 status",
        f"{OTHER} vswitchctl --wait 0 --socket-dir /run/vswitch status",
        f"mkdir /run/user/vswitch; {MEMBER} vswitchctl --wait 0 status",
    ]
    done = subprocess.run(
        ["/usr/bin/unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
         "--mount-proc", "/bin/bash", "-c", HOST_SWITCH, "bash", str(binary("vswitch/vswitchd")),
         str(binary("ctl/vswitchctl")), *commands],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100)
    out = done.stdout
    assert done.returncode == 0, out
    mode, member, other, named, own = (part.strip() for part in re.split(r"status \d+\n", out)[:5])
    assert mode == "660 daemon"
    assert int(member) >= 1
    assert "/run/user/vswitch/control.sock" in other
    assert "permission denied" in named
    assert "/run/user/vswitch/control.sock" in own
    assert re.findall(r"status (\d+)", out) == ["0", "0", "3", "3", "3"]


def test_group_that_is_not_there() -> None:
    done = subprocess.run([str(binary("vswitch/vswitchd")), "--control-group", "no-such"],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert "--control-group: this host has no group 'no-such'" in done.stderr


def test_group_of_others(workdir: Path) -> None:
    """The user may not give a file to a group that he is not in; nothing that was made is left."""
    workdir.chmod(0o777)
    done = subprocess.run(
        [*as_user(ordinary_user()), str(binary("vswitch/vswitchd")), "--socket-dir", str(workdir / "s"),
         "--huge", "off", "--memory", "64", "--control-group", "0"],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "group root: this user is not in it; name one of its groups" in done.stderr
    assert not (workdir / "s").exists()
