# SPDX-License-Identifier: BSD-3-Clause
"""Runs a verb of ./dev in a minimal tree of a Debian release.

`./dev VERB --on RELEASE [ARGUMENT...]` calls it as `trees.py RELEASE VERB [ARGUMENT...]`, as root.
The tree, build/trees/RELEASE, is made by debootstrap, holds only what Debian calls required, and is
kept: packages that ./dev installs in there stay, and once a day they are updated. The sources are
copied into it, so that what is compiled there and here never meets.

Whatever runs in the tree runs in mount and PID namespaces of its own (tree_enter.sh): no mount is
ever seen or left outside, and the end of this process ends every process in there. The network is
the host's, and so are /dev and /sys.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

PROJECT = Path(__file__).resolve().parent.parent
TREES = PROJECT / "build" / "trees"
SOURCES = "/src/vswitch"  # in the tree
SCRIPTS = Path("/usr/share/debootstrap/scripts")
VERBS = ("bench", "build", "demo", "fuzz", "lint", "package", "setup", "soak", "test")
UPDATE_AFTER = 24 * 3600.0  # seconds
NAMESPACES = (
    "/usr/bin/setpriv", "--pdeathsig", "KILL", "--",
    "/usr/bin/unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
)
ENVIRONMENT = {
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}
TAKEN_OVER = ("TERM", "http_proxy", "https_proxy", "no_proxy")


def fail(message: str) -> NoReturn:
    sys.exit(f"dev: {message}")


def run(command: Sequence[str], env: dict[str, str] | None = None) -> int:
    """A command in namespaces of its own. SIGTERM to this process ends all that runs in there."""
    with subprocess.Popen([*NAMESPACES, *command], env=env) as process:
        def end(number: int, frame: FrameType | None) -> None:
            process.kill()

        before = signal.signal(signal.SIGTERM, end)
        try:
            # Ctrl-C reaches the command as well, which ends in its own way, and then is waited for.
            while True:
                try:
                    return process.wait()
                except KeyboardInterrupt:
                    continue
        finally:
            signal.signal(signal.SIGTERM, before)


def mirrors(label: str) -> list[str]:
    """Where this host's apt takes packages of Debian from; none where it is no Debian."""
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Origin: Debian",
         f"Label: {label}", "Created-By: Packages"],
        capture_output=True, text=True)
    return sorted(set(done.stdout.split()))


def apt_configuration() -> str:
    """How this host's apt reaches its mirrors. A snapshot may be old, which debootstrap allows, too."""
    done = subprocess.run(["apt-config", "dump"], capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("Acquire::http")]
    return "".join(f"{line}\n" for line in [*lines, 'Acquire::Check-Valid-Until "false";'])


class Tree:
    def __init__(self, release: str) -> None:
        self.release = release
        self.root = TREES / release
        self.services = self.root / "usr" / "sbin" / "policy-rc.d"  # the last thing that is made
        self.stamp = TREES / f"{release}.updated"
        self.log = TREES / f"{release}.log"

    def enter(self, directory: str, command: Sequence[str]) -> int:
        env = {name: os.environ[name] for name in TAKEN_OVER if name in os.environ}
        script = str(PROJECT / "dev.d" / "tree_enter.sh")
        return run([script, str(self.root), directory, *command], {**env, **ENVIRONMENT})

    def make(self) -> None:
        if self.services.exists():
            return
        self.stamp.unlink(missing_ok=True)
        print(f"dev: making a minimal tree of {self.release}; {self.log} has more", file=sys.stderr)
        shutil.rmtree(self.root, ignore_errors=True)
        command = ["/usr/sbin/debootstrap", "--variant=minbase", self.release, str(self.root)]
        mirror = next(iter(mirrors("Debian")), "")
        # A release younger than this debootstrap is made as the newest that it knows.
        script = [] if (SCRIPTS / self.release).exists() else [str(SCRIPTS / "sid")]
        words = " ".join([*command, mirror, *script])
        with self.log.open("w") as log:
            done = subprocess.run([*NAMESPACES, *command, mirror, *script], stdout=log,
                                  stderr=subprocess.STDOUT)
        if done.returncode != 0:
            fail(f"cannot make a tree of {self.release}: `{words}` failed; see {self.log}")
        (self.root / SOURCES[1:]).mkdir(parents=True)
        (self.root / SOURCES[1:]).parent.chmod(0o700)  # as a home is, which nobody else may enter
        self.services.write_text("#!/bin/sh\nexit 101\n")  # packages start no service in there
        self.services.chmod(0o755)

    def configure(self) -> None:
        """What the network needs is the host's, and may have changed since the last time."""
        etc = self.root / "etc"
        for name in ("hosts", "resolv.conf"):
            (etc / name).unlink(missing_ok=True)
            shutil.copy(f"/etc/{name}", etc / name)
        (etc / "apt" / "apt.conf.d" / "10host").write_text(apt_configuration())
        security = next(iter(mirrors("Debian-Security")), None)
        if security is not None and self.release not in ("sid", "unstable"):
            line = f"deb {security} {self.release}-security main\n"
            (etc / "apt" / "sources.list.d" / "security.list").write_text(line)

    def update(self) -> None:
        if self.stamp.exists() and time.time() - self.stamp.stat().st_mtime < UPDATE_AFTER:
            return
        options = ["-q", "-y", "-o", "Dpkg::Options::=--force-confold", "--no-install-recommends"]
        for words in (["-q", "update"], [*options, "dist-upgrade"], ["clean"]):
            command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *words]
            if self.enter("/", command) != 0:
                fail(f"cannot update the tree of {self.release}: `apt-get {' '.join(words)}` "
                     f"failed in it; its words are above. `rm -r {self.root}*` starts anew")
        self.stamp.touch()

    def copy_sources(self) -> None:
        """What git knows, and what it may get to know, as it is now; builds in the tree stay."""
        there = self.root / SOURCES[1:]
        listed = subprocess.run(
            ["git", "-c", f"safe.directory={PROJECT}", "ls-files", "-z", "-co",
             "--exclude-standard"],
            cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True).stdout.split("\0")
        for entry in there.iterdir():
            if entry.name.startswith("build"):
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        for name in listed:
            source, target = PROJECT / name, there / name
            if name != "" and source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target, follow_symlinks=False)


def main(words: Sequence[str]) -> int:
    if len(words) < 2 or words[1] not in VERBS or not words[0].isalnum():
        fail(f"after --on stands a release of Debian, as trixie; verbs for it: {', '.join(VERBS)}")
    release, *command = words
    if os.geteuid() != 0:
        fail(f"a tree of {release} takes root, who alone may mount and change roots; use sudo")
    TREES.mkdir(parents=True, exist_ok=True)
    with (TREES / "lock").open("w") as shared, (TREES / f"{release}.lock").open("w") as own:
        fcntl.flock(shared, fcntl.LOCK_SH)  # `./dev clean` takes it, too
        try:
            fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fail(f"another ./dev is at work in {TREES / release}; wait for its end")
        tree = Tree(release)
        tree.make()
        tree.configure()
        tree.update()
        tree.copy_sources()
        return tree.enter(SOURCES, ["./dev", *command])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
