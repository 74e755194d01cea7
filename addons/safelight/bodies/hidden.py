"""Pictures in what stands around a body: the path, the query, the headers. They are noticed, not
rewritten: an address that changes is another address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.bodies.survey import SHORTEST_HIDING_PLACE, holds_picture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.bodies.model import Recogniser


def beside_the_body(path: str, headers: Mapping[str, str], recogniser: Recogniser) -> bool:
    """Does a picture stand in the path, the query or a header?"""
    return any(
        len(text) >= SHORTEST_HIDING_PLACE
        and holds_picture(text.encode("utf-8", "surrogateescape"), recogniser)
        for text in (path, *headers.values())
    )
