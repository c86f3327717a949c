# SPDX-License-Identifier: BSD-3-Clause
"""Prints the bash completion of a program: `completion.py completion.bash TABLES.json`.

Called by the build. completion.bash knows how a line is read; here the program's tables (made by
tables.c) become the four lists in it. What a value is called in help decides how it is completed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Iterator

Table = dict[str, Any]

KINDS = {
    "DIR": "directory", "PATH": "file", "SOCKET": "file", "FILE": "file", "NAME": "port",
    "USER": "user", "GROUP": "group",
}


def kind(option: Table) -> str:
    """How the value of an option, or of a key, is completed; '' for a flag."""
    if option.get("flag"):
        return ""
    if "choices" in option:
        return str(option["choices"])
    words = [word for word in option["arg"].split("|") if word.islower()]
    return "|".join(words) or KINDS.get(option["arg"], "-")


def dashes(option: Table) -> str:
    short = [f"-{option['letter']}"] if "letter" in option else []
    return " | ".join([*short, f"--{option['name']}"])


def cases(entries: list[tuple[str, str]]) -> str:
    return "\n".join(f"\t{pattern}) reply='{reply}' ;;" for pattern, reply in entries)


def options_of(tables: Table, verb: Table) -> str:
    refused = verb.get("refuses", [])
    every = [*tables["options"], *verb["options"]]
    return "|".join(f"--{option['name']}" for option in every if option["name"] not in refused)


def options(tables: Table) -> str:
    any_verb: Table = {"name": "*", "options": []}
    return cases([
        (verb["name"], options_of(tables, verb)) for verb in [*tables["verbs"], any_verb]
    ])


def values(tables: Table) -> str:
    """One case each, though several verbs may have an option of the name: they agree about it."""
    found: dict[str, str] = {}
    for holder in [tables, *tables["verbs"]]:
        found.update((dashes(option), kind(option)) for option in holder["options"] if kind(option))
        found.update((f"{key['name']}=", kind(key)) for key in holder.get("keys", []))
    return cases(sorted(found.items()))


def words_of(verb: Table) -> Iterator[tuple[str, str]]:
    kinds = verb.get("completion", "").split()
    keys = "|".join(f"{key['name']}=" for key in verb["keys"])
    for number, word_kind in enumerate(kinds, 1):
        endless = number == len(kinds) and "..." in verb["words"]
        pattern = f"{verb['name']}/{'*' if endless else number}"
        yield pattern, keys if word_kind == "key" else word_kind


def words(tables: Table) -> str:
    return cases([case for verb in tables["verbs"] for case in words_of(verb)])


def main(template: Path, source: Path) -> None:
    tables: Table = json.loads(source.read_text())
    script = template.read_text()
    for mark, text in (
        ("OPTIONS", options(tables)),
        ("VALUES", values(tables)),
        ("WORDS", words(tables)),
        ("VERBS", "|".join(verb["name"] for verb in tables["verbs"])),
        ("FUNCTION", "_" + tables["name"].replace("-", "_")),
        ("PROGRAM", tables["name"]),
    ):
        script = script.replace(f"@{mark}@", text)
    print(script, end="")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
