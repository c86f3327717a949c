# SPDX-License-Identifier: BSD-3-Clause
"""All attacks, by name."""

from __future__ import annotations

from siege.attack import Attack
from siege.attacks import (
    control, descriptors, host, kernel, messages, receivers, rings, secrets, waits,
)

ATTACKS: dict[str, Attack] = {}
for _module in (receivers, waits, kernel, descriptors, messages, rings, secrets, control, host):
    for _attack in _module.ATTACKS:
        assert _attack.name not in ATTACKS, f"two attacks are named {_attack.name}"
        ATTACKS[_attack.name] = _attack
