# SPDX-License-Identifier: BSD-3-Clause
"""What pages of documentation tell a reader to type does what they say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

import pytest
from pages import ROOT, Player, blocks, sections
from support import Registry, wait_until

OK, FAILED, NO_RESULT = 0, 1, 10
# Programs that a Debian system with git and bash may lack, and packages of which one has each.
PROGRAMS = {
    "dpdk-testpmd": ["dpdk-dev", "dpdk"], "socat": ["socat"], "tcpdump": ["tcpdump"],
    "ip": ["iproute2"], "ping": ["iputils-ping"], "qemu-system-x86_64": ["qemu-system-x86"],
    "podman": ["podman"], "ovs-vsctl": ["openvswitch-switch-dpdk"],
}


def pages() -> list[str]:
    return ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]


def used_by(text: str) -> set[str]:
    """Programs of PROGRAMS which a text's blocks of commands call."""
    commands = "\n".join(blocks(text))
    call = r"(?:^|[|;&] *|\bexec \S+ )(?:sudo |#? )?({})(?= )"
    return set(re.findall(call.format("|".join(map(re.escape, PROGRAMS))), commands, re.MULTILINE))


@pytest.fixture
def player(registry: Registry, workdir: Path, request: pytest.FixtureRequest) -> Iterator[Player]:
    """Plays pages that work in the directory which is the test's parameter."""
    found = Player(registry, request.param, workdir)
    yield found
    found.close()


@pytest.mark.parametrize("page", pages())
def test_sections_say_what_to_install(page: str) -> None:
    """A section, or what stands before all sections, names a package of each program it calls."""
    parts = sections(page)
    for title, text in parts.items():
        for program in used_by(text):
            lines = re.findall(r"apt-get install [^`\n]*", parts[""] + text)
            words = {word for line in lines for word in line.split()}
            assert words & set(PROGRAMS[program]), f"{page}, '{title}': {program}"


def wait_sockets(player: Player, *names: str) -> None:
    for name in names:
        wait_until(f"{name} is there", (player.directory / name).exists, 40.0,
                   lambda: player.registry.report())


@pytest.mark.parametrize("player", ["/tmp/pair"], indirect=True)
def test_two_testpmds(player: Player) -> None:
    """Frames come through, and the three commands say so; then the terminals are closed."""
    page = {title: blocks(text) for title, text in sections("docs/two-testpmds.md").items()}
    player.start("switch", page["A switch"][0])
    wait_sockets(player, "t0.sock", "t1.sock")
    player.start("receiver", page["The receiver"][0])
    player.start("sender", page["The sender"][0])
    status, stats, drops = page["What the switch says"][0].splitlines()
    wait_until(
        "frames come to the receiver",
        lambda: re.search(r"^t1 +\S+ +\S+ +[1-9]", player.play("stats", stats), re.MULTILINE),
        60.0, lambda: player.registry.report(),
    )
    assert re.search(r"^ *t0 .*up", player.play("status", status), re.MULTILINE)
    player.play("drops", drops)


@pytest.mark.parametrize("player", ["/tmp/measure"], indirect=True)
def test_measuring(player: Player) -> None:
    """Both backends are measured by the page's lines, with shorter trials."""
    page = {title: blocks(text) for title, text in sections("docs/measuring.md").items()}
    switch, testpmd, bench = page["This switch"][0], *page["dpdk-testpmd"]
    start, search = switch.partition("taskset")[0], switch[switch.index("taskset"):]
    player.start("switch", start)
    wait_sockets(player, "v0.sock", "v1.sock")
    player.start("testpmd", testpmd)
    for name, line in (("ours", search), ("theirs", bench)):
        said = player.play(name, line + " --time 0.05", OK, FAILED, NO_RESULT)
        assert "trial 1: " in said, said


@pytest.mark.parametrize("player", ["/tmp/tour"], indirect=True)
def test_tour_of_the_readme(player: Player) -> None:
    """Its first minute: a switch, two ports, a station that answers, and what the switch says."""
    tour = blocks(sections("README.md")["The tour, by hand"])
    switch, stations, says = (
        next(block for block in tour if word in block) for word in ("vswitchd", "respond", "fdb"))
    answers, ping = stations.splitlines()
    player.start("switch", switch)
    wait_sockets(player, "p0.sock", "p1.sock")
    player.start("respond", answers)
    assert "5 received" in player.play("ping", f"{ping} --wait 20 --interval 0.1")
    for line in says.splitlines():
        if "--watch" not in line:
            assert player.play("says", line)
