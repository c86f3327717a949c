# SPDX-License-Identifier: BSD-3-Clause
"""Prints a manual page: `man_page.py PAGE.in TABLES.json`.

Called by the build. PAGE.in has the prose, in man(7) macros; marks such as @OPTIONS@ alone on their
lines give way to what the program's tables (made by tables.c) say, so that nothing is said twice.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Iterator, Sequence

Table = dict[str, Any]


def escape(text: str) -> str:
    """Any text as troff prints it unchanged, also at the beginning of a line."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\\&" + text if text.startswith((".", "'")) else text


def bold(text: str) -> str:
    return f"\\fB{escape(text)}\\fR"


def markup(usage: str) -> str:
    """Words as they are typed in bold, names of what stands there (NAME, on|off) in italics."""
    def one(match: re.Match[str]) -> str:
        word = match[0]
        return f"\\fI{escape(word)}\\fR" if word.isupper() or "|" in word else bold(word)

    parts = re.split(r"([A-Za-z0-9][A-Za-z0-9_|-]*|--[a-z-]+)", usage)
    for index in range(1, len(parts), 2):
        parts[index] = re.sub(".+", one, parts[index])
    return "".join(part if index % 2 else escape(part) for index, part in enumerate(parts))


def sentence(text: str) -> str:
    return text if text.endswith((".", "!")) else text + "."


def paragraph(text: str) -> list[str]:
    """Line breaks are kept."""
    return escape(text).replace("\n", "\n.br\n").splitlines()


def choices(option: Table) -> str:
    """The words to choose from, unless the help or the name of the value tells them."""
    words = option.get("choices", "").split("|")
    if option.get("choices") == option.get("arg") or all(
        re.search(rf"\b{word}\b", option["help"]) for word in words
    ):
        return ""
    return f": {', '.join(words[:-1])} or {words[-1]}"


def meaning(entry: Table, more: str = "") -> list[str]:
    kinds = f" Only {entry['kinds']} ports have it." if "kinds" in entry else ""
    return paragraph(sentence(entry["help"] + more) + kinds)


def option_entry(option: Table) -> Iterator[str]:
    forms = [bold(f"-{option['letter']}")] if "letter" in option else []
    value = f" {markup(option['arg'])}" if "arg" in option else ""
    forms.append(bold(f"--{option['name']}") + value)
    yield ".TP"
    yield ", ".join(forms)
    default = f" (default: {option['default']})" if "default" in option else ""
    yield from meaning(option, choices(option) + default)


def options(entries: Sequence[Table]) -> list[str]:
    return [line for option in entries for line in option_entry(option)]


def key_entry(key: Table) -> list[str]:
    return [".TP", f"{bold(key['name'])}={markup(key['arg'])}", *meaning(key)]


def verb_entry(verb: Table) -> Iterator[str]:
    words = f" {markup(verb['words'])}" if "words" in verb else ""
    yield ".TP"
    yield bold(verb["name"]) + words
    yield from paragraph(sentence(verb["help"][0].upper() + verb["help"][1:]))
    if "detail" in verb:
        yield from paragraph(verb["detail"])
    nested = options(verb["options"]) + [line for key in verb["keys"] for line in key_entry(key)]
    if nested:
        yield from [".RS", *nested, ".RE"]


def verbs(tables: Table) -> list[str]:
    return [line for verb in tables["verbs"] for line in verb_entry(verb)]


def main(template: Path, source: Path) -> None:
    tables: Table = json.loads(source.read_text())
    marks = {
        "@SYNOPSIS@": [f"{bold(tables['name'])} {markup(tables['usage'])}"],
        "@SUMMARY@": paragraph(tables["summary"]),
        "@OPTIONS@": options(tables["options"]),
        "@VERBS@": verbs(tables),
    }
    for line in template.read_text().splitlines():
        for out in marks.get(line, [line.replace("@VERSION@", tables["version"])]):
            print(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
