# SPDX-License-Identifier: BSD-3-Clause
"""What the methods answer is what rpc.discover says of it, no member more or less."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from support import Switch
from support.fixture_types import MakeStation, MakeSwitch
from support.process import PROJECT, binary
from vswitch import Client

MAC = "02:00:00:00:00:01"
TYPES: dict[str, Any] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict,
    "array": list, "null": type(None),
}
Schema = Mapping[str, Any]


class Document:
    """The answer of rpc.discover."""

    def __init__(self, client: Client) -> None:
        found = client.call("rpc.discover")
        self.schemas: Mapping[str, Schema] = found["components"]["schemas"]
        self.results: Mapping[str, Schema] = {
            method["name"]: method["result"]["schema"] for method in found["methods"]
        }
        self.events: Mapping[str, Schema] = {
            event["name"]: event["schema"] for event in found["x-events"]
        }
        self.checked: set[str] = set()

    def faults(self, value: Any, schema: Schema, at: str) -> Sequence[str]:
        """What of a value does not fit a schema, of those that the switch makes."""
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            self.checked.add(name)
            return self.faults(value, self.schemas[name], at)
        if "allOf" in schema:
            base, more = schema["allOf"]
            self.checked.add(base["$ref"].rsplit("/", 1)[1])
            base = self.schemas[base["$ref"].rsplit("/", 1)[1]]
            schema = {**more, "properties": {**base["properties"], **more["properties"]},
                      "required": [*base["required"], *more["required"]]}
        if "anyOf" in schema:
            found = [self.faults(value, choice, at) for choice in schema["anyOf"]]
            return min(found, key=len)
        wanted = TYPES[schema["type"]]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            return [f"{at}: {value!r} is not a {schema['type']}"]
        if "enum" in schema and value not in schema["enum"]:
            return [f"{at}: {value!r} is not one of {schema['enum']}"]
        if isinstance(value, list):
            return [fault for number, element in enumerate(value)
                    for fault in self.faults(element, schema["items"], f"{at}[{number}]")]
        return self.faults_of_members(value, schema, at) if isinstance(value, dict) else []

    def faults_of_members(
        self, value: Mapping[str, Any], schema: Schema, at: str
    ) -> Sequence[str]:
        members = schema.get("properties", {})
        others = schema.get("additionalProperties")
        found = [f"{at}.{key} is missing" for key in schema.get("required", []) if key not in value]
        for key, member in value.items():
            described = members.get(key, others)
            if described is not None:
                found += self.faults(member, described, f"{at}.{key}")
            elif members:
                found.append(f"{at}.{key} is not described")
        return found


class Checked:
    """Calls methods and holds each answer against its description."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.document = Document(client)
        self.called: set[str] = set()

    def __call__(self, method: str, **params: Any) -> Any:
        answer = self.client.call(method, **params)
        faults = self.document.faults(answer, self.document.results[method], method)
        assert not faults, faults
        self.called.add(method)
        return answer


def fault(switch: Switch, station: MakeStation) -> None:
    """Has the frontend of a port "b" break a rule."""
    broken = station(switch, "b")
    broken.frontend.tx.avail_idx = 5000
    broken.frontend.tx.kick()
    switch.wait_state("b", "fault")


def check_events(watcher: Client, document: Document, last: str) -> set[str]:
    """Holds each event up to this one against its description; their names."""
    seen: set[str] = set()
    for event in watcher.events(10.0):
        name = event["event"]
        faults = document.faults(event, document.events[name], name)
        assert not faults, faults
        seen.add(name)
        if name == last:
            break
    return seen


def test_answers_are_as_described(
    make_switch: MakeSwitch, station: MakeStation, workdir: Path
) -> None:
    switch = make_switch("--config", str(workdir / "c.json"))
    switch.conserves = False
    with Client(switch.control) as client, Client(switch.control) as watcher:
        call = Checked(client)
        watcher.subscribe()
        call("port.add", name="w")
        call("port.add", name="c", connect=str(workdir / "c.sock"))
        call("port.add", name="e", type="ethdev", devargs="net_null0")
        call("port.set", name="e", mtu=1400)
        station(switch, "a").announce()
        fault(switch, station)
        for name in ("a", "b", "c", "e", "w"):
            call("port.show", name=name)
        call("fdb.add", mac=MAC, port="w")
        for method in ("port.list", "switch.status", "stats.get", "fdb.list", "event.subscribe",
                       "config.save", "rpc.discover"):
            call(method)
        call("stats.get", name="a")
        call("stats.clear")
        call("fdb.delete", mac=MAC)
        call("fdb.flush")
        call("switch.set", ageing_time=299)
        call("log.set", level="warning")
        call("port.delete", name="w")
        call("port.delete", name="w", if_exists=True)
        seen = check_events(watcher, call.document, "port.deleted")
    assert seen >= set(call.document.events) - {"mac.moved"}
    assert call.called == set(call.document.results)
    assert call.document.checked == set(call.document.schemas) - {"FLAP"}


def printed_schema() -> str:
    return subprocess.run([str(binary("vswitch/vswitchd")), "--print-control-schema"],
                          capture_output=True, text=True, timeout=30, check=True).stdout


def test_types_of_the_python_client_are_not_stale() -> None:
    """They are what the switch says now."""
    made = subprocess.run([sys.executable, str(PROJECT / "dev.d" / "result_types.py")],
                          input=printed_schema(), capture_output=True, text=True, timeout=30,
                          check=True).stdout
    committed = (PROJECT / "python" / "vswitch" / "results.py").read_text()
    assert committed == made, "make it anew as CONTRIBUTING.md says"


def test_what_is_printed_is_what_is_answered(switch: Switch) -> None:
    assert json.loads(printed_schema()) == switch.call("rpc.discover")


def told_default(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def test_page_of_ports_has_every_option() -> None:
    """With the default that it has, where that is a value."""
    methods = {method["name"]: method for method in json.loads(printed_schema())["methods"]}
    options = {param["name"]: param["schema"] for param in methods["port.add"]["params"]
               if param["name"] not in ("name", "type", "may-exist")}
    page = (PROJECT / "docs" / "ports.md").read_text()
    defaults = {}
    for table in re.findall(r"\| option \| default \| meaning \|\n\|[-|]+\n((?:\|.*\n)+)", page):
        for keys, default in re.findall(r"^\| (`[^|]+`) \| ([^|]*)\|", table, re.MULTILINE):
            for key, value in zip(re.findall("`([^`]+)`", keys), default.split(", "), strict=False):
                defaults[key] = value.strip()
            for key in re.findall("`([^`]+)`", keys):
                defaults.setdefault(key, "")
    assert defaults.keys() == options.keys()
    wanted = {key: told_default(schema["default"]) for key, schema in options.items()
              if "default" in schema}
    assert {key: defaults[key] for key in wanted} == wanted
