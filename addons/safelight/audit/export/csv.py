"""Comma-separated values, one event a row, safe to open in a spreadsheet.

RFC 4180 with every cell quoted. A cell that a spreadsheet could take for a formula gets an
apostrophe in front (OWASP, "CSV Injection").
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safelight.audit.events import Event

COLUMNS = (
    "at",
    "id",
    "kind",
    "service",
    "host",
    "verdict",
    "fate",
    "refusal",
    "pictures",
    "types",
    "received",
    "sent",
    "found",
    "removed",
    "rules",
    "doubts",
    "policy",
    "revision",
    "seq",
    "hash",
)
# Full-width forms as well: some programs take them for the narrow ones.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001


def header() -> str:
    """The first row: the columns' names."""
    return row(COLUMNS)


def line(event: Event) -> str:
    """The row of one event, in the order of COLUMNS. Several words in a cell have blanks between
    them."""
    record, decision = event.record, event.decision
    pictures = decision.pictures if decision else ()
    sent = [picture.sent for picture in pictures if picture.sent is not None]
    left = sum(sent) if sent else None
    cells = {
        "at": record.at,
        "id": event.uid,
        "kind": record.kind,
        "service": record.service,
        "host": record.host,
        "verdict": decision and decision.verdict,
        "fate": event.fate,
        "refusal": event.refusal,
        "pictures": len(pictures),
        "types": " ".join(sorted({picture.type for picture in pictures})),
        "received": event.received,
        "sent": event.end.sent if event.end else left,
        "found": " ".join(event.found),
        "removed": " ".join(event.removed),
        "rules": " ".join(event.rules),
        "doubts": " ".join(decision.doubts) if decision else None,
        "policy": record.policy,
        "revision": record.revision,
        "seq": record.seq,
        "hash": record.hash,
    }
    return row("" if cells[name] is None else str(cells[name]) for name in COLUMNS)


def row(cells: Iterable[str]) -> str:
    """Cells as one row, with its line end."""
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerow(map(safe, cells))
    return written.getvalue()


def safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, whatever blanks stand before it."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
