"""The JSON Schema of policy files, for editors that help while one writes."""

from __future__ import annotations

import json

from safelight.policy.model import Policy


def text() -> str:
    """The schema as it stands in policies/policy.schema.json."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Policy.model_json_schema(),
        "title": "Safelight policy",
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
