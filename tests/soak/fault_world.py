# SPDX-License-Identifier: BSD-3-Clause
"""What faults are walked through: a switch with an honest pair, a port `v`, and operations on it.

An operation that meets a fault may end well, or badly with words. It may not end silently, hang,
crash, leave a descriptor, or harm the pair.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

from faults import FaultySwitch
from support import RawClient, RawFrontend, Registry, Setup, WaitTimeout, wait_until
from support.frames import mac_text
from support.memory import MIB, RegionSpec
from support.messages import Disconnected, Refused, vring_state, Request as Message
from support.namespaces import Namespace, new_namespace
from support.station import Station, introduce
from vitals import OWN_DESCRIPTORS_MORE
from vswitch import RpcError

SETUP = Setup(ring_size=64, rx_fill=32, regions=(RegionSpec(MIB),))
LIMIT = 20.0  # of one answer, and for words in the log: others may use the machine as well
EVENT_LIMIT = 4.0  # of an event, which may also be lost, in words
RETRY_LIMIT = 30.0  # of a port that connects outward: it tries again every five seconds
# The log leaves lines out when there are many at once (log.h), and says within about a second how
# many. A world that has said nearly so many makes place for the next.
LINES_MOST = 20
VICTIM = mac_text(0xFA)


class Broken(AssertionError):
    """The switch did what it may not do, fault or no fault."""


class World:
    """A switch with the stations x and y, which talk after each case, and a port v."""

    def __init__(self, registry: Registry, name: str) -> None:
        self.registry = registry
        self.switch = FaultySwitch(registry, registry.directory / name)
        self.faults = self.switch.faults
        self.frontend: Optional[RawFrontend] = None
        self._space: Optional[Namespace] = None
        self.switch.start()
        self.at_start = self.faults.calls()
        self.pair = [self._station(port, 0xA0 + at) for at, port in enumerate("xy")]
        introduce(self.pair)
        self._log_read = 0
        self.lines_said = 0
        self.switch.close_client()
        self.descriptors = self._count_descriptors()
        self.restore()

    def _station(self, port: str, mac: int) -> Station:
        self.switch.add_port(port)
        frontend = RawFrontend(self.switch.path(port), SETUP).handshake()
        self.switch.wait_state(port, "up")
        return Station(port, mac_text(mac), frontend)

    # What operations use.

    def call(self, method: str, /, **params: Any) -> Any:
        """One request over a connection of its own, so that accepting it may fail as well."""
        with RawClient(self.switch.control, LIMIT) as client:
            return ask(client, method, params or None)

    def add_port(self, **options: Any) -> None:
        self.call("port.add", name="v", **options)

    def connect(self) -> RawFrontend:
        self.frontend = RawFrontend(self.switch.path("v"), SETUP, LIMIT)
        return self.frontend

    def attach(self) -> RawFrontend:
        """A whole handshake, until the port is up."""
        frontend = self.connect().handshake()
        self.wait_up()
        return frontend

    def wait_up(self) -> None:
        """Until it is up; Told when it is at fault instead."""
        port = wait_until("v is up or at fault", self._decided, LIMIT, self._state)
        if port["state"] != "up":
            raise Told(f"port v: {port['state_text']}")

    def port(self) -> dict[str, Any]:
        port: dict[str, Any] = self.call("port.show", name="v")
        return port

    def _decided(self) -> Optional[dict[str, Any]]:
        port = self.port()
        return port if port["state"] in ("up", "fault") else None

    def _state(self) -> str:
        self.faults.disarm()
        return f"it is: {self.port()['state_text']}"

    def station(self) -> Station:
        assert self.frontend is not None
        return Station("v", VICTIM, self.frontend)

    def space(self) -> Namespace:
        """A network namespace of its own, where a kernel port puts its interface."""
        if self._space is None:
            self._space = new_namespace(self.registry, "faults-net")
        return self._space

    # Between cases.

    def restore(self) -> None:
        """Without port v and its frontend, and with no descriptor more than at the start."""
        self.faults.disarm()
        self.drop_frontend()
        for port in self.call("port.list"):
            if port["name"] not in ("x", "y"):
                self.call("port.delete", name=port["name"])
        self.call("stats.clear")
        wait_until("the name v is free", self._lend_name, LIMIT)
        wait_until(
            "all descriptors of the case are closed",
            lambda: self._count_descriptors() <= self.descriptors + OWN_DESCRIPTORS_MORE, LIMIT,
            lambda: f"there were {self.descriptors}, now {self._list_descriptors()}",
        )

    def _lend_name(self) -> bool:
        """True when a port took the name and gave it back.

        A port whose adding or deletion is under way is in no list: its client may be cut off.
        """
        try:
            self.add_port(**{"may-exist": True})
        except RpcError as error:
            if "try again in a moment" not in str(error):
                raise
            return False
        self.call("port.delete", name="v")
        return True

    def drop_frontend(self) -> None:
        if self.frontend is not None:
            self.frontend.close()
            self.frontend = None

    def _list_descriptors(self) -> list[str]:
        directory = Path(f"/proc/{self.switch.pid}/fd")
        names = []
        for entry in directory.iterdir():
            try:
                names.append(f"{entry.name} {os.readlink(entry)}")
            except FileNotFoundError:
                continue
        return names

    def _count_descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.switch.pid}/fd"))

    def talk(self) -> None:
        """The pair exchanges frames, none lost and each as it was sent."""
        for sender, receiver in (self.pair, self.pair[::-1]):
            frames = [sender.build(receiver, 60 + number) for number in range(4)]
            sender.frontend.send(*frames)
            own = bytes.fromhex(receiver.mac.replace(":", ""))
            for wanted in frames:
                seen = b""
                while seen[:6] != own:  # floods of port v come here too
                    seen = receiver.frontend.receive(LIMIT).frame
                if seen != wanted:
                    raise Broken("a frame of the pair was lost or changed")

    def words(self) -> list[str]:
        """What the log has said since this was last asked, but for what the faults said."""
        text = self.switch.process.log()
        lines = text[self._log_read:].splitlines()
        self._log_read = len(text)
        said = [line for line in lines if not line.startswith(("faults:", "info:"))]
        self.lines_said += len(said)
        return said

    def wait_words(self, pattern: str = "") -> list[str]:
        """Lines that match, or that count what was left out; none when none comes in time."""
        wanted = re.compile(f"{pattern}|: and [0-9,]+ more$")
        try:
            return wait_until("the log says why", lambda: [
                line for line in self.words() if wanted.search(line)
            ], LIMIT)
        except WaitTimeout:
            return []

    def end(self) -> None:
        self.drop_frontend()
        for station in self.pair:
            station.frontend.close()
        if self.switch.process.status is None:
            self.switch.kill()
        for process in self.registry.processes:
            if self._space is not None and process.pid == self._space.pid:
                process.kill()
        self.faults.close()


class Told(Exception):
    """The operation failed, in words."""


def ask(client: RawClient, method: str, params: Optional[dict[str, Any]] = None) -> Any:
    """The result of one request. An error's id may be null: there may be no memory to keep it."""
    wanted = client.send_request(method, params)
    reply = client.read_reply()
    if "error" in reply and reply["id"] in (wanted, None):
        raise RpcError(reply["error"], method)
    if reply["id"] != wanted:
        raise Broken(f"{method}: the reply has id {reply['id']}, not {wanted}")
    return reply["result"]


@dataclass(frozen=True)
class Operation:
    name: str
    run: Callable[[World], object]
    prepare: Callable[[World], object] = lambda world: None


def attached(world: World) -> None:
    world.add_port()
    world.attach()


def frames_both_ways(world: World) -> None:
    victim, other = world.station(), world.pair[0]
    victim.frontend.send(victim.build(other))
    victim.frontend.flush(LIMIT)
    other.frontend.send(other.build(victim))
    other.frontend.flush(LIMIT)


def stop_and_start(world: World) -> None:
    assert world.frontend is not None
    for index, base in enumerate(world.frontend.stop_rings()):
        world.frontend.start_ring(index, base)
    world.wait_up()


def new_memory(world: World) -> None:
    assert world.frontend is not None
    world.frontend.replace_memory((RegionSpec(MIB), RegionSpec(MIB)))
    world.wait_up()


def second_frontend(world: World) -> None:
    with RawFrontend(world.switch.path("v"), SETUP, LIMIT) as second:
        second.wait_closed(LIMIT)


def break_a_rule(world: World) -> None:
    assert world.frontend is not None
    world.frontend.request(Message.SET_VRING_ENABLE, vring_state(0, 7), need_reply=False)
    world.frontend.wait_closed(LIMIT)


def die_and_come_again(world: World) -> None:
    world.drop_frontend()
    wait_until("the port waits", lambda: world.port()["peer"] is None, LIMIT)
    world.attach()


def connect_outward(world: World) -> None:
    path = world.registry.directory / "served.sock"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        world.add_port(connect=str(path))
        world.frontend = RawFrontend.accept(listener, SETUP, RETRY_LIMIT)
        world.frontend.handshake()
        world.wait_up()


def save(world: World) -> object:
    """What the file says: half a configuration would be worse than none."""
    path = world.registry.directory / "saved.json"
    world.call("config.save", file=str(path))
    return json.loads(path.read_text())


def events(world: World) -> None:
    with RawClient(world.switch.control, LIMIT) as client:
        ask(client, "event.subscribe")
        world.add_port()
        try:
            client.wait_event("port.added", EVENT_LIMIT)
        except TimeoutError:
            if world.wait_words("an event was not told"):
                raise Told("an event was not told") from None
            raise


def batch(world: World) -> object:
    methods = ("port.list", "switch.status", "fdb.list")
    with RawClient(world.switch.control, LIMIT) as client:
        client.send([
            {"jsonrpc": "2.0", "id": number, "method": method}
            for number, method in enumerate(methods)
        ])
        line = client.read_line(LIMIT)
    if line is None:
        raise TimeoutError("no reply to the batch")
    replies = json.loads(line)
    for reply in replies if isinstance(replies, list) else [replies]:
        if "error" in reply:
            raise RpcError(reply["error"], "batch")
    return replies


def not_json(world: World) -> None:
    with RawClient(world.switch.control, LIMIT) as client:
        client.send_bytes(b'{"jsonrpc": "2.0", "method": [}\n')
        assert "error" in client.read_reply()


def add_static(world: World) -> None:
    world.call("fdb.add", mac=VICTIM, port="v")
    world.call("fdb.delete", mac=VICTIM)


def add_kernel_port(world: World) -> None:
    world.add_port(type="kernel", backend="tap", ifname="faulty", netns=world.space().path,
                   ip=["10.7.0.1/24"])


def set_kernel_port(world: World) -> None:
    world.call("port.set", name="v", mtu=1400, ip=["10.7.0.2/24", "10.7.0.3/24"])


def add_device(world: World) -> None:
    """An ethdev port by the pcap driver, which closes all that it opens (memif does not)."""
    source, target = (world.registry.directory / name for name in ("in.pcap", "out.pcap"))
    source.write_bytes(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    world.add_port(type="ethdev", devargs=f"net_pcap0,rx_pcap={source},tx_pcap={target}")


OPERATIONS: tuple[Operation, ...] = (
    Operation("port.add", lambda world: world.add_port()),
    Operation("port.add with options", lambda world: world.add_port(
        mtu=9000, mode="0660", offload=False, **{"mac-limit": 8})),
    Operation("port.add that connects outward", connect_outward),
    Operation("port.add of one that exists", lambda world: world.add_port(**{"may-exist": True}),
              lambda world: world.add_port()),
    Operation("handshake", lambda world: world.attach(), lambda world: world.add_port()),
    Operation("frames both ways", frames_both_ways, attached),
    Operation("stop and start of rings", stop_and_start, attached),
    Operation("new memory", new_memory, attached),
    Operation("a second frontend", second_frontend, attached),
    Operation("a broken rule", break_a_rule, attached),
    Operation("death and return of a frontend", die_and_come_again, attached),
    Operation("port.delete", lambda world: world.call("port.delete", name="v"), attached),
    Operation("port.set", lambda world: world.call("port.set", name="v", mtu=2000), attached),
    Operation("an ethdev port", add_device),
    Operation("port.delete of an ethdev port",
              lambda world: world.call("port.delete", name="v"), add_device),
    Operation("port.list", lambda world: world.call("port.list"), attached),
    Operation("port.show", lambda world: world.call("port.show", name="v"), attached),
    Operation("stats.get", lambda world: world.call("stats.get"), attached),
    Operation("stats.clear", lambda world: world.call("stats.clear")),
    Operation("fdb.list", lambda world: world.call("fdb.list")),
    Operation("fdb.add and fdb.delete", add_static, lambda world: world.add_port()),
    Operation("fdb.flush", lambda world: world.call("fdb.flush", port="v"), attached),
    Operation("switch.status", lambda world: world.call("switch.status")),
    Operation("log.set", lambda world: world.call("log.set", level="info")),
    Operation("config.save", save, attached),
    Operation("event.subscribe and an event", events),
    Operation("rpc.discover", lambda world: world.call("rpc.discover")),
    Operation("a batch", batch, attached),
    Operation("a line that is no JSON", not_json),
)


# Interfaces of the kernel take rights.
if os.geteuid() == 0:
    OPERATIONS += (
        Operation("a kernel port", add_kernel_port, lambda world: world.space()),
        Operation("port.set of a kernel port", set_kernel_port, add_kernel_port),
        Operation("port.delete of a kernel port",
                  lambda world: world.call("port.delete", name="v"), add_kernel_port),
    )


def shape(value: object) -> object:
    """What an answer has, whatever its numbers and texts are: names of members, kinds of elements."""
    if isinstance(value, dict):
        return {key: shape(member) for key, member in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(element), sort_keys=True) for element in value})
    return None


def outcome(operation: Operation, world: World, whole: object = None) -> Optional[str]:
    """Runs it; the words that it failed with, None when it ended well. Broken: without words.

    `whole` is the shape of its answer when nothing fails, if that is known.
    """
    try:
        answer = operation.run(world)
        if whole is not None and shape(answer) != whole:
            raise Broken(f"the answer is not whole: {json.dumps(answer)[:400]}")
    except (RpcError, Refused, Told) as error:
        return str(error)
    except (ConnectionError, Disconnected, BrokenPipeError) as error:
        words = port_fault(world) or " ".join(world.wait_words())
        if not words:
            raise Broken(f"the connection ended without a word in the log ({error!r})") from None
        return words
    except Broken:
        raise
    except (TimeoutError, WaitTimeout, AssertionError, ValueError) as error:
        raise Broken(f"no end within {LIMIT:g} s, or a wrong one: {error}") from None
    return None


def port_fault(world: World) -> Optional[str]:
    world.faults.disarm()
    try:
        fault = world.call("port.show", name="v")["fault"]
    except RpcError:
        return None
    return str(fault["text"]) if fault else None
