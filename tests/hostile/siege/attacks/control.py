# SPDX-License-Identifier: BSD-3-Clause
"""The control socket: clients that are wrong, slow, greedy or many; some of them the owner's own."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from contextlib import ExitStack, suppress
from typing import Callable

from siege.attack import ENDED, Attack, Ground
from siege.floods import SENDER, TARGET, Flood, announce, roomy
from support.frames import frame
from support.raw_client import RawClient
from support.waiting import wait_until
from vswitch.client import RpcError

ADDRESSES = 65_536
BATCH = 1 << 20
RACERS = 50


def fill_the_table(ground: Ground) -> None:
    """Addresses until the forwarding table is full."""
    size = 4096
    with ground.attached(roomy(size, 32)) as teacher, ground.attached(roomy(rx_fill=0), 1) as closed:
        announce(closed, TARGET)
        flood = Flood(teacher, [frame(TARGET, SENDER, 60, number) for number in range(size)])
        for block in range(ADDRESSES // size):
            for number, place in enumerate(flood.addresses):
                teacher.memory.write(
                    place + teacher.header_size + 6,
                    b"\x06\x00\x00" + (block * size + number).to_bytes(3, "big"),
                )
            flood.pump()
            wait_until("the block is learned", flood.is_done, 30.0)


def long_lists(ground: Ground) -> None:
    """The whole forwarding table, again and again."""
    lists = entries = 0
    with ground.client() as owner:
        try:
            while ground.going():
                entries = len(owner.call("fdb.list")["entries"])
                lists += 1
        finally:
            owner.call("fdb.flush")
    ground.tell(f"{lists} lists of {entries:,} addresses")


def large_batches(ground: Ground) -> None:
    request = b'{"jsonrpc":"2.0","id":1,"method":"port.list"}'
    batch = b"[" + b",".join([request] * (BATCH // (len(request) + 1))) + b"]\n"
    batches = 0
    with ground.client() as owner:
        while ground.going():
            with suppress(*ENDED):
                owner.send_bytes(batch[:BATCH - 2] if batches % 2 else batch)
                owner.read_line(max(ground.left, 0.1))
            batches += 1
    ground.tell(f"{batches} batches")


def descriptions(ground: Ground) -> None:
    count = 0
    with ground.client() as owner:
        while ground.going():
            owner.call("rpc.discover")
            count += 1
    ground.tell(f"{count:,} descriptions")


# Clients that break the rules.

MALFORMED = (
    b"\n", b"{}\n", b"[]\n", b"null\n", b"{\n", b"\xff\xfe\n", b"\0" * 100 + b"\n",
    b"[" * 100_000 + b"\n", b'{"a":' * 50_000 + b"\n", b'"' + b"a" * 500_000 + b'"\n',
    b'{"jsonrpc":"2.0","id":1e999,"method":"port.list"}\n',
    b'{"jsonrpc":"2.0","id":1,"method":"port.add","params":{"name":"../../x"}}\n',
    b'{"jsonrpc":"2.0","id":1,"method":"port.add","params":[1,2,3]}\n',
    b'{"jsonrpc":"1.0","id":{},"method":5}\n', b"x" * (1 << 20),
)


def malformed(ground: Ground) -> None:
    chance, said = random.Random(ground.pid), 0
    while ground.going():
        with suppress(*ENDED), RawClient(ground.control) as client:
            for _ in range(8):
                client.send_bytes(chance.choice(MALFORMED))
                said += 1
            client.read_line(0.02)
    ground.tell(f"{said:,} requests")


def vanishing(ground: Ground) -> None:
    """Clients that leave in the middle of a request, or before the answer."""
    whole = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "switch.status"}).encode() + b"\n"
    chance, made = random.Random(ground.pid), 0
    while ground.going():
        with suppress(*ENDED), RawClient(ground.control) as client:
            client.send_bytes(whole * 20 + whole[:chance.randrange(len(whole))])
            made += 1
    ground.tell(f"{made:,} clients")


def never_reading(ground: Ground) -> None:
    """Subscribers and askers that read nothing of what they get."""
    asked = b'{"jsonrpc":"2.0","id":1,"method":"event.subscribe"}\n' + (
        b'{"jsonrpc":"2.0","id":2,"method":"rpc.discover"}\n' * 1000
    )
    with ExitStack() as stack:
        made = 0
        while ground.going():
            with suppress(*ENDED):
                client = stack.enter_context(RawClient(ground.control, 0.05))
                made += 1
                client.send_bytes(asked)
            time.sleep(0.01)
        ground.tell(f"{made} clients")


def thousand_clients(ground: Ground) -> None:
    """As many as there can be, which say a byte a second."""
    clients: list[socket.socket] = []
    try:
        while ground.going():
            until = time.monotonic() + 1
            while len(clients) < 1000 and ground.going():
                try:
                    clients.append(connect(ground))
                except ENDED:
                    break
            for client in list(clients):
                try:
                    client.send(b"{")
                except ENDED:
                    clients.remove(client)
                    client.close()
            time.sleep(max(min(until - time.monotonic(), ground.left), 0.0))
        ground.tell(f"{len(clients)} clients")
    finally:
        for client in clients:
            client.close()


def connect(ground: Ground) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.setblocking(False)
    try:
        client.connect(str(ground.control))
    except OSError:
        client.close()
        raise
    return client


def races(ground: Ground) -> None:
    """Fifty clients add, change and delete the same few ports."""
    done = [0] * RACERS

    def race(number: int) -> None:
        chance = random.Random(number)
        with ground.client() as client:
            while ground.going():
                name = f"race{chance.randrange(5)}"
                act: Callable[[], object] = chance.choice((
                    lambda: client.call("port.add", name=name),
                    lambda: client.call("port.delete", name=name),
                    lambda: client.call("port.set", name=name, mtu=chance.randrange(1000, 2000)),
                    lambda: client.call("port.show", name=name),
                ))
                with suppress(RpcError):
                    act()
                done[number] += 1

    threads = [threading.Thread(target=race, args=(number,)) for number in range(RACERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ground.tell(f"{sum(done):,} requests")


ATTACKS = [
    Attack("long-lists", "control", "the owner lists a full forwarding table in a loop", long_lists,
           prepare=fill_the_table, ports=2, cases=(9,)),
    Attack("large-batches", "control", "batches of a MiB", large_batches, cases=(9,)),
    Attack("descriptions", "control", "the owner asks for the description in a loop", descriptions,
           cases=(9,)),
    Attack("malformed-requests", "control", "what is no JSON, is deep, or is huge", malformed),
    Attack("vanishing-clients", "control", "clients that leave before the answer", vanishing),
    Attack("never-reading", "control", "clients that read none of their answers", never_reading),
    Attack("thousand-clients", "control", "a thousand clients that say a byte a second",
           thousand_clients, probed=False),
    Attack("races", "control", "fifty clients that add and delete the same ports", races),
]
