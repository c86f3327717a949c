# SPDX-License-Identifier: BSD-3-Clause
"""The types of what the methods answer and events say, for the Python client, out of their schemas.

    vswitchd --print-control-schema | result_types.py > python/vswitch/results.py
"""

from __future__ import annotations

import json
import keyword
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

WIDTH = 100
HEAD = '''\
# SPDX-License-Identifier: BSD-3-Clause
# Made by dev.d/result_types.py of what `vswitchd --print-control-schema` prints; do not edit.
"""What the methods of the control protocol answer, and what its events say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypedDict, overload

if TYPE_CHECKING:
    from typing_extensions import NotRequired

Params = Mapping[str, Any]
'''
CALLS = '''

class Calls:
    """A client's `call` and `wait_event`, whose results have the types of what they return."""
'''
OVERLOAD = '''
    @overload
    def call(
        self, method: Literal["{method}"], params: Params | None = None, /, **named: Any
    ) -> {result}: ...
'''
OTHERS = '''
    @overload
    def call(self, method: str, params: Params | None = None, /, **named: Any) -> Any: ...

    def call(self, method: str, params: Params | None = None, /, **named: Any) -> Any:
        """The result of one request; raises RpcError for an error reply.

        Named parameters may be given as keywords, with `_` for `-`.
        """
        return self._call(method, params, named)

    def _call(self, method: str, params: Params | None, named: Params) -> Any:
        raise NotImplementedError
'''
OVERLOAD_EVENT = '''
    @overload
    def wait_event(
        self, name: Literal["{event}"], timeout: float = 10.0, **fields: Any
    ) -> {result}: ...
'''
OTHER_EVENTS = '''
    @overload
    def wait_event(self, name: str, timeout: float = 10.0, **fields: Any) -> Any: ...

    def wait_event(self, name: str, timeout: float = 10.0, **fields: Any) -> Any:
        """The next event `name` whose fields are as given; those before it are dropped.

        TimeoutError when it has not come after `timeout` seconds.
        """
        return self._wait_event(name, timeout, fields)

    def _wait_event(self, name: str, timeout: float, fields: Params) -> Any:
        raise NotImplementedError
'''


def class_name(name: str) -> str:
    """`PORT` and `port.add` as `Port` and `PortAdd`."""
    return "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]", name))


def spell(schema: Schema) -> str:
    """The type of a value."""
    if "$ref" in schema:
        return class_name(schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        return " | ".join(spell(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return "Literal[{}]".format(", ".join(f'"{word}"' for word in schema["enum"]))
    if schema["type"] == "array":
        return f"list[{spell(schema['items'])}]"
    if schema["type"] == "object":
        others = schema.get("additionalProperties")
        return f"dict[str, {spell(others) if others is not None else 'Any'}]"
    return {"string": "str", "integer": "int", "number": "float", "boolean": "bool",
            "null": "None"}[schema["type"]]


def member_type(schema: Schema, name: str) -> str:
    member = spell(schema["properties"][name])
    return member if name in schema["required"] else f"NotRequired[{member}]"


def comment(schema: Schema) -> Iterator[str]:
    if "description" in schema:
        yield from textwrap.wrap(schema["description"], WIDTH, initial_indent="    # ",
                                 subsequent_indent="    # ")


def fold(line: str) -> Iterator[str]:
    """A line in several where it is too long: the words of a Literal."""
    if len(line) <= WIDTH or "Literal[" not in line:
        yield line
        return
    start, words, end = re.split(r"(?<=Literal\[)([^]]*)", line)
    yield start
    yield from textwrap.wrap(words + ",", WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 8)
    yield "    " + end


def describe(name: str, schema: Schema) -> Iterator[str]:
    """The class of an object; of one whose members have names that no attribute has, by a call."""
    base = "TypedDict"
    if "allOf" in schema:
        base, schema = spell(schema["allOf"][0]), schema["allOf"][1]
    members = schema["properties"]
    plain = all(member.isidentifier() and not keyword.iskeyword(member) for member in members)
    yield from ("", "")
    yield f"class {name}({base}):" if plain else f'{name} = TypedDict("{name}", {{'
    for member in members:
        yield from comment(members[member])
        kind = member_type(schema, member)
        yield from fold(f"    {member}: {kind}" if plain else f'    "{member}": {quoted(kind)},')
    if not plain:
        yield "})"


def quoted(kind: str) -> str:
    """A type that is evaluated by type checkers alone."""
    return "'{}'".format(kind) if '"' in kind else f'"{kind}"'


def order(schemas: Mapping[str, Schema]) -> list[str]:
    """The names of objects, each behind those that it holds."""
    found: list[str] = []

    def visit(name: str) -> None:
        for held in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(schemas[name])):
            visit(held)
        if name not in found:
            found.append(name)

    for name in schemas:
        visit(name)
    return found


def module(document: Mapping[str, Any]) -> Iterator[str]:
    schemas = document["components"]["schemas"]
    results = {method["name"]: method["result"]["schema"] for method in document["methods"]}
    yield HEAD.rstrip("\n")
    for name in order(schemas):
        yield from describe(class_name(name), schemas[name])
    calls = CALLS
    for method, schema in results.items():
        result = ""
        if "properties" in schema or "allOf" in schema:
            result = class_name(method) + "Result"
            yield from describe(result, schema)
        else:
            result = spell(schema)
        calls += OVERLOAD.format(method=method, result=result)
    calls += OTHERS
    for event in document["x-events"]:
        result = class_name(event["name"]) + "Event"
        yield from describe(result, event["schema"])
        calls += OVERLOAD_EVENT.format(event=event["name"], result=result)
    yield calls + OTHER_EVENTS.rstrip("\n")


if __name__ == "__main__":
    print("\n".join(module(json.load(sys.stdin))))
