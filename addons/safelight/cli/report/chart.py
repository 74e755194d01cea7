"""Bars in SVG. They say nothing that the words beside them do not say as well."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safelight.cli.report.month import Tally

# Class names, which have their colours in style.css, in the order they are stacked.
type Parts = Sequence[tuple[str, int]]

_HEIGHT = 100
_WIDTH = 10  # of a day
_GAP = 2


def parts(tally: Tally) -> Parts:
    """A tally as parts of a bar."""
    return (
        ("cleaned", tally.cleaned),
        ("untouched", tally.untouched),
        ("waiting", tally.held + tally.unfinished),
        ("stopped", tally.stopped),
    )


def days(tallies: Mapping[int, Tally], labels: Mapping[int, str]) -> str:
    """A column a day. It stretches with the page, so the writing stands around it in HTML."""
    most = max((tally.all for tally in tallies.values()), default=0)
    columns = "".join(
        _column(number, tally, most, labels[day])
        for number, (day, tally) in enumerate(tallies.items())
    )
    box = f"0 0 {len(tallies) * _WIDTH} {_HEIGHT}"
    return (
        f'<svg class="days" viewBox="{box}" preserveAspectRatio="none" role="img" '
        f'aria-label="Files each day; the most on one day: {most}">{columns}</svg>'
    )


def _column(number: int, tally: Tally, most: int, label: str) -> str:
    x, y, drawn = number * _WIDTH + _GAP / 2, float(_HEIGHT), ""
    for name, value in parts(tally):
        if value:
            height = _HEIGHT * value / most
            y -= height
            drawn += _rectangle(name, x, y, _WIDTH - _GAP, height)
    if not drawn:
        drawn = _rectangle("none", x, _HEIGHT - 1, _WIDTH - _GAP, 1)
    return f"<g><title>{escape(label)}</title>{drawn}</g>"


def bar(pieces: Parts, most: int) -> str:
    """One lying bar, as long as its share of `most`."""
    x, drawn = 0.0, ""
    for name, value in pieces:
        width = 100 * value / max(most, 1)
        drawn += _rectangle(name, x, 0, width, 1) if value else ""
        x += width
    return (
        '<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'
        f"{drawn}</svg>"
    )


def _rectangle(name: str, x: float, y: float, width: float, height: float) -> str:
    return (
        f'<rect class="{name}" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"/>'
    )
