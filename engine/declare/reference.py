"""docs/reference.md, generated from the schema: `python -m engine.declare.reference > docs/reference.md`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from engine.declare.schema import json_schema

Schema = dict[str, Any]

_INTRODUCTION = """\
# campaigns.yaml: every key

Generated from the models by `python -m engine.declare.reference`; a test checks that it is up to date.
`campaign schema` prints the same as JSON Schema, and the first line of campaigns.yaml points editors to it.

Values are read as they are written: `no`, `010` and `10:30` stay text. Quantities carry their unit: `7 days`,
`1.0 pp` (percentage points), `10 %`, `50 per second`, `20 EUR`. Names are made of letters a-z, digits, `_` and `-`.
A setting of `defaults` may stand in a campaign too and replaces the default as a whole there; `~` switches it off.
What is written here and this release cannot do yet is refused by `campaign plan`, with its line.
"""
_CHOICES = {"#/$defs/Group": "condition", "#/$defs/SendStep": "step"}
"""A member that only these unions have, and what the union is called."""


def reference() -> str:
    """The whole page."""
    schema = json_schema()
    definitions: dict[str, Schema] = schema["$defs"]
    sections = [_INTRODUCTION, _section("The file", schema["properties"], schema)]
    sections += [_choice_section(union) for union in _choices(schema)]
    for name in _in_order(schema, definitions):
        sections.append(_section(_title(name), _own_keys(name, definitions), definitions[name]))
    return "\n".join(sections)


def _own_keys(name: str, definitions: dict[str, Schema]) -> Schema:
    """A campaign has every key of the defaults; they are explained there."""
    keys: Schema = definitions[name]["properties"]
    shared = definitions["Defaults"]["properties"] if name == "Campaign" else {}
    return {key: field for key, field in keys.items() if key not in shared}


def _choices(schema: Schema) -> list[list[Schema]]:
    """The unions that have a name, each once."""
    found: dict[str, list[Schema]] = {}
    for members in _unions(schema):
        name = _choice_name(members)
        if name is not None:
            found.setdefault(name, members)
    return list(found.values())


def _unions(node: Any) -> Iterator[list[Schema]]:
    if isinstance(node, dict):
        yield from (node[key] for key in ("oneOf", "anyOf") if key in node)
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _unions(item)


def _choice_name(members: list[Schema]) -> str | None:
    return next((_CHOICES[member["$ref"]] for member in members if member.get("$ref") in _CHOICES), None)


def _choice_section(members: list[Schema]) -> str:
    kinds = ", ".join(_value(member) for member in members)
    return f"## {str(_choice_name(members)).capitalize()}\n\nOne of {kinds}.\n"


def _in_order(schema: Schema, definitions: dict[str, Schema]) -> list[str]:
    """Names of the definitions in the order in which a reader meets them."""
    found: list[str] = []
    waiting = list(_mentioned(schema["properties"]))
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found.append(name)
            waiting = list(_mentioned(definitions[name].get("properties", {}))) + waiting
    return found


def _mentioned(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].rsplit("/", 1)[1]
        for item in node.values():
            yield from _mentioned(item)
    elif isinstance(node, list):
        for item in node:
            yield from _mentioned(item)


def _title(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def _section(title: str, keys: Schema, schema: Schema) -> str:
    required = schema.get("required", [])
    lines = [f"## {title}", ""]
    if schema.get("description") and title != "The file":
        lines += [" ".join(str(schema["description"]).split()), ""]
    lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
    if len(keys) < len(schema["properties"]):
        lines.append("| every key of [defaults](#defaults) | | the default's | Replaces the default here |")
    for key, field in keys.items():
        default = "required" if key in required else _default(field)
        lines.append(f"| `{key}` | {_cell(_value(field))} | {default} | {_cell(field['description'])} |")
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _default(field: Schema) -> str:
    value = field.get("default")
    if value is None or value == []:
        return ""
    if isinstance(value, list):
        return f"`[{', '.join(value)}]`"
    return "see there" if isinstance(value, dict) else f"`{value}`"


def _value(field: Schema) -> str:
    """What may stand there, in words."""
    if "$ref" in field:
        return _link(field["$ref"])
    if "enum" in field:
        return " or ".join(f"`{word}`" for word in dict.fromkeys(_word(item) for item in field["enum"]))
    if "examples" in field:
        return "text such as " + " or ".join(f"`{example}`" for example in field["examples"])
    for combined in ("anyOf", "oneOf"):
        if combined in field:
            return _one_of(field[combined])
    return _plain(field)


def _word(item: Any) -> str:
    return str(item).lower() if isinstance(item, bool) else str(item)


def _one_of(members: list[Schema]) -> str:
    name = _choice_name(members)
    if name is not None:
        return f"[{name}](#{name})"
    return " or ".join(dict.fromkeys(_value(member) for member in members if member != {"type": "null"}))


def _plain(field: Schema) -> str:
    if "prefixItems" in field:
        return f"two values, each {_value(field['prefixItems'][0])}"
    if field.get("type") == "array":
        return f"list of {_value(field['items'])}"
    if field.get("type") == "object":
        return f"names with {_value(field['additionalProperties'])}"
    kinds = field.get("type", [])
    return "whole number" if "integer" in kinds and "minimum" in field else "number" if "minimum" in field else "text"


def _link(reference: str) -> str:
    title = _title(reference.rsplit("/", 1)[1])
    return f"[{title.lower()}](#{title.lower().replace(' ', '-')})"


if __name__ == "__main__":
    sys.stdout.write(reference())
