# SPDX-License-Identifier: BSD-3-Clause
"""A frontend to be killed: `python3 -m support.killed_frontend SOCKET MAC DESTINATION`.

Attaches to a port, says `ready` on its standard error, and from then on sends frames to
DESTINATION and takes what comes, as fast as it can, until it is killed.
"""

from __future__ import annotations

import sys

from support.frames import frame
from support.frontend import RawFrontend


def main(path: str, mac: str, destination: str) -> None:
    with RawFrontend(path) as frontend:
        frontend.handshake()
        print("ready", file=sys.stderr, flush=True)
        frames = [frame(destination, mac, 200, number) for number in range(16)]
        while True:
            frontend.send(*frames)
            while frontend.poll() is not None:
                pass


if __name__ == "__main__":
    main(*sys.argv[1:4])
