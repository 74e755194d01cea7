"""What else stays of a picture's metadata because its owner wants it to: nothing, unless asked."""

from __future__ import annotations

from contextvars import ContextVar
from enum import StrEnum


class Keep(StrEnum):
    """What may stay. Content credentials may not: they sign the file as a whole, so once anything
    else is taken out they would only say that somebody tampered with it."""

    COPYRIGHT = "copyright"


# What says it in Exif and TIFF; a longer notice is none.
COPYRIGHT_TAG, LONGEST_COPYRIGHT = 0x8298, 1000
_KEPT: ContextVar[frozenset[Keep]] = ContextVar("kept", default=frozenset())


class keeping:  # noqa: N801 - used as `with keeping(kept):`
    """Let `kept` stay of what is examined inside."""

    __slots__ = ("_kept", "_token")

    def __init__(self, kept: frozenset[Keep]) -> None:
        self._kept = kept

    def __enter__(self) -> None:
        self._token = _KEPT.set(self._kept)

    def __exit__(self, *_: object) -> None:
        _KEPT.reset(self._token)


def keeps(what: Keep) -> bool:
    """Is this to stay?"""
    return what in _KEPT.get()
