"""Uploads that a request announces and its answer gives a name: what they will be.

OpenAI's Uploads: the request says `bytes`, `mime_type` and `filename`, the answer says `id`.
https://platform.openai.com/docs/api-reference/uploads/create
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from safelight.bodies.declared import names_picture

_PICTURES = ("image/", "video/")


@dataclass(frozen=True, slots=True)
class Announcement:
    """An upload of `size` bytes that is called `upload`; `is_picture`: it was said to be one."""

    upload: str
    size: int
    is_picture: bool


def announced(request: bytes, answer: bytes) -> Announcement | None:
    """What a request and its answer, both JSON, announce; None when they announce nothing."""
    try:
        asked, answered = json.loads(request), json.loads(answer)
    except (ValueError, RecursionError):
        return None
    if not isinstance(asked, dict) or not isinstance(answered, dict):
        return None
    size, upload = asked.get("bytes"), answered.get("id")
    if not isinstance(size, int) or size <= 0 or not isinstance(upload, str) or not upload:
        return None
    is_picture = (
        str(asked.get("mime_type")).lower().startswith(_PICTURES)
        or asked.get("purpose") == "vision"
        or names_picture(str(asked.get("filename")))
    )
    return Announcement(upload, size, is_picture)
