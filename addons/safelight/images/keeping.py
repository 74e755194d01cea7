"""What else stays of a picture's metadata because its owner wants it to: nothing, unless asked."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Keep(StrEnum):
    """What may stay. Content credentials may not: they sign the file as a whole, so once anything
    else is taken out they would only say that somebody tampered with it."""

    COPYRIGHT = "copyright"


# What says it in Exif and TIFF; a longer notice is none.
COPYRIGHT_TAG, LONGEST_COPYRIGHT = 0x8298, 1000
_KEPT: ContextVar[frozenset[Keep]] = ContextVar("kept", default=frozenset())


@contextmanager
def keeping(kept: frozenset[Keep]) -> Iterator[None]:
    """Let `kept` stay of what is examined inside."""
    token = _KEPT.set(kept)
    try:
        yield
    finally:
        _KEPT.reset(token)


def keeps(what: Keep) -> bool:
    """Is this to stay?"""
    return what in _KEPT.get()
