# SPDX-License-Identifier: BSD-3-Clause
"""Completion in a real bash, out of the files that are installed."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from pathlib import Path
from typing import Iterator, Sequence

import pytest
from installation import PROGRAMS, Installation
from shell import Shell
from support import Switch
from support.process import binary

# What readline breaks words at, where it is not told otherwise.
BREAKS = " \t\n\"'><=;|&(:"


def pieces(words: Sequence[str], breaks: str = BREAKS) -> list[str]:
    """Words as readline breaks them: '=' and ':' are pieces of their own."""
    result: list[str] = []
    for word in words:
        piece = ""
        for char in word:
            if char in breaks and char in "=:":
                result += [piece, char] if piece else [char]
                piece = ""
            else:
                piece += char
        if piece or not word:
            result.append(piece)
    return result


def complete(script: Path, program: str, *words: str, breaks: str = BREAKS) -> list[str]:
    """What a bash without any other completion offers for the last word, and `compopt` calls."""
    line = [program, *pieces(words, breaks)]
    commands = f"""
        source {shlex.quote(str(script))} || exit 9
        compopt() {{ local IFS=' '; printf 'compopt %s\\n' "$*"; }}
        [[ $(complete -p {script.name}) =~ -F\\ ([a-z_]+)\\  ]] || exit 8
        COMP_WORDBREAKS={shlex.quote(breaks)}
        COMP_WORDS=({shlex.join(line)})
        COMP_CWORD={len(line) - 1}
        "${{BASH_REMATCH[1]}}" || true
        [[ ${{#COMPREPLY[@]}} -eq 0 ]] || printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["/bin/bash", "--norc", "--noprofile", "-u", "-c", commands],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20.0,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def ctl(installed: Installation, *words: str, breaks: str = BREAKS) -> list[str]:
    program = str(binary("ctl/vswitchctl"))
    return complete(installed.completion("vswitchctl"), program, *words, breaks=breaks)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_option_and_verb_is_offered(installed: Installation, program: str) -> None:
    script, tables = installed.completion(program), installed.tables(program)
    verbs = [verb["name"] for verb in tables["verbs"]]
    every = [f"--{option['name']}" for option in tables["options"]]
    assert complete(script, program, "--") == every
    assert complete(script, program, "") == (verbs or every)
    for verb in tables["verbs"]:
        own = [f"--{option['name']}" for option in verb["options"]]
        refused = {f"--{name}" for name in verb.get("refuses", [])}
        wanted = [option for option in every + own if option not in refused]
        assert complete(script, program, verb["name"], "--") == wanted
    for option in tables["options"]:
        if "choices" in option:
            offered = complete(script, program, f"--{option['name']}", "")
            assert "|".join(offered) == option["choices"]


FILES, DIRECTORIES, NO_SPACE = "compopt -o default", "compopt -o dirnames", "compopt -o nospace"

CASES: list[tuple[str, list[str], list[str]]] = [
    ("vswitchd", ["--huge", "o"], ["on", "off"]),
    ("vswitchd", ["--huge=o"], ["on", "off"]),
    ("vswitchd", ["--huge="], ["auto", "on", "off"]),
    ("vswitchd", ["--log-level", "debug", "--po"], ["--poll"]),
    ("vswitchd", ["--socket-dir", ""], [DIRECTORIES]),
    ("vswitchd", ["--config", "/etc/v"], [FILES]),
    ("vswitchd", ["--workers", ""], []),
    ("vswitchd", ["word"], []),
    ("vuser-client", ["-p", "a.sock", "re"], ["respond", "receive"]),
    ("vuser-client", ["-p", ""], [FILES]),
    ("vuser-client", ["--path=/tmp/"], [FILES]),
    ("vuser-client", ["-c5", "ec"], ["echo"]),
    ("vuser-client", ["--mac", "02:00:00:00:00:01", "pi"], ["ping"]),
    ("vuser-client", ["send", "--rate", ""], ["max"]),
    ("vuser-client", ["send", "--id"], []),
    ("vuser-client", ["receive", "--id"], ["--idle"]),
    ("vuser-client", ["--in-order", ""], ["on", "off"]),
    ("vuser-client", ["send", "--", "--p"], []),
    ("vswitchctl", ["add-"], ["add-port", "add-fdb"]),
    ("vswitchctl", ["--json", "flu"], ["flush-fdb"]),
    ("vswitchctl", ["--control", "/tmp/a=b:c", "flu"], ["flush-fdb"]),
    ("vswitchctl", ["add-port", "p0", "--mt"], ["--mtu"]),
    ("vswitchctl", ["add-port", "p0", "--enabled", ""], ["on", "off"]),
    ("vswitchctl", ["add-port", "p0", "--type="], ["vhost-user", "kernel", "ethdev"]),
    ("vswitchctl", ["add-port", "p0", "--backend", ""], ["auto", "vhost-net", "tap"]),
    ("vswitchctl", ["add-port", "p0", "--ifname", ""], []),
    ("vswitchctl", ["add-port", "p0", "--connect", ""], [FILES]),
    ("vswitchctl", ["add-port", "p0", "--owner", "roo"], ["root"]),
    ("vswitchctl", ["add-port", "p0", "--group", "roo"], ["root"]),
    ("vswitchctl", ["set-port", "p0", "mt"], [NO_SPACE, "mtu="]),
    ("vswitchctl", ["set-port", "p0", "m"], ["mtu=", "mac-limit=", "max-memory=", "mode=", "mac="]),
    ("vswitchctl", ["set-port", "p0", "promiscuous="], ["on", "off"]),
    ("vswitchctl", ["set-port", "p0", "mtu=9000", "ena"], [NO_SPACE, "enabled="]),
    ("vswitchctl", ["set-port", "p0", "enabled=o"], ["on", "off"]),
    ("vswitchctl", ["set-port", "p0", "enabled="], ["on", "off"]),
    ("vswitchctl", ["set-port", "p0", "mtu="], []),
    ("vswitchctl", ["monitor", "port.added", "mac"], ["mac.moved"]),
    ("vswitchctl", ["log-level", ""], ["error", "warning", "info", "debug"]),
    ("vswitchctl", ["set-switch", ""], [NO_SPACE, "ageing-time="]),
    ("vswitchctl", ["save-config", ""], [FILES]),
]


@pytest.mark.parametrize("program, words, offered", CASES, ids=lambda part: str(part)[:40])
def test_words_and_values(
    installed: Installation, program: str, words: list[str], offered: list[str]
) -> None:
    assert complete(installed.completion(program), program, *words) == offered


def test_words_that_are_not_broken_at_equals(installed: Installation) -> None:
    breaks = " \t\n"
    assert ctl(installed, "set-port", "p0", "enabled=of", breaks=breaks) == ["enabled=off"]
    assert ctl(installed, "set-port", "p0", "mtu=", "ena", breaks=breaks) == [NO_SPACE, "enabled="]
    assert ctl(installed, "add-port", "--enabled=", breaks=breaks) == ["--enabled=on",
                                                                       "--enabled=off"]


def test_names_of_ports_of_the_running_switch(installed: Installation, switch: Switch) -> None:
    for name in ("uplink", "up.2", "b"):
        switch.add_port(name)
    for where in (["--control", str(switch.control)], [f"--socket-dir={switch.directory}"],
                  ["--socket-dir", f"'{switch.directory}'"]):
        assert ctl(installed, *where, "show-port", "u") == ["up.2", "uplink"]
    where = ["--control", str(switch.control)]
    for words in (["del-port"], ["set-port"], ["stats"], ["stats", "b", "--watch", "1", "b"],
                  ["drops"], ["clear-stats"], ["fdb", "--port"], ["fdb"], ["flush-fdb"],
                  ["status"], ["show-port", "b"],
                  ["add-fdb", "02:00:00:00:00:01"]):
        assert ctl(installed, *where, *words, "") == ["b", "up.2", "uplink"], words
    assert ctl(installed, *where, "stats", "--watch", "1", "up.") == ["up.2"]
    assert ctl(installed, "show-port", *where, "b") == ["b"]
    for words in (["add-port"], ["call"], ["set-port", "b"]):
        assert "b" not in ctl(installed, *where, *words, ""), words


def test_silent_and_quick_without_a_switch(installed: Installation, workdir: Path) -> None:
    where = ["--socket-dir", str(workdir)]
    start = time.monotonic()
    assert ctl(installed, *where, "show-port", "") == []
    assert complete(installed.completion("vswitchctl"), "no-such-program", "show-port", "") == []
    assert time.monotonic() - start < 5.0


@pytest.fixture
def shell(installed: Installation, workdir: Path) -> Iterator[Shell]:
    """It knows one completion and nothing else."""
    bash = Shell(workdir, PATH=os.environ["PATH"], HOME=str(workdir), INPUTRC="/dev/null")
    script = shlex.quote(str(installed.completion("vswitchctl")))
    bash.type(f"source {script}; echo known $?\n")
    bash.wait("known 0")
    yield bash
    bash.close()


def test_at_a_prompt(shell: Shell, workdir: Path) -> None:
    """What only readline does: names of files and directories, blanks, and words after '='."""
    (workdir / "sockets dir").mkdir()
    (workdir / "running.json").touch()
    for typed, shown in (
        ("vswitchctl sa\trunn\t", "vswitchctl save-config running.json "),
        ("vswitchctl --socket-dir sock\t", "vswitchctl --socket-dir sockets\\ dir/"),
        ("vswitchctl set-port p0 ena\tof\tmt\t9", "vswitchctl set-port p0 enabled=off mtu=9"),
        ("vswitchctl add-port p0 --socket=runn\t", "vswitchctl add-port p0 --socket=running.json "),
    ):
        shell.text = ""
        shell.type(typed)
        shell.wait(shown)
        shell.type("\x15")
