# SPDX-License-Identifier: BSD-3-Clause
"""One attacking process: `python3 -m siege.attacker NAME DIRECTORY PID RANK SECONDS PORT...`.

Says `ready`, waits for a line on its standard input, attacks, and tells what it got. An exception that is
not the end of a connection ends it with a trace: the harness calls that a broken attack.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from siege.attack import ENDED, Ground
from siege.attacks import ATTACKS
from support.process import Registry


def tell(mark: str, **values: object) -> None:
    print(json.dumps({"mark": mark, **values}), flush=True)


def main(name: str, directory: str, pid: str, rank: str, seconds: str, *ports: str) -> None:
    attack = ATTACKS[name]
    with tempfile.TemporaryDirectory(prefix="vsw-") as work:
        registry = Registry(Path(work))
        ground = Ground(
            registry, Path(directory), int(pid), list(ports), int(rank), float(seconds)
        )
        with ground.stack:
            ground.stack.callback(registry.end_all)
            attack.prepare(ground)
            tell("ready")
            sys.stdin.readline()
            ground.begin()
            try:
                attack.code(ground)
            except ENDED as error:
                ground.tell(f"ended by the switch: {error}")
        tell("done", got="; ".join(ground.told))
        sys.stdin.read()  # what we hold is held until the harness has looked


if __name__ == "__main__":
    main(*sys.argv[1:])
