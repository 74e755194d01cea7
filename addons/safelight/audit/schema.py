"""The JSON Schema (2020-12) of a line of the log."""

from __future__ import annotations

from typing import Any

from safelight.audit.fields import explained
from safelight.audit.read import RECORD
from safelight.audit.record import Decision, End, Picture, Unseen

# The log gives these to every record it takes.
_GIVEN = ["seq", "at", "prev", "hash"]


def schema() -> dict[str, Any]:
    """The schema of one record as it stands in the log, its fields explained."""
    found = RECORD.json_schema(by_alias=True)
    for model in (Decision, Picture, End, Unseen):
        properties = found["$defs"][model.__name__]["properties"]
        for name, words in explained(model).items():
            properties[name]["description"] = words
    for definition in found["$defs"].values():
        _as_written(definition)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A record of Safelight's audit log",
        **found,
    }


def _as_written(definition: dict[str, Any]) -> None:
    """What is nothing is not written, and what the log gives is always there."""
    properties = definition.get("properties", {})
    for name, value in properties.items():
        options = [one for one in value.pop("anyOf", ()) if one != {"type": "null"}]
        if options:
            properties[name] = {
                **(options[0] if len(options) == 1 else {"anyOf": options}),
                **value,
            }
        if properties[name].get("default", ...) is None:
            del properties[name]["default"]
    if "seq" in properties:
        required = {*definition.get("required", ()), "v", "kind", *_GIVEN}
        definition["required"] = sorted(required)
