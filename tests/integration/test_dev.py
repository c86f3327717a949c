# SPDX-License-Identifier: BSD-3-Clause
"""`./dev` itself: what it builds, what it says where it cannot install, and trees of other releases."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Sequence

import pytest
from support import Registry, wait_until
from support.process import PROJECT, Process, as_user, binary, ordinary_user

BUSYBOX = Path("/bin/busybox")
MISSING = "no-such-package-of-debian"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")


def run_dev(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """As a user without rights, where root runs the tests."""
    return subprocess.run(
        [*as_user(ordinary_user()), str(directory / "dev"), *words], cwd=directory,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=50)


@pytest.fixture(name="copy")
def copy_of_dev(workdir: Path) -> Path:
    """The script and trees.py, in a directory where they may make something."""
    shutil.copy(PROJECT / "dev", workdir)
    (workdir / "dev.d").mkdir()
    for name in ("trees.py", "tree_enter.sh"):
        shutil.copy(PROJECT / "dev.d" / name, workdir / "dev.d")
    return workdir


def test_build_takes_no_tests() -> None:
    """Only the programs, their manual pages and their completion, which are a fifth of everything."""
    build = binary("ctl/vswitchctl").parent.parent
    inputs = subprocess.run(
        ["ninja", "-C", str(build), "-t", "inputs", "programs"], capture_output=True, text=True,
        check=True).stdout.splitlines()
    names = " ".join(inputs)
    for source in ("vswitch/program/main.c", "ctl/main.c", "client/main.c", "docs/man/vswitchd.8.in"):
        assert source in names
    assert "tests/" not in names


@pytest.mark.skipif(shutil.which("sudo") is not None, reason="where sudo is, it is asked")
def test_line_for_root(copy: Path) -> None:
    script = copy / "dev"
    script.write_text(script.read_text().replace("build_packages=(", f"build_packages=({MISSING} "))
    done = run_dev(copy, "build")
    assert done.returncode == 1
    assert f"apt-get install --no-install-recommends {MISSING}\n" in done.stderr


def test_trees_are_roots(copy: Path) -> None:
    done = run_dev(copy, "build", "--on", "trixie")
    assert done.returncode == 1
    assert "takes root" in done.stderr
    done = run_dev(copy, "clean", "--on", "trixie")
    assert "verbs for it" in done.stderr


def test_clean_leaves_a_tree_that_is_used(copy: Path) -> None:
    trees = copy / "build" / "trees"
    trees.mkdir(parents=True)
    for folder in ("python", "bench", "demo", "tests"):
        (copy / folder).mkdir()
    with (trees / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        done = subprocess.run([copy / "dev", "clean"], capture_output=True, text=True)
        assert done.returncode == 1
        assert "in use" in done.stderr
        assert trees.exists()
    subprocess.run([copy / "dev", "clean"], check=True)
    assert not trees.exists()


@pytest.fixture(name="tree")
def minimal_tree(workdir: Path) -> Path:
    """A root of one program."""
    tree = workdir / "tree"
    for folder in ("bin", "dev", "proc", "root", "run", "sys", "tmp"):
        (tree / folder).mkdir(parents=True)
    shutil.copy(BUSYBOX, tree / "bin" / "busybox")
    for name in ("cat", "ls", "rmdir", "sh", "sleep", "umount"):
        (tree / "bin" / name).symlink_to("busybox")
    return tree


def entered(registry: Registry, tree: Path, command: Sequence[str]) -> Process:
    """trees.py runs a command in it, as ./dev does in a tree of a release."""
    program = (
        "import sys, trees; "
        "tree = trees.Tree('none'); "
        f"tree.root = trees.Path({str(tree)!r}); "
        f"sys.exit(tree.enter('/root', {list(command)!r}))")
    return registry.start("tree", ["/usr/bin/python3", "-c", program],
                          {"PYTHONPATH": str(PROJECT / "dev.d")})


def mounts_of(tree: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if str(tree) in line]


def inhabitants(tree: Path) -> list[str]:
    """Processes whose root is the tree."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.path.samefile(process / "root", tree):
                found.append(process.name)
        except OSError:
            continue
    return found


@as_root
def test_a_tree_has_its_own_mounts_and_processes(registry: Registry, tree: Path) -> None:
    shown = entered(registry, tree, ["/bin/busybox", "sh", "-c",
                                     "echo $$ $PWD; cat /proc/mounts; ls / /dev/null; exit 7"])
    assert shown.wait() == 7, shown.report("left otherwise")
    first, *mounts = shown.out().splitlines()
    assert first == "1 /root"
    points = {line.split()[1] for line in mounts if line.count(" ") == 5}
    assert {"/", "/dev", "/proc", "/run", "/sys", "/tmp"} <= points
    assert not [point for point in points if point.startswith("/run/host")]
    assert "/dev/null" in mounts
    assert mounts_of(tree) == []


@as_root
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_of_a_tree_is_left(registry: Registry, tree: Path, number: int) -> None:
    """Also of what had gone into the background; however its end comes."""
    script = "(sleep 1000 &) ; echo begun; sleep 1000"
    begun = entered(registry, tree, ["/bin/busybox", "sh", "-c", script])
    wait_until("it runs", begun.out, 20.0)
    assert mounts_of(tree) == []
    begun.send_signal(number)
    begun.wait()
    wait_until("all of it is gone", lambda: inhabitants(tree) == [], 20.0)
    shutil.rmtree(tree)
