# SPDX-License-Identifier: BSD-3-Clause
"""What a frontend could do to the vhost library behind the gate: each is named by an attack."""

from __future__ import annotations

HAZARDS = {
    "B1": "a header without its body",
    "B1b": "replies that are never read",
    "B2": "a queue index beyond all queues, with descriptors",
    "B3": "descriptors in messages that are refused",
    "B4": "the flag that asks for a reply, on what is refused",
    "B5": "memory for requests in flight: as much as is said",
    "B6": "a file for requests in flight that is shorter than its queues",
    "B7": "the address space of the switch asked for (post-copy)",
    "B8": "a dirty log at an offset",
    "B9": "the owner reset, again and again",
    "B10": "as many queues of the greatest size as there can be",
    "B11": "ring sizes that are none",
    "B12": "another kind of ring once the rings are set up",
    "B13": "a memory table that fails while rings run",
    "B14": "more connections than there are sessions",
    "B15": "memory that goes away while the switch allocates its own",
    "B16": "a file truncated under the rings",
    "B17": "a call descriptor that blocks",
    "B18": "a kick descriptor that is always readable, or none",
    "B19": "memory on a file system whose server does not answer",
    "B20": "regions longer than their files",
    "B21": "sparse memory that the switch fills",
    "B22": "regions that overlap",
    "B23": "messages shorter than their kind",
    "B24": "address translations that were not negotiated",
    "B25": "requests that have no effect here",
    "B26": "reconnecting as fast as it goes",
    "B27": "refusals for the log, as many as can be provoked",
    "B28": "the first session of a new port",
    "B29": "memory that a lookup of its node would wait for",
}
