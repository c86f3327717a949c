# SPDX-License-Identifier: BSD-3-Clause
"""Tries the Debian packages as their user does: `package_check.py DIRECTORY`, as root.

A minimal tree of this machine's release is made by debootstrap in DIRECTORY, with nothing in it that building takes, and
its own systemd is booted (tree_boot.sh). The packages in DIRECTORY are installed in there and the service is tried:
first ping, group, configuration, restart, kernel port, drop-in, figures of the sandbox, purge. The tree goes at the end.

The network is a new one with nothing in it, so packages are downloaded before the boot.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import trees

TREE_LIMIT = 900.0  # seconds, for what depends on the mirror
LIMIT = 120.0
EXPOSURE_LIMIT = 2.0  # of the unit, by `systemd-analyze security`
PING_LIMIT = 60.0  # from `apt install` to the first answer
CGROUPS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))
APT = "DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends"
DROP_IN = "/etc/systemd/system/vswitchd.service.d"
EXAMPLE = "/usr/share/doc/vswitch/examples/namespaces.conf"


def say(text: str) -> None:
    print(f"package: {text}", flush=True)


def release() -> str:
    words = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines()
                 if "=" in line)
    if "VERSION_CODENAME" not in words:
        trees.fail("/etc/os-release names no release (VERSION_CODENAME); --check takes a Debian")
    return words["VERSION_CODENAME"].strip('"')


def make_tree(tree: Path) -> None:
    name = release()
    shutil.rmtree(tree, ignore_errors=True)
    say(f"making a minimal tree of {name}; {tree}.log has more")
    script = [] if (trees.SCRIPTS / name).exists() else [str(trees.SCRIPTS / "sid")]
    mirror = next(iter(trees.mirrors("Debian")), "")
    with Path(f"{tree}.log").open("w") as log:
        done = subprocess.run(
            [*trees.NAMESPACES, "/usr/sbin/debootstrap", "--variant=minbase",
             "--include=systemd,systemd-sysv,iproute2,iputils-ping", name, str(tree), mirror, *script],
            stdout=log, stderr=subprocess.STDOUT, timeout=TREE_LIMIT)
    if done.returncode != 0:
        trees.fail(f"debootstrap made no tree of {name}; see {tree}.log")
    for file in ("hosts", "resolv.conf"):
        (tree / "etc" / file).unlink(missing_ok=True)
        shutil.copy(f"/etc/{file}", tree / "etc" / file)
    (tree / "etc" / "apt" / "apt.conf.d" / "10host").write_text(trees.apt_configuration())


def download(tree: Path, packages: list[Path]) -> None:
    """What the packages depend on lies in apt's cache afterwards."""
    there = tree / "packages"
    there.mkdir()
    for package in packages:
        shutil.copy(package, there)
    enter = str(Path(__file__).with_name("tree_enter.sh"))
    command = f"{APT} update && {APT} install --download-only /packages/*.deb"
    done = subprocess.run([*trees.NAMESPACES, enter, str(tree), "/", "/bin/sh", "-c", command],
                          env=trees.ENVIRONMENT, capture_output=True, text=True, timeout=TREE_LIMIT)
    if done.returncode != 0:
        trees.fail(f"apt finds not all that the packages depend on:\n{done.stdout}{done.stderr}")


@contextmanager
def cgroup() -> Iterator[Path]:
    """A control group of the second version, with all that is in it ended and removed afterwards."""
    root = next((path for path in CGROUPS if (path / "cgroup.procs").exists()
                 and (path / "cgroup.controllers").exists()), None)
    if root is None:
        trees.fail("no file system cgroup2 is mounted, which systemd needs")
    group = root / f"vswitch-package-{os.getpid()}"
    group.mkdir()
    try:
        yield group
    finally:
        if (group / "cgroup.kill").exists():
            (group / "cgroup.kill").write_text("1")
        wait("its control group is empty", lambda: "populated 0" in (group / "cgroup.events").read_text())
        for path in sorted(group.glob("**/"), reverse=True):
            path.rmdir()


def wait(what: str, holds: Callable[[], bool], limit: float = LIMIT) -> float:
    """Seconds until it holds."""
    start = time.monotonic()
    while not holds():
        if time.monotonic() - start > limit:
            trees.fail(f"waited {limit:g} s in vain: {what}")
        time.sleep(0.1)
    return time.monotonic() - start


class Machine:
    """The booted tree."""

    def __init__(self, tree: Path, group: Path) -> None:
        script = f'echo $$ >{group}/cgroup.procs && exec "$@"'
        boot = str(Path(__file__).with_name("tree_boot.sh"))
        with Path(f"{tree}.console").open("w") as console:
            self.process = subprocess.Popen(
                ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--", "/bin/sh", "-c", script, "sh",
                 "/usr/bin/unshare", "--mount", "--propagation", "private", "--pid", "--fork",
                 "--kill-child", "--cgroup", "--net", "--ipc", "--uts", boot, str(tree)],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)
        self.first = 0
        wait("the first process of the tree", self._find_first)
        wait("systemd has booted", lambda: self.attempt("systemctl is-system-running")[1].strip()
             in ("running", "degraded"))

    def _find_first(self) -> bool:
        if self.process.poll() is not None:
            trees.fail("systemd does not boot in the tree; its console is beside it")
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.first = int(children[0]) if children else 0
        return self.first > 0 and "systemd" in Path(f"/proc/{self.first}/comm").read_text()

    def attempt(self, command: str) -> tuple[int, str]:
        done = subprocess.run(
            ["/usr/bin/nsenter", "-t", str(self.first), "-m", "-p", "-n", "-i", "-u", "-C", "--",
             "/bin/sh", "-c", command],
            env=trees.ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=LIMIT)
        return done.returncode, done.stdout

    def run(self, command: str) -> str:
        status, out = self.attempt(command)
        if status != 0:
            journal = self.attempt("journalctl -n 30 --no-pager -u vswitchd")[1]
            trees.fail(f"`{command}` failed with {status}:\n{out}\n{journal}")
        return out

    def refuses(self, command: str, words: str) -> None:
        status, out = self.attempt(command)
        if status == 0 or words not in out:
            trees.fail(f"`{command}` should fail and say '{words}': {status}\n{out}")

    def exposure(self) -> float:
        out = self.run("systemd-analyze security --no-pager vswitchd | tail -n 1")
        return float(out.split("vswitchd.service:")[1].split()[0])

    def station(self, port: str, address: str) -> None:
        """A client that answers behind a port; it ends with the switch, so that it is started anew then."""
        path = f"/run/vswitch/{port}.sock"
        self.attempt(f"systemctl stop {port}; systemctl reset-failed {port}")
        self.run(f"systemd-run -q --unit={port} vuser-client --path {path} --ip {address} respond")
        wait(f"{port} is up", lambda: '"state": "up"' in self.run(f"vswitchctl --json show-port {port}"))


def install_and_ping(machine: Machine) -> None:
    start = time.monotonic()
    machine.run(f"{APT} install /packages/*.deb")
    machine.run("systemctl start vswitchd")
    installed = time.monotonic() - start
    machine.run("vswitchctl add-port p0 p1")
    machine.station("p0", "10.0.0.1/24")
    machine.run("vuser-client --path /run/vswitch/p1.sock --ip 10.0.0.2/24 ping 10.0.0.1 -c 1")
    whole = time.monotonic() - start
    say(f"first ping {whole:.1f} s after the start of apt install (service up after {installed:.1f} s;"
        f" what apt had to download lay there)")
    if whole > PING_LIMIT:
        trees.fail(f"the first ping is to come within {PING_LIMIT:g} s")


def unit(machine: Machine) -> None:
    machine.run("systemctl is-enabled vswitchd")
    machine.run("systemd-analyze verify --man=no vswitchd.service")
    pid = int(machine.run("systemctl show -P MainPID vswitchd"))
    status = machine.run(f"cat /proc/{pid}/status")
    rights = [line.split()[1] for line in status.splitlines() if line.startswith(("CapEff", "CapBnd"))]
    if rights != ["0000000000001000"] * 2:
        trees.fail(f"the service has other rights than CAP_NET_ADMIN: {rights}")
    exposure = machine.exposure()
    say(f"systemd-analyze security: {exposure} for the unit")
    if exposure > EXPOSURE_LIMIT:
        trees.fail(f"it is to be {EXPOSURE_LIMIT} or less")


def group(machine: Machine) -> None:
    """Members of the group use the control socket, and others do not."""
    machine.run("useradd -m member && usermod -aG vswitch member && useradd -m other")
    command = "runuser -u {} -- env XDG_RUNTIME_DIR=/run/user/7 vswitchctl {} status"
    machine.run(command.format("member", ""))
    machine.refuses(command.format("other", "--socket-dir /run/vswitch"), "ermission denied")
    say("a member of the group vswitch uses the switch, another user does not")


def configuration(machine: Machine) -> None:
    """What was saved is there after a restart, and after the death of the process."""
    machine.run("vswitchctl set-port p0 mtu=9000 && vswitchctl save-config")
    machine.run("systemctl restart vswitchd")
    if '"mtu": 9000' not in machine.run("vswitchctl --json show-port p0"):
        trees.fail("the saved configuration is not there after a restart")
    before = machine.run("systemctl show -P MainPID vswitchd")
    machine.run(f"kill -KILL {before}")
    took = wait("the switch is there again", lambda: machine.attempt("vswitchctl --wait 0 show-port p0")[0]
                == 0 and machine.run("systemctl show -P MainPID vswitchd") != before)
    say(f"saved configuration kept over a restart; back {took:.1f} s after SIGKILL")


def kernel_port(machine: Machine) -> None:
    machine.run("vswitchctl add-port host0 --type kernel --ifname vsw0 --ip 10.0.0.254/24")
    machine.station("p0", "10.0.0.1/24")
    machine.run("ping -c 1 -W 10 10.0.0.1")
    say("a kernel port answers with the unit as it is")


def drop_in(machine: Machine) -> None:
    """Without it ports in other namespaces and of other owners are refused, with it they work."""
    # the first namespace of a boot is seen by services that start after it (docs/service.md)
    machine.run("ip netns add blue && systemctl restart vswitchd")
    netns = "vswitchctl add-port n0 --type kernel --netns blue --ifname eth0 --ip 10.0.0.3/24"
    owner = "vswitchctl add-port o0 --owner other --mode 0600"
    machine.refuses(netns, "CAP_SYS_ADMIN")
    machine.refuses(owner, "only root may")
    machine.run(f"install -D -m 644 {EXAMPLE} {DROP_IN}/namespaces.conf")
    machine.run("systemctl daemon-reload && systemctl restart vswitchd")
    machine.run(netns)
    machine.run(f"{owner} && vswitchctl set-port o0 mode=0660")
    machine.station("p0", "10.0.0.1/24")
    machine.run("ip netns exec blue ping -c 1 -W 10 10.0.0.1")
    machine.run("ip netns add green && vswitchctl add-port n2 --type kernel --netns green --ifname eth0")
    machine.run("vswitchctl add-port n1 --type kernel --netns /proc/1/ns/net --ifname vsw1")
    machine.run("runuser -u other -- test -w /run/vswitch/o0.sock")
    say(f"systemd-analyze security: {machine.exposure()} with the drop-in for namespaces and owners,"
        " with which both work")


def tools(machine: Machine) -> None:
    script = ("import importlib.metadata, vswitch; "
              "print(vswitch.Client('/run/vswitch/control.sock').call('switch.status')['version'],"
              " importlib.metadata.version('vswitch'))")
    versions = machine.run(f'cd / && python3 -c "{script}"').split()
    programs = [machine.run(f"{name} --version").split()[1]
                for name in ("vswitchd", "vswitchctl", "vuser-client")]
    if len({*versions, *programs}) != 1:
        trees.fail(f"the versions differ: {versions} {programs}")
    say(f"version {versions[0]} everywhere; the Python package speaks to the switch")


def purge(machine: Machine) -> None:
    machine.run("systemctl stop p0; systemctl stop vswitchd")
    machine.run(f"{APT} purge vswitch vswitch-dev-tools")
    left = machine.run("ls -d /etc/vswitch /etc/default/vswitchd /run/vswitch /usr/bin/vswitchd"
                       " /usr/lib/python3/dist-packages/vswitch 2>/dev/null; true")
    if left != "":
        trees.fail(f"purged, and left behind:\n{left}")
    say("purged, and nothing is left")


STEPS = (install_and_ping, unit, group, configuration, kernel_port, drop_in, tools, purge)


def main(directory: Path) -> None:
    packages = sorted(path for path in directory.glob("*.deb") if "-dbgsym_" not in path.name)
    tree = directory / "tree"
    try:
        make_tree(tree)
        download(tree, packages)
        with cgroup() as group_:
            machine = Machine(tree, group_)
            try:
                for step in STEPS:
                    step(machine)
            finally:
                machine.process.kill()
                machine.process.wait()
    finally:
        shutil.rmtree(tree, ignore_errors=True)
    say("all of it works")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
