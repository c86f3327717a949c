# SPDX-License-Identifier: BSD-3-Clause
# Made by dev.d/result_types.py of what `vswitchd --print-control-schema` prints; do not edit.
"""What the methods of the control protocol answer, and what its events say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypedDict, overload

if TYPE_CHECKING:
    from typing_extensions import NotRequired

Params = Mapping[str, Any]


class Memory(TypedDict):
    # of which pages it is
    kind: Literal["hugepages", "ordinary"]
    # how much it is
    mib: int


class Worker(TypedDict):
    # its number
    id: int
    # the CPU that it is pinned to; null: none
    cpu: int | None
    # what it does now
    state: Literal["polling", "sleeping"]
    # share of the last second spent in turns that moved frames
    busy_percent: float
    # ports whose frames it takes
    ports: int
    # their queues that it serves
    queues: int


class Flap(TypedDict):
    # which address
    mac: str
    # in which VLAN; 0 is untagged
    vlan: int
    # names of the last two
    ports: list[str]
    # how often it was learned anew, three times or more
    moves: int
    # in so many last seconds
    seconds: int


Table = TypedDict("Table", {
    # how many there are
    "entries": "int",
    # how many of them are static
    "static": "int",
    # entries that it has room for
    "max": "int",
    # seconds after which a silent station is forgotten
    "ageing-time": "int",
    # addresses that were learned at two ports by turns; it means a loop, or that two stations have
    # one address
    "flapping": "list[Flap]",
})


class Peer(TypedDict):
    # the frontend's process
    pid: int
    # what that is called
    program: str
    # user that it runs as
    uid: int


class Device(TypedDict):
    # kernel: `vhost-net` or `tap`; ethdev: the name of the driver; null until it is known
    backend: str | None
    # why this backend was taken
    why: str | None
    # the interface
    ifname: str | None
    # its network namespace; null: the switch's own, or not known
    netns: str | None
    # its address as it is now
    mac: str
    # its MTU as it is now
    mtu: int
    # its queues, each way
    queues: int
    # its link
    link: Literal["up", "down"]
    # whether frames wake a sleeping switch; else it looks now and then
    interrupts: bool
    # of the link, where it is known
    speed_mbps: int | None
    # what is left undone in frames to it
    takes: list[Literal["csum", "tso4", "tso6", "ecn"]]
    # what is left undone in frames from it
    gives: list[Literal["csum", "tso4", "tso6", "ecn"]]
    # threads of the kernel that move the frames
    vhost_pids: list[int]


class Fault(TypedDict):
    # what happened
    text: str
    # how long ago
    age_s: float


class Rates(TypedDict):
    # frames a second from it
    rx_fps: float
    # bits a second from it
    rx_bps: float
    # frames a second to it
    tx_fps: float
    # bits a second to it
    tx_bps: float
    # drops a second
    drop_fps: float


class Time(TypedDict):
    # share of one CPU over the last second: time spent on the port's memory and descriptors
    percent: float
    # the same for the turns of the port's own frames, their receivers included: what fair shares
    # are counted in
    turns_percent: float
    # seconds since the port was added in which frames were taken from it
    taking_s: float
    # seconds in which frames were put into it, calls included
    placing_s: float
    # seconds of writes to its call descriptors alone
    calling_s: float
    # seconds of its own frames' turns
    turns_s: float
    # stretches of over a millisecond that were its doing
    slow_turns: int
    # how often a worker had to wait inside the kernel for its memory
    stalls: int
    # seconds that it waited
    stalled_s: float
    # how long it is left alone from now on, because it took more than its share
    resting_s: float
    # how long it was left alone in all
    rested_s: float


class Offload(TypedDict):
    # frames whose checksum was computed
    checksummed: int
    # frames that were cut into TCP segments
    segmented: int
    # segments made of them; each is delivered or dropped as a frame
    segments: int


class Stats(TypedDict):
    # frames that the switch received from the port
    rx_frames: int
    # their bytes: those of the Ethernet frame without FCS
    rx_bytes: int
    # frames that were delivered to the port
    tx_frames: int
    # their bytes
    tx_bytes: int
    # copies that frames from this port were to make: one a unicast frame, one a receiver of a flood
    copies_due: int
    offload: Offload
    # copies dropped, by reason
    drops: dict[str, int]
    # kernel and ethdev: frames that the interface or device lost by itself, as of the last look,
    # which is about a second old; they are in no other counter, and are counted since it was made
    # or started, whatever is cleared; absent while it is not there
    device_drops: NotRequired[dict[str, int]]


Port = TypedDict("Port", {
    # which port
    "name": "str",
    # its number
    "id": "int",
    # what is behind it
    "type": 'Literal["vhost-user", "kernel", "ethdev"]',
    # vhost-user: `waiting`, `negotiating`, `up`, `stopped` (by the frontend) or `fault`; kernel and
    # ethdev: `waiting` (for what is missing), `up` or `down`
    "state": 'Literal["waiting", "negotiating", "up", "stopped", "fault", "down"]',
    # the state in words, with the reason
    "state_text": "str",
    # largest layer 3 payload; frames of more than mtu + 18 bytes are dropped
    "mtu": "int",
    # most MAC addresses that are learned on the port; 0 is no limit
    "mac-limit": "int",
    # whether frames pass; off drops and counts them, and takes the link of an interface or device
    # down
    "enabled": "bool",
    # whether checksums may be left undone and TCP segments uncut, on both ways; a frontend is
    # offered it when it connects
    "offload": "bool",
    # UNIX socket that the switch listens on
    "socket": "NotRequired[str]",
    # UNIX socket of a frontend that listens (QEMU server=on); the switch connects to it and keeps
    # trying
    "connect": "NotRequired[str]",
    # most memory that the switch adds to the frontend's by touching pages first; 0 is the size of
    # the frontend's memory
    "max-memory": "NotRequired[int]",
    # permission bits of the socket
    "mode": "NotRequired[str]",
    # user who owns the socket, as name or number; else the switch's user
    "owner": "NotRequired[str]",
    # group of the socket, as name or number; else the switch's group
    "group": "NotRequired[str]",
    # name of the interface
    "ifname": "NotRequired[str]",
    # network namespace of the interface: a name of ip netns, or a path
    "netns": "NotRequired[str]",
    # addresses of the interface, separated by commas; in add-port it may repeat, and set-port
    # replaces them all
    "ip": "NotRequired[list[str]]",
    # how frames reach the kernel; auto is vhost-net where /dev/vhost-net can be used, else tap
    "backend": 'NotRequired[Literal["auto", "vhost-net", "tap"]]',
    # queues of the interface or device, each way; workers share them
    "queues": "NotRequired[int]",
    # MAC address of the interface or device; else the one that it has
    "mac": "NotRequired[str]",
    # whether the interface or device is set up
    "up": "NotRequired[bool]",
    # the DPDK device: its PCI address, or a driver with its arguments such as
    # net_af_packet0,iface=eth0
    "devargs": "NotRequired[str]",
    # whether the device takes frames for other addresses than its own
    "promiscuous": "NotRequired[bool]",
    # vhost-user: the frontend; null while there is none
    "peer": "NotRequired[Peer | None]",
    # vhost-user: connections refused since another frontend was attached
    "rejected_connections": "NotRequired[int]",
    # vhost-user: the MTU that the frontend announced (NET_SET_MTU), or null; the smaller of it and
    # `mtu` bounds frames
    "frontend_mtu": "NotRequired[int | None]",
    # kernel and ethdev: the interface or device; null while the port waits for it
    "device": "NotRequired[Device | None]",
    # the last fault; null: none so far
    "fault": "Fault | None",
    # dynamic entries of the port in the forwarding table
    "macs": "int",
    "rates": "Rates",
    "time": "Time",
    "stats": "Stats",
})


class Region(TypedDict):
    # where it begins for the frontend's device
    guest_phys_addr: int
    # bytes
    size: int
    # where it begins in the frontend's process
    userspace_addr: int
    # where it begins in its file
    mmap_offset: int


class Vring(TypedDict):
    # its number
    index: int
    # whose frames it has: the frontend receives or transmits them
    role: Literal["receiveq", "transmitq"]
    # entries
    size: int
    # by the frontend
    enabled: bool
    # the workers use it
    running: bool
    # the frontend gave a kick descriptor
    has_kick: bool
    # the frontend gave a call descriptor
    has_call: bool
    # next entry to take
    avail_idx: int
    # next entry to give back
    used_idx: int


class Session(TypedDict):
    # virtio features agreed on
    features: list[str]
    # the same as a number
    features_hex: str
    # vhost-user protocol features agreed on
    protocol_features: list[str]
    # memory table
    memory: list[Region]
    # most regions a table may have
    memory_regions_max: int
    # rings
    vrings: list[Vring]


class Reason(TypedDict):
    # as in STATS
    name: str
    # what happened, and at which port it is counted
    meaning: str
    # what to do about it
    remedy: str


class Entry(TypedDict):
    # which station
    mac: str
    # in which VLAN; 0 is untagged
    vlan: int
    # always 0
    domain: int
    # where it is; null: the port has just gone
    port: str | None
    # `dynamic` (learned) or `static`
    type: Literal["dynamic", "static"]
    # since it was last heard; null for static entries
    age_s: float | None


class SwitchStatusResult(TypedDict):
    # of vswitchd
    version: str
    # of vswitchd
    pid: int
    # since it was started
    uptime_s: float
    # where ports' sockets are by default
    socket_dir: str
    # path of this socket
    control: str
    # path of the configuration file, or null
    config: str | None
    # least important messages that are logged
    log_level: Literal["error", "warning", "info", "debug"]
    # whether idle workers sleep, or never do
    poll: Literal["adaptive", "always"]
    memory: Memory
    # threads that move frames
    workers: list[Worker]
    # frontends that are served
    sessions: int
    # most frontends that can be
    sessions_max: int
    fdb: Table
    # the ports
    ports: list[Port]


SwitchSetResult = TypedDict("SwitchSetResult", {
    # as it is now
    "ageing-time": "int",
})


class PortAddResult(Port):
    # a command to try next
    hint: str


class PortDeleteResult(TypedDict):
    # which port
    name: str
    # false: there was none
    deleted: bool


class PortShowResult(Port):
    # what the frontend has negotiated; null: nothing yet
    session: Session | None


class StatsGetResult(TypedDict):
    # what `drops` of STATS count
    reasons: list[Reason]
    # what `device_drops` of STATS count
    device_reasons: list[Reason]
    # counters, by the port's name
    ports: dict[str, Stats]


class StatsClearResult(TypedDict):
    # names of ports
    cleared: list[str]


class FdbListResult(TypedDict):
    # how many there are
    count: int
    # entries that the table has room for
    max: int
    # the stations
    entries: list[Entry]


class FdbDeleteResult(TypedDict):
    # 1
    deleted: int


class FdbFlushResult(TypedDict):
    # how many
    flushed: int


class EventSubscribeResult(TypedDict):
    # the events that will come
    subscribed: list[Literal[
        "port.added", "port.deleted", "port.attached", "port.detached", "port.fault", "mac.moved",
    ]]


class ConfigSaveResult(TypedDict):
    # path
    file: str
    # where the file may mean something else at the next start
    warnings: NotRequired[list[str]]


class LogSetResult(TypedDict):
    # as it is now
    level: Literal["error", "warning", "info", "debug"]


RpcDiscoverResult = TypedDict("RpcDiscoverResult", {
    # version of OpenRPC
    "openrpc": "str",
    # what this is
    "info": "dict[str, Any]",
    # JSON schemas of the objects that results hold
    "components": "dict[str, Any]",
    # the events, each with a schema of its `params`
    "x-events": "list[dict[str, Any]]",
    # the methods, each with its parameters and its result
    "methods": "list[dict[str, Any]]",
})


class PortAddedEvent(TypedDict):
    # which port
    port: str
    # what happened
    event: Literal["port.added"]
    # seconds since 1970
    time: float


class PortDeletedEvent(TypedDict):
    # which port
    port: str
    # what happened
    event: Literal["port.deleted"]
    # seconds since 1970
    time: float


class PortAttachedEvent(TypedDict):
    # which port
    port: str
    peer: Peer
    # what happened
    event: Literal["port.attached"]
    # seconds since 1970
    time: float


class PortDetachedEvent(TypedDict):
    # which port
    port: str
    # what happened
    event: Literal["port.detached"]
    # seconds since 1970
    time: float


class PortFaultEvent(TypedDict):
    # which port
    port: str
    # which rule was broken
    text: str
    # what happened
    event: Literal["port.fault"]
    # seconds since 1970
    time: float


MacMovedEvent = TypedDict("MacMovedEvent", {
    # which station
    "mac": "str",
    # in which VLAN; 0 is untagged
    "vlan": "int",
    # the port where it was
    "from": "str",
    # the port where it is
    "to": "str",
    # what happened
    "event": 'Literal["mac.moved"]',
    # seconds since 1970
    "time": "float",
})


class Calls:
    """A client's `call` and `wait_event`, whose results have the types of what they return."""

    @overload
    def call(
        self, method: Literal["switch.status"], params: Params | None = None, /, **named: Any
    ) -> SwitchStatusResult: ...

    @overload
    def call(
        self, method: Literal["switch.set"], params: Params | None = None, /, **named: Any
    ) -> SwitchSetResult: ...

    @overload
    def call(
        self, method: Literal["port.add"], params: Params | None = None, /, **named: Any
    ) -> PortAddResult: ...

    @overload
    def call(
        self, method: Literal["port.delete"], params: Params | None = None, /, **named: Any
    ) -> PortDeleteResult: ...

    @overload
    def call(
        self, method: Literal["port.set"], params: Params | None = None, /, **named: Any
    ) -> Port: ...

    @overload
    def call(
        self, method: Literal["port.list"], params: Params | None = None, /, **named: Any
    ) -> list[Port]: ...

    @overload
    def call(
        self, method: Literal["port.show"], params: Params | None = None, /, **named: Any
    ) -> PortShowResult: ...

    @overload
    def call(
        self, method: Literal["stats.get"], params: Params | None = None, /, **named: Any
    ) -> StatsGetResult: ...

    @overload
    def call(
        self, method: Literal["stats.clear"], params: Params | None = None, /, **named: Any
    ) -> StatsClearResult: ...

    @overload
    def call(
        self, method: Literal["fdb.list"], params: Params | None = None, /, **named: Any
    ) -> FdbListResult: ...

    @overload
    def call(
        self, method: Literal["fdb.add"], params: Params | None = None, /, **named: Any
    ) -> Entry: ...

    @overload
    def call(
        self, method: Literal["fdb.delete"], params: Params | None = None, /, **named: Any
    ) -> FdbDeleteResult: ...

    @overload
    def call(
        self, method: Literal["fdb.flush"], params: Params | None = None, /, **named: Any
    ) -> FdbFlushResult: ...

    @overload
    def call(
        self, method: Literal["event.subscribe"], params: Params | None = None, /, **named: Any
    ) -> EventSubscribeResult: ...

    @overload
    def call(
        self, method: Literal["config.save"], params: Params | None = None, /, **named: Any
    ) -> ConfigSaveResult: ...

    @overload
    def call(
        self, method: Literal["log.set"], params: Params | None = None, /, **named: Any
    ) -> LogSetResult: ...

    @overload
    def call(
        self, method: Literal["rpc.discover"], params: Params | None = None, /, **named: Any
    ) -> RpcDiscoverResult: ...

    @overload
    def call(self, method: str, params: Params | None = None, /, **named: Any) -> Any: ...

    def call(self, method: str, params: Params | None = None, /, **named: Any) -> Any:
        """The result of one request; raises RpcError for an error reply.

        Named parameters may be given as keywords, with `_` for `-`.
        """
        return self._call(method, params, named)

    def _call(self, method: str, params: Params | None, named: Params) -> Any:
        raise NotImplementedError

    @overload
    def wait_event(
        self, name: Literal["port.added"], timeout: float = 10.0, **fields: Any
    ) -> PortAddedEvent: ...

    @overload
    def wait_event(
        self, name: Literal["port.deleted"], timeout: float = 10.0, **fields: Any
    ) -> PortDeletedEvent: ...

    @overload
    def wait_event(
        self, name: Literal["port.attached"], timeout: float = 10.0, **fields: Any
    ) -> PortAttachedEvent: ...

    @overload
    def wait_event(
        self, name: Literal["port.detached"], timeout: float = 10.0, **fields: Any
    ) -> PortDetachedEvent: ...

    @overload
    def wait_event(
        self, name: Literal["port.fault"], timeout: float = 10.0, **fields: Any
    ) -> PortFaultEvent: ...

    @overload
    def wait_event(
        self, name: Literal["mac.moved"], timeout: float = 10.0, **fields: Any
    ) -> MacMovedEvent: ...

    @overload
    def wait_event(self, name: str, timeout: float = 10.0, **fields: Any) -> Any: ...

    def wait_event(self, name: str, timeout: float = 10.0, **fields: Any) -> Any:
        """The next event `name` whose fields are as given; those before it are dropped.

        TimeoutError when it has not come after `timeout` seconds.
        """
        return self._wait_event(name, timeout, fields)

    def _wait_event(self, name: str, timeout: float, fields: Params) -> Any:
        raise NotImplementedError
