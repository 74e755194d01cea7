"""One upload while it is judged, and what the transforms make of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safelight import audit, bodies, images
from safelight.bodies import Shape
from safelight.examiner import PICTURES, Picture
from safelight.journal import Sender
from safelight.policy import Action
from safelight.refusals import Cause, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.in_force import Rules
    from safelight.journal import Journal
    from safelight.policy import Decision
    from safelight.sequences import Turn
    from safelight.services import Destination
    from safelight.uploads import CleanPiece


@dataclass(frozen=True, slots=True)
class Upload:
    """A request with a body that is on its way to an AI service.

    `headers` has lower-case names; `body` is as the client sent it, content coding and all.
    `length_promised`: it must stay as long as it is, for reasons that the headers do not say.
    `turn` is that of a piece which does not say where it belongs. `client` is the address from
    which it comes, and `identity` who is known to send it, as `user:anna` or `phone:anna`.
    `workspace` is that of the service for which it says it is.
    """

    destination: Destination
    path: str
    headers: Mapping[str, str]
    body: bytes
    length_promised: bool = False
    turn: Turn | None = None
    client: str | None = None
    identity: str | None = None
    workspace: str | None = None

    @property
    def sender(self) -> Sender:
        """Who sends it."""
        return Sender(self.client, self.identity, self.workspace)

    @property
    def query(self) -> str:
        """The part of the path after the question mark."""
        return self.path.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Waits:
    """An upload that a person may still let go: `then` is what leaves after a yes. `content` are
    digests (SHA-256) of its pictures, to know the same upload again, `workspace` where it goes. Of
    an upload in pieces, `piece` is the one that waits; the yes is to all of it for `reasons`."""

    record: str
    decision: Decision
    pictures: int
    size: int
    found: frozenset[str] | None
    content: tuple[str, ...]
    then: Outcome
    journal: Journal
    workspace: str | None = None
    piece: bodies.Piece | None = None
    reasons: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of an upload: either `body` may leave, or `refusal` says why nothing may. If it
    `waits`, somebody who can ask a person may still release it; for all others it is refused.

    `pictures` counts those in it, `removed` names the kinds of findings that were taken out,
    `warnings` are what the policy wants the person to be told. `headers` are those (lower-case)
    that have to change with the body, `path` is the path and query to ask for instead.
    """

    body: bytes = b""
    refusal: Refusal | None = None
    pictures: int = 0
    removed: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str | None = None
    waits: Waits | None = None


_NOTHING = bodies.Survey(Shape.BINARY)


@dataclass(slots=True)
class Case:
    """One upload while it is being judged by `rules`; `body` is without its content coding. A
    piece of an upload may stand in a form."""

    upload: Upload
    rules: Rules
    body: bytes = b""
    piece: bodies.Piece | None = None
    form: bodies.FormPiece | None = None
    survey: bodies.Survey = _NOTHING
    pictures: list[Picture] = field(default_factory=list)
    doubts: dict[Cause, str] = field(default_factory=dict)
    cleaned: dict[bodies.Site, bytes] = field(default_factory=dict)
    kept: frozenset[images.Keep] = frozenset()
    names: dict[bodies.Name, str] = field(default_factory=dict)
    named: bodies.Declaration | None = None

    @property
    def site(self) -> bodies.Site:
        """Where a piece of an upload stands in the body."""
        whole = bodies.Site(0, len(self.body), bodies.Encoding.IDENTITY)
        return self.form.site if self.form else whole

    def doubt(self, cause: Cause, reason: str) -> None:
        """Note why this upload cannot be judged with certainty; the first reason stays."""
        self.doubts.setdefault(cause, reason)


def transform(case: Case, decision: Decision) -> None:
    """Clean and rename as decided, unless something forbids any change."""
    case.kept = frozenset(images.Keep(one) for one in decision.kept)
    if Action.STRIP_METADATA in decision.transforms:
        _clean(case)
    if Action.RENAME in decision.transforms:
        pictures = {picture.site.part: picture for picture in reversed(case.pictures)}
        numbers = {part: number for number, part in enumerate(sorted(pictures), 1)}
        case.names = {
            name: pictures[name.part].neutral_name(
                numbers[name.part], case.body[name.start : name.end]
            )
            for name in case.survey.names
        }
        upload = case.upload
        case.named = bodies.neutral_declaration(case.body, upload.path, upload.headers)
    changed = bool(case.cleaned or case.names or case.named)
    if changed and not may_change(case.upload):
        reason = "A signature or checksum forbids any change to the picture."
        case.doubt(Cause.UNALTERABLE, reason)
        case.cleaned.clear()
        case.names.clear()
        case.named = None


def may_change(upload: Upload) -> bool:
    """Can the body change without anybody noticing by a signature or a digest?"""
    try:
        bodies.renewed_digests(upload.headers, b"")
    except bodies.DigestError:
        return False
    return not bodies.is_signed(upload.headers, upload.query)


def new_headers(upload: Upload, body: bytes) -> Mapping[str, str]:
    """The headers that have to change for `body` to leave in place of what came."""
    return {} if body is upload.body else bodies.renewed_digests(upload.headers, body)


def _clean(case: Case) -> None:
    usual = _length(case)
    for picture in case.pictures:
        if picture.error is not None:
            continue
        length = images.Length.SAME_LENGTH if picture.site.fixed else usual
        try:
            cleaned = picture.cleaned(length, case.kept)
        except images.UnalterableError as error:
            case.doubt(Cause.UNALTERABLE, str(error))
            continue
        except images.ImageError as error:
            case.doubt(Cause.UNREADABLE, str(error))
            continue
        if cleaned != picture.content:
            case.cleaned[picture.site] = cleaned


def _length(case: Case) -> images.Length:
    """Keep the length wherever it was, or may have been, promised before."""
    upload = case.upload
    road = upload.destination.road
    promised = (
        upload.length_promised
        or bodies.promises_length(upload.headers, upload.query)
        or (road is not None and road.size_declared)
        or (road is None and case.survey.shape is Shape.RAW)
    )
    return images.Length.SAME_LENGTH if promised else images.Length.COMPACT


def rewritten(case: Case) -> bytes:
    """The body that may leave, in the coding it came in. Raises RuntimeError if it is wrong."""
    if not case.cleaned and not case.names and not case.named:
        # In doubt the policy may let it go as it is: then it was perhaps not even unpacked.
        return case.upload.body if case.doubts else packed(case, case.body)
    body = bodies.rewrite(case.body, case.cleaned, case.names)
    if case.named is not None:
        named = bodies.neutral_declaration(body, case.upload.path, case.upload.headers)
        body = named.body if named else body
    _read_again(body, case)
    return packed(case, body)


def packed(case: Case, body: bytes) -> bytes:
    """`body` in the coding it came in, packed anew: compressed formats have room for names and
    for blocks that every reader skips."""
    upload = case.upload
    coding = upload.headers.get("content-encoding", "").strip().lower()
    if coding in {"", "identity"}:
        return upload.body if body == case.body else body
    if body == case.body and not may_change(upload):
        return upload.body
    return bodies.encode_coding(body, coding)


def _read_again(body: bytes, case: Case) -> None:
    """The new body must hold exactly the pictures it should, found by looking afresh, and nothing
    that had to go may be in them."""
    again = bodies.survey(body, case.upload.headers.get("content-type", ""), PICTURES)
    wanted = [case.cleaned.get(picture.site, picture.content) for picture in case.pictures]
    same = len(again.sites) == len(wanted) and all(
        bodies.stands_at(site, body, content)
        for site, content in zip(again.sites, wanted, strict=True)
    )
    if not same or not set(again.doubts) <= set(case.survey.doubts):
        raise RuntimeError
    for content in case.cleaned.values():
        if images.examine(content, case.kept).found:
            raise RuntimeError


def entry(case: Case, picture: Picture, *, blocked: bool) -> audit.Picture:
    """A picture's part of the audit record."""
    cleaned = not blocked and picture.site in case.cleaned
    sent = None if blocked else case.cleaned.get(picture.site, picture.content)
    named = case.named is not None or any(name.part == picture.site.part for name in case.names)
    renamed = named and not blocked
    return picture.entry(sent, cleaned=cleaned, renamed=renamed)


def rewritten_piece(case: Case, clean: CleanPiece, transforms: frozenset[Action]) -> bytes:
    """The body that may leave with a piece of a picture in it; the upload's own if nothing in it
    has to change."""
    if Action.STRIP_METADATA in transforms and clean.content != bodies.content(
        case.body, case.site
    ):
        case.cleaned[case.site] = clean.content
    if Action.RENAME in transforms and case.form is not None:
        case.names = dict.fromkeys(case.form.names, f"image-1.{clean.extension}")
    if not case.cleaned and not case.names:
        return case.upload.body
    return bodies.rewrite(case.body, case.cleaned, case.names)


def entry_of_piece(case: Case, clean: CleanPiece, *, blocked: bool) -> audit.Picture:
    """A piece's part of the audit record."""
    return audit.Picture(
        type=str(clean.type),
        received=len(clean.content),
        sent=None if blocked else len(clean.content),
        found=tuple(sorted(clean.kinds)),
        removed=bool(case.cleaned) and not blocked,
        same_length=True,
        renamed=bool(case.names) and not blocked,
    )
