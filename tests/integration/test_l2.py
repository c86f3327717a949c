# SPDX-License-Identifier: BSD-3-Clause
"""Layer 2: flood, learn, move, age, and what is dropped by its address, size or port."""

from __future__ import annotations

import pytest
from support import Switch, wait_until
from support.fixture_types import MakeStation
from support.frames import BROADCAST, frame, mac_text, tagged
from support.messages import Refused, Request, u64
from support.station import Station, fence, introduce

UNKNOWN = "02:99:99:99:99:99"


@pytest.fixture
def three(switch: Switch, station: MakeStation) -> list[Station]:
    """Three stations that the switch does not know yet."""
    return [station(switch, port) for port in ("a", "b", "c")]


@pytest.mark.parametrize(
    "destination", [UNKNOWN, BROADCAST, "01:00:5e:00:00:01", "33:33:00:00:00:01"]
)
def test_flood_reaches_every_other_port_and_never_its_own(
    switch: Switch, three: list[Station], destination: str
) -> None:
    a, b, c = three
    data = a.send(destination)
    b.expect(data)
    c.expect(data)
    fence(b, [a, c])
    assert switch.conservation() == {"due": 4, "delivered": 4, "dropped": 0}


def test_learned_address_gets_its_frames_alone(switch: Switch, three: list[Station]) -> None:
    a, b, c = three
    introduce(three)
    assert switch.fdb() == {station.mac: station.port for station in three}
    b.expect(a.send(b))
    fence(a, [b, c])
    assert switch.conservation() == {"due": 9, "delivered": 9, "dropped": 0}


def test_station_that_moves_is_followed(switch: Switch, three: list[Station]) -> None:
    a, b, c = three
    introduce(three)
    switch.client.subscribe("mac.moved")
    moved = frame(BROADCAST, b.mac, 64, 1)
    c.frontend.send(moved)
    a.expect(moved)
    b.expect(moved)
    event = switch.client.wait_event("mac.moved")
    assert (event["mac"], event["from"], event["to"]) == (b.mac, "b", "c")
    c.expect(a.send(b))
    fence(a, [b, c])
    assert switch.fdb()[b.mac] == "c"


def test_address_at_two_ports_by_turns_is_told(switch: Switch, three: list[Station]) -> None:
    """A loop, or two stations with one address: `status` names it, both ports, and how often."""
    a, b, c = three
    introduce(three)
    doubled = frame(BROADCAST, b.mac, 64, 1)
    for turn in range(6):
        sender = (c, b)[turn % 2]
        sender.frontend.send(doubled)
        wait_until("it is learned there", lambda: switch.fdb()[b.mac] == sender.port, 10.0)
    flap, = switch.call("switch.status")["fdb"]["flapping"]
    assert (flap["mac"], sorted(flap["ports"]), flap["moves"]) == (b.mac, ["b", "c"], 6)
    lines = switch.ctl("status").stdout.splitlines()
    shown = " ".join(line.strip() for line in lines)
    for words in (f"flapping {b.mac} is at b and c by turns, 6 times in 10 s", "loop", "two stations"):
        assert words.replace("b and c", " and ".join(flap["ports"])) in shown
    assert all(len(line) <= 80 for line in lines if "flapping" in line or "loop" in line)
    switch.conserves = False
    switch.call("port.delete", name="c")
    assert switch.call("switch.status")["fdb"]["flapping"] == []


def test_entry_ages_and_its_traffic_floods_again(switch: Switch, three: list[Station]) -> None:
    a, b, c = three
    assert switch.call("switch.set", ageing_time=1) == {"ageing-time": 1}
    introduce(three)
    wait_until("the table is empty", lambda: not switch.fdb(), 10.0, lambda: str(switch.fdb()))
    wait_until("nothing is counted", lambda: known(switch) == 0)
    data = a.send(b)
    b.expect(data)
    c.expect(data)


def known(switch: Switch) -> int:
    entries: int = switch.call("switch.status")["fdb"]["entries"]
    return entries


def test_station_that_talks_does_not_age(switch: Switch, three: list[Station]) -> None:
    a, b, c = three
    switch.call("switch.set", ageing_time=2)
    introduce(three)

    def only_a_is_known() -> bool:
        a.announce(b, c)
        known = switch.fdb()
        assert a.mac in known
        return set(known) == {a.mac}

    wait_until("the silent stations have aged", only_a_is_known, 15.0)


@pytest.mark.parametrize("last", range(16))
def test_reserved_address_is_not_forwarded(
    switch: Switch, three: list[Station], last: int
) -> None:
    a, b, c = three
    a.send(f"01:80:c2:00:00:{last:02x}")
    fence(a, [b, c])
    assert switch.drops("a") == {"reserved-address": 1}


def test_address_after_the_reserved_ones_floods(switch: Switch, three: list[Station]) -> None:
    a, b, c = three
    for destination in ("01:80:c2:00:00:10", "01:80:c2:00:01:00", "01:80:c3:00:00:00"):
        data = a.send(destination)
        b.expect(data)
        c.expect(data)
    assert switch.drops("a") == {}


def test_static_entry_needs_no_learning_and_does_not_move(
    switch: Switch, three: list[Station]
) -> None:
    a, b, c = three
    entry = switch.call("fdb.add", mac=UNKNOWN, port="b")
    assert (entry["mac"], entry["port"], entry["type"]) == (UNKNOWN, "b", "static")
    b.expect(a.send(UNKNOWN))
    stranger = frame(BROADCAST, UNKNOWN, 64, 7)
    c.frontend.send(stranger)
    a.expect(stranger)
    b.expect(stranger)
    b.expect(a.send(UNKNOWN))
    fence(a, [b, c])
    assert switch.fdb()[UNKNOWN] == "b"
    assert switch.call("switch.status")["fdb"]["static"] == 1


def test_static_entry_outlives_age_and_flush(switch: Switch, three: list[Station]) -> None:
    a, b, c = three
    switch.call("switch.set", ageing_time=1)
    switch.call("fdb.add", mac=UNKNOWN, port="b")
    introduce(three)
    wait_until("the others have aged", lambda: known(switch) == 1)
    assert switch.call("fdb.flush") == {"flushed": 0}
    assert switch.fdb() == {UNKNOWN: "b"}
    assert switch.call("fdb.delete", mac=UNKNOWN) == {"deleted": 1}
    data = a.send(UNKNOWN)
    b.expect(data)
    c.expect(data)


def test_flush_by_port_and_whole(switch: Switch, three: list[Station]) -> None:
    a, b, c = three
    introduce(three)
    assert switch.call("fdb.flush", port="b") == {"flushed": 1}
    assert switch.fdb() == {a.mac: "a", c.mac: "c"}
    data = a.send(b)
    b.expect(data)
    c.expect(data)
    assert switch.call("fdb.flush") == {"flushed": 2}
    assert switch.fdb() == {}


def test_list_by_port_and_age(switch: Switch, three: list[Station]) -> None:
    introduce(three)
    listing = switch.call("fdb.list", port="b")
    assert [entry["mac"] for entry in listing["entries"]] == [three[1].mac]
    entry = listing["entries"][0]
    assert (entry["type"], entry["vlan"], entry["domain"]) == ("dynamic", 0, 0)
    assert 0 <= entry["age_s"] < 60
    assert switch.port("b")["macs"] == 1


def test_multicast_source_is_not_learned(switch: Switch, three: list[Station]) -> None:
    a, b, c = three
    a.frontend.send(frame(b.mac, "03:00:00:00:00:07"))
    fence_data = b.send(BROADCAST)
    a.expect(fence_data)
    assert all(int(mac[:2], 16) & 1 == 0 for mac in switch.fdb())


def test_mac_limit_holds_and_frames_still_pass(switch: Switch, station: MakeStation) -> None:
    a = station(switch, "a", None, mac_limit=4)
    b = station(switch, "b")
    frames = [frame(BROADCAST, mac_text(0x1000 + n), 64, n) for n in range(10)]
    a.frontend.send(*frames)
    b.expect(*frames)
    assert switch.port("a")["macs"] == 4
    switch.call("port.set", {"name": "a", "mac-limit": 6})
    a.frontend.send(*frames)
    b.expect(*frames)
    assert switch.port("a")["macs"] == 6


@pytest.mark.timeout(120)
def test_full_table_evicts_from_the_port_that_filled_it(
    switch: Switch, three: list[Station]
) -> None:
    """A port that floods random source addresses harms only its own."""
    a, b, c = three
    introduce(three)
    size = switch.call("switch.status")["fdb"]["max"]
    assert size == 65536
    for start in range(0, size + 4096, 128):
        frames = [
            frame(b.mac, mac_text(0x100000 + number), 22, number)
            for number in range(start, start + 128)
        ]
        a.frontend.send(*frames)
        b.expect(*frames)
    status = switch.call("switch.status")["fdb"]
    assert status["entries"] <= size
    assert switch.port("a")["macs"] >= size - 2
    b.expect(c.send(b))
    c.expect(b.send(c))
    assert switch.port("b")["macs"] == 1
    assert switch.port("c")["macs"] == 1


def test_destination_on_its_own_port_is_dropped(switch: Switch, three: list[Station]) -> None:
    a, b, c = three
    introduce(three)
    a.frontend.send(frame(a.mac, mac_text(0x77)))
    fence(a, [b, c])
    assert switch.drops("a") == {"same-port": 1}


@pytest.mark.parametrize("mtu", [68, 1500, 9000])
def test_size_limits_by_mtu(switch: Switch, station: MakeStation, mtu: int) -> None:
    a, b = (station(switch, port, None, mtu=mtu) for port in ("a", "b"))
    for size in (14, mtu + 18):
        b.expect(a.send(b, size))
    a.send(b, mtu + 19)
    for size in (1, 13):
        a.frontend.send(a.build(b, 14)[:size])
    fence(a, [b])
    assert switch.drops("a") == {"too-big": 1, "too-short": 2}
    assert switch.drops("b") == {}


@pytest.mark.parametrize("kinds", [
    [0x88A8, 0x8100], [0x8100, 0x8100], [0x88A8, 0x88A8], [0x8100, 0x8100, 0x8100],
], ids=lambda kinds: "-".join(f"{kind:x}" for kind in kinds))
@pytest.mark.parametrize("mtu", [1500, 9000, 65535])
def test_size_limits_with_two_tags(
    switch: Switch, station: MakeStation, mtu: int, kinds: list[int]
) -> None:
    """Two tags take eight bytes, and no frame gets room for a tag that it has not."""
    a, b = (station(switch, port, None, mtu=mtu) for port in ("a", "b"))
    room = mtu + 14 + 8 - 4 * len(kinds)  # of the frame without its tags
    fits = tagged(a.build(b, room), kinds)
    a.frontend.send(fits)
    b.expect(fits)
    a.frontend.send(tagged(a.build(b, room + 1), kinds))
    fewer: list[list[int]] = [[], kinds[:1], [kinds[0], 0x0800], [0x0800, 0x8100], [0x9100, 0x8100]]
    for few in fewer:
        a.frontend.send(tagged(a.build(b, mtu + 22 - 4 * len(few)), few))
    fence(a, [b])
    assert switch.drops("a") == {"too-big": 6}
    assert switch.drops("b") == {}


def test_receiver_with_a_smaller_mtu_takes_two_tags(
    switch: Switch, station: MakeStation
) -> None:
    a = station(switch, "a", None, mtu=9000)
    b = station(switch, "b", None, mtu=1500)
    fits = tagged(a.build(b, 1514), [0x88A8, 0x8100])
    a.frontend.send(tagged(a.build(b, 1515), [0x88A8, 0x8100]), fits, a.build(b, 1519))
    b.expect(fits)
    fence(a, [b])
    assert switch.drops("b") == {"too-big": 2}


def test_receiver_with_a_smaller_mtu_is_spared(switch: Switch, station: MakeStation) -> None:
    a = station(switch, "a", None, mtu=9000)
    b = station(switch, "b", None, mtu=1500)
    c = station(switch, "c", None, mtu=9000)
    c.expect(a.send(BROADCAST, 4000))
    fence(a, [b, c])
    assert switch.drops("b") == {"too-big": 1}
    assert switch.drops("a") == {}


def test_announced_mtu_is_shown_beside_the_ports(
    switch: Switch, three: list[Station]
) -> None:
    """What bounds a port's frames is said where its user looks, and what to do about it."""
    a, b, c = three
    assert switch.port("b")["frontend_mtu"] is None
    b.frontend.net_set_mtu(1400)
    port = switch.port("b")
    assert (port["mtu"], port["frontend_mtu"]) == (1500, 1400)
    data = a.send(BROADCAST, 1418)
    b.expect(data)
    c.expect(data)
    c.expect(a.send(BROADCAST, 1419))
    switch.wait_drops("b", {"too-big": 1})
    assert "1400, announced by the frontend; the port's own 1500" in shown(switch, "b")
    assert "1400" in switch.process.tail() and "1500" in switch.process.tail()
    remedy = switch.ctl("drops", "b").stdout
    assert "set-port" in remedy and "host_mtu" in remedy
    b.frontend.net_set_mtu(1500)
    assert "1500; the frontend announced 1500" in shown(switch, "b")
    b.frontend.close()
    switch.wait_state("b", "waiting")
    assert switch.port("b")["frontend_mtu"] is None
    assert "frontend announced" not in shown(switch, "b")


def shown(switch: Switch, port: str) -> str:
    return " ".join(switch.ctl("show-port", port).stdout.split())


def test_announced_mtu_over_the_ports_is_answered_truthfully(
    switch: Switch, three: list[Station]
) -> None:
    """Who asks (REPLY_ACK) hears no; who does not may say it; the port's own counts."""
    a, b, c = three
    with pytest.raises(Refused):
        b.frontend.net_set_mtu(9000)
    assert switch.port("b")["frontend_mtu"] is None and switch.port("b")["state"] == "up"
    log = switch.process.tail()
    assert "9000" in log and "1500" in log and "set-port" in log and "host_mtu" in log
    b.frontend.request(Request.NET_SET_MTU, u64(9000), need_reply=False)
    b.frontend.get_features()
    assert "1500; the frontend announced 9000" in shown(switch, "b")
    switch.call("port.set", {"name": "b", "mtu": 9000})
    b.frontend.net_set_mtu(9000)
    c.expect(a.send(BROADCAST, 1500))


def test_mtu_is_changed_while_the_port_is_up(switch: Switch, three: list[Station]) -> None:
    a, b, c = three
    a.send(BROADCAST, 2000)
    fence(a, [b, c])
    assert switch.drops("a") == {"too-big": 1}
    for port in ("a", "b", "c"):
        switch.call("port.set", {"name": port, "mtu": 3000})
    data = a.send(BROADCAST, 2000)
    b.expect(data)
    c.expect(data)


def test_disabled_port_takes_and_gets_nothing(switch: Switch, three: list[Station]) -> None:
    a, b, c = three
    introduce(three)
    switch.call("fdb.add", mac=b.mac, port="b")  # what was learned there would be forgotten
    switch.call("port.set", {"name": "b", "enabled": False})
    for _ in range(3):
        b.send(a)
    b.frontend.flush()
    a.send(b)
    fence(a, [c])
    switch.wait_stats("b", disabled=4)
    switch.call("port.set", {"name": "b", "enabled": True})
    fence(a, [b, c])
    a.expect(b.send(a))


def test_counters_of_a_port_count_frames_and_bytes(switch: Switch, three: list[Station]) -> None:
    a, b, c = three
    introduce(three)
    switch.conservation()
    switch.call("stats.clear")
    for size in (14, 60, 1514):
        b.expect(a.send(b, size))
    fence(a, [b, c])
    total = 14 + 60 + 1514 + 64
    switch.wait_stats("a", rx_frames=4, rx_bytes=total, tx_frames=0, tx_bytes=0)
    switch.wait_stats("b", rx_frames=0, rx_bytes=0, tx_frames=4, tx_bytes=total)
    switch.wait_stats("c", tx_frames=1, tx_bytes=64)
