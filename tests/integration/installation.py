# SPDX-License-Identifier: BSD-3-Clause
"""The files beside the programs, as `meson install` puts them, and their tables."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from support.process import binary

PROGRAMS = {"vswitchd": "vswitch/vswitchd", "vswitchctl": "ctl/vswitchctl",
            "vuser-client": "client/vuser-client"}


class Installation:
    def __init__(self, root: Path) -> None:
        """Installs below root, from what has been built."""
        build = binary("docs/man/option-tables").parents[2]
        subprocess.run(
            ["/usr/bin/meson", "install", "-C", str(build), "--no-rebuild", "--quiet",
             "--destdir", str(root)],
            check=True, timeout=60.0,
        )
        self.root = root

    def find(self, pattern: str) -> Path:
        """The one file of this pattern; the prefix is the build's own."""
        found = list(self.root.glob(f"**/{pattern}"))
        assert len(found) == 1, f"{pattern}: {found}"
        return found[0]

    def completion(self, program: str) -> Path:
        return self.find(f"share/bash-completion/completions/{program}")

    def page(self, program: str) -> Path:
        return self.find(f"share/man/man*/{program}.[18]")

    @staticmethod
    def tables(program: str) -> dict[str, Any]:
        done = subprocess.run([str(binary("docs/man/option-tables")), program],
                              capture_output=True, check=True, timeout=20.0)
        tables: dict[str, Any] = json.loads(done.stdout)
        return tables
