"""Pictures as they stand in a body: recognised, examined, cleaned."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from safelight import audit, bodies, images, policy

if TYPE_CHECKING:
    from safelight.bodies import Site

_SHORTEST_NAKED_JXL = 256
_OFFICE_ENDINGS = frozenset(
    {"docx", "docm", "xlsx", "xlsm", "pptx", "pptm", "ppsx", "odt", "ods", "odp", "odg", "epub"}
)


class _Pictures:
    """The `bodies.Recogniser` that knows every format `images` knows."""

    beginnings = images.BEGINNINGS
    anchors = images.ANCHORS

    def starts_image(self, head: bytes, size: int) -> bool:
        if head[:2] == b"\xff\x0a" and size < _SHORTEST_NAKED_JXL:
            # Two bytes are all that marks a naked JPEG XL codestream, and in base64 they are
            # how every path that begins with `/wo` or `/wp` reads.
            return False
        return images.sniff(head) is not None

    def first_image(self, data: memoryview) -> int | None:
        return images.find_embedded(data)

    def is_whole(self, data: memoryview) -> bool:
        try:
            images.examine(bytes(data))
        except images.ImageError:
            return False
        return True


PICTURES = _Pictures()


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of an upload; `error` says why it cannot be read, `examination` what it is."""

    site: Site
    content: bytes = b""
    examination: images.Examination | None = None
    error: str | None = None

    @property
    def type(self) -> str:
        """The format's name, or `unknown`."""
        if self.examination is not None:
            return str(self.examination.format)
        known = images.sniff(self.content)
        return str(known) if known else "unknown"

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of private things it carries."""
        if self.examination is None:
            return frozenset()
        return frozenset(str(finding.kind) for finding in self.examination.findings)

    def facts(self, known: policy.Facts) -> policy.Facts:
        """What policy rules may know of it, beside what is `known` of its upload. Of one that
        cannot be read nothing was found: the policy's `unsure` speaks for it."""
        return replace(
            known,
            type=self.type,
            size=len(self.content),
            metadata=self.kinds,
            pixels=self.pixels,
        )

    @property
    def pixels(self) -> int:
        """How many it has; 0 if that is not known."""
        return self.examination.width * self.examination.height if self.examination else 0

    def cleaned(self, length: images.Length, kept: frozenset[images.Keep]) -> bytes:
        """Its bytes without metadata but what is `kept`, read again. Raises images.ImageError."""
        if kept:
            # Where there is no room for it, it goes as well.
            with contextlib.suppress(images.UnalterableError):
                return images.strip(self.content, length, kept)
        if self.examination is None:
            return images.strip(self.content, length)
        return images.clean(self.content, self.examination, length)

    def neutral_name(self, number: int, original: bytes) -> str:
        """A file name that says nothing but the format. Of the `original` one only the ending
        of an office document stays: all of these are ZIP archives by their bytes."""
        known = images.sniff(self.content)
        if known is None:
            return f"image-{number}"
        ending = original.rpartition(b".")[2].lower().decode("ascii", "replace")
        if known is images.Format.ZIP and ending in _OFFICE_ENDINGS:
            return f"document-{number}.{ending}"
        return f"{'document' if known.is_document else 'image'}-{number}.{known.extension}"

    def entry(self, sent: bytes | None, *, cleaned: bool, renamed: bool) -> audit.Picture:
        """Its part of the audit record; `sent` is what leaves, None when nothing does."""
        return audit.Picture(
            type=self.type,
            received=len(self.content),
            sent=None if sent is None else len(sent),
            found=tuple(sorted(self.kinds)),
            removed=cleaned,
            same_length=cleaned and sent is not None and len(sent) == len(self.content),
            renamed=renamed,
            pixels=self.pixels,
        )


def examine(body: bytes, site: Site, kept: frozenset[images.Keep] = frozenset()) -> Picture:
    """The picture at `site` of `body`; of what is `kept` nothing is said. Never raises: what is
    wrong stands in `error`."""
    try:
        content = bodies.content(body, site)
    except ValueError:
        return Picture(site, error="A picture in it is written in damaged base64.")
    try:
        return Picture(site, content, images.examine(content, kept))
    except images.ImageError as error:
        return Picture(site, content, error=str(error))
