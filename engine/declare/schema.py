"""The JSON Schema of campaigns.yaml, for editors and other tools; generated from the models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from engine.declare.quantities import Quantity
from engine.declare.spec import Project

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PLACE = Path(".campaign") / "schema.json"
"""Where the first line of campaigns.yaml points editors to, beside that file."""


class _AsWritten(GenerateJsonSchema):
    """An editor reads `010` or `true` as a number or a boolean where the engine keeps the text."""

    schema_dialect = DIALECT

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:  # noqa: ARG002 - no string differs
        return {"type": ["string", "number", "boolean"]}

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        words = schema["expected"]
        numbers = [int(word) for word in words if isinstance(word, str) and word.isdigit()]
        return {"enum": [*words, *numbers]}

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        keys = self.generate_inner(schema["keys_schema"])
        made: JsonSchemaValue = {"type": "object", "additionalProperties": self.generate_inner(schema["values_schema"])}
        if "pattern" in keys:
            made["propertyNames"] = {"pattern": keys["pattern"]}
        return made

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Defaults as they would be written; a default of nothing says nothing."""
        made = self.generate_inner(schema["schema"])
        default = _as_text(schema.get("default"))
        return made if default is None or default == {} else {**made, "default": default}

    def tuple_schema(self, schema: core_schema.TupleSchema) -> JsonSchemaValue:
        items = [self.generate_inner(item) for item in schema["items_schema"]]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}


def _as_text(default: Any) -> Any:
    if isinstance(default, BaseModel):
        return default.model_dump(mode="json", by_alias=True, exclude_none=True)
    return str(default) if isinstance(default, Quantity) else default


def json_schema() -> dict[str, Any]:
    """The schema, draft 2020-12; every field has a description."""
    schema = Project.model_json_schema(by_alias=True, schema_generator=_AsWritten)
    sections = schema["properties"]
    for name, section in sections.items():
        if name not in ("version", "include") and "anyOf" not in section:
            kept = {key: section.pop(key) for key in ("description", "default", "title") if key in section}
            sections[name] = {**kept, "anyOf": [section, {"type": "null"}]}
    _without_titles(schema)
    return {"$schema": DIALECT, "title": "campaigns.yaml", **schema}


def _without_titles(schema: Any) -> None:
    """The titles that pydantic makes of field names say the key once more, and editors show them first."""
    if isinstance(schema, list):
        for item in schema:
            _without_titles(item)
    elif isinstance(schema, dict):
        if isinstance(schema.get("title"), str):
            del schema["title"]
        for item in schema.values():
            _without_titles(item)


def text() -> str:
    """The schema as it is printed and written."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"


def write(folder: Path) -> Path:
    """Write the schema where editors look for it, beside the campaigns.yaml of a folder, and say where that is."""
    path = folder / PLACE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text(), encoding="utf-8")
    return path
