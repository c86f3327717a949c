# SPDX-License-Identifier: BSD-3-Clause
"""The public suite of hostile neighbours: `./dev test hostile` and `./dev bench hostile`.

An honest pair of ports carries numbered frames, a prober asks for answers and new sessions, and an
attacker does its worst on ports of its own. What comes out is a table: what the attacker got, and
what the others noticed of it. `stage.py` runs an attack, `attacks/` has them.
"""
