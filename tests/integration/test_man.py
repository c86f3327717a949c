# SPDX-License-Identifier: BSD-3-Clause
"""--help and the manual pages say what the programs' tables say, and troff has no complaint."""

from __future__ import annotations

import re
import subprocess

import pytest
from installation import PROGRAMS, Installation
from support.process import binary


def run(*argv: str) -> str:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=20.0)
    assert (done.returncode, done.stderr) == (0, ""), argv
    return done.stdout


def read_page(installed: Installation, program: str) -> str:
    """The page as it is read, every paragraph one line, without hyphenation."""
    text = run("/usr/bin/groff", "-man", "-Tascii", "-ww", "-P-cbou", "-rLL=400n", "-rHY=0",
               str(installed.page(program)))
    return re.sub(r"(?<=\S) +", " ", text)


def spaceless(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_option_is_in_help_and_on_the_page(installed: Installation, program: str) -> None:
    tables = installed.tables(program)
    page = read_page(installed, program)
    assert [tables["name"], tables["version"]] == run(
        str(binary(PROGRAMS[program])), "--version").split()
    for verb in [None, *tables["verbs"]]:
        command = [verb["name"]] if verb and program == "vswitchctl" else []
        text = run(str(binary(PROGRAMS[program])), *command, "--help")
        for option in verb["options"] if verb else tables["options"]:
            form = f"--{option['name']}" + (f" {option['arg']}" if "arg" in option else "")
            if "letter" in option:
                form = f"-{option['letter']}, {form}"
            assert re.search(rf"^ +{re.escape(form)}( |$)", text, re.MULTILINE), form
            assert re.search(rf"^ +{re.escape(form)}( |$)", page, re.MULTILINE), form
            assert spaceless(option["help"]) in spaceless(text)
            assert spaceless(option["help"]) in spaceless(page)


@pytest.mark.parametrize("program", ["vswitchctl", "vuser-client"])
def test_every_verb_is_in_help_and_on_the_page(installed: Installation, program: str) -> None:
    page = read_page(installed, program)
    text = run(str(binary(PROGRAMS[program])), "--help")
    for verb in installed.tables(program)["verbs"]:
        form = verb["name"] + (f" {verb['words']}" if "words" in verb else "")
        assert re.search(rf"^  {re.escape(form)}( |$)", text, re.MULTILINE), form
        assert re.search(rf"^ +{re.escape(form)}( |$)", page, re.MULTILINE), form
        assert spaceless(verb["help"]) in spaceless(text)
        assert spaceless(verb["help"])[1:] in spaceless(page)
        assert spaceless(verb.get("detail", "")) in spaceless(page)
        for key in verb["keys"]:
            assert re.search(rf"^ +{key['name']}={re.escape(key['arg'])}( |$)", page, re.MULTILINE)


@pytest.mark.parametrize("program", PROGRAMS)
def test_pages_are_whole(installed: Installation, program: str) -> None:
    """No warning of troff (`run` refuses any), no mark left, every section, lines that fit."""
    source = installed.page(program).read_text()
    assert not re.search(r"@[A-Z]+@", source)
    assert run("/usr/bin/groff", "-man", "-Tutf8", "-ww", "-rLL=78n", str(installed.page(program)))
    sections = re.findall(r"^\.SH (.+)$", source, re.MULTILINE)
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES",
                    "SEE ALSO"):
        assert section in sections


@pytest.mark.parametrize("program, title", [("vswitchctl", "Commands"), ("vuser-client", "Roles")])
def test_verbs_are_aligned(installed: Installation, program: str, title: str) -> None:
    text = run(str(binary(PROGRAMS[program])), "--help")
    block = text.partition(f"\n{title}:\n")[2].partition("\n\n")[0]
    columns = {len(match[0]) for line in block.splitlines()
               if (match := re.match(r"  \S.*?  +|  +", line))}
    assert len(columns) == 1, block


@pytest.mark.parametrize("role, has, lacks", [
    ("bench", "--no-loss", "--interval"), ("ping", "--interval", "--both"),
    ("kernel", "--ifname", "--rate"), ("send", "--flows", "--ip"),
])
def test_help_of_a_role_has_its_options_only(role: str, has: str, lacks: str) -> None:
    for words in ([role, "--help"], ["--help", role], ["-h", role]):
        text = run(str(binary("client/vuser-client")), *words)
        assert f"{has} " in text and f"{lacks} " not in text and f"\n  {role} " in text
        assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_fits_a_terminal(program: str) -> None:
    text = run(str(binary(PROGRAMS[program])), "--help")
    assert all(len(line) <= 80 for line in text.splitlines()), text


def test_completions_name_verbs_that_tell_the_choices(installed: Installation) -> None:
    """Words to choose from in completion are the words that the command's own help names."""
    for verb in installed.tables("vswitchctl")["verbs"]:
        for kind in verb.get("completion", "").split():
            for word in kind.split("|") if "|" in kind or kind.endswith("=") else []:
                assert word in verb["help"] + verb.get("detail", ""), (verb["name"], word)
