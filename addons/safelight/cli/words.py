"""Words for people: what a picture carries, what became of an upload, and how to call this."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

_KINDS = {
    "location": "where it was taken",
    "capture-time": "when it was taken",
    "device": "which device took it",
    "device-serial": "the device's serial number",
    "person": "who is in it",
    "author": "who made it",
    "software": "which programs touched it",
    "edit-history": "its earlier versions",
    "thumbnail": "a small copy, perhaps from before it was edited",
    "voice-or-video": "a recording beside the picture",
    "depth-map": "a depth map",
    "ai-prompt": "the prompt it was made with",
    "content-credentials": "content credentials",
    "comment": "comments and descriptions",
    "unknown-data": "data of an unknown kind",
}
_CAUSES = {
    "held": "it waited for a yes",
    "policy": "your policy does not allow it",
    "unreadable": "it was damaged, or of a kind that cannot be looked into",
    "too-large": "it was too large to be looked at",
    "unknown-shape": "it was sent in a way that cannot be understood",
    "unalterable": "a signature or checksum forbids any change to it",
    "ambiguous-request": "the request could be understood in two ways",
    "policy-unusable": "the policy file had a mistake",
    "audit-unwritable": "the record of it could not be written",
    "engine-error": "something inside Safelight broke, so nothing was let out",
}


def cause(name: str) -> str:
    """Why an upload was stopped, in words; the name itself when there are none."""
    return _CAUSES.get(name, name.replace("-", " "))


def kind(name: str) -> str:
    """What a kind of finding is in words; the name itself when there are none."""
    return _KINDS.get(name, name.replace("-", " "))


def listed(words: list[str]) -> str:
    """Words as a sentence lists them."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def size(count: int) -> str:
    """A number of bytes as people say it."""
    if count < 1000:
        return f"{count} bytes"
    for unit, factor in (("GB", 10**9), ("MB", 10**6)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{round(count / 1000)} KB"


def files(count: int) -> str:
    """A number of pictures and documents as people say it."""
    return "1 file" if count == 1 else f"{count} files"


def uploads(count: int) -> str:
    """A number of uploads as people say it."""
    return "1 upload" if count == 1 else f"{count} uploads"


def duration(seconds: float) -> str:
    """A stretch of time as people say it."""
    if seconds < 60:
        return f"{max(int(seconds), 0)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def program() -> str:
    """How a shell finds this program: by its name, or where it was called from."""
    called = Path(sys.argv[0])
    found = called.name == "safelight" and not shutil.which(called.name)
    return shlex.quote(str(called)) if found else "safelight"
