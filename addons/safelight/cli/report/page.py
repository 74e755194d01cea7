"""The page of a month: one HTML file without scripts, without anything from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from safelight.cli import words
from safelight.cli.report import chart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from safelight.cli.report.month import Month, Tally

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Safelight, {month}</title>
<style>
{style}</style>
<main>
<p class="from">Safelight</p>
<h1>Your pictures and AI services in {month}</h1>
<p class="lead">{lead}</p>
{body}
<footer><p>Made on {made} from the audit log of this computer. Nobody else has seen it: this page
loads nothing and sends nothing. It counts files, that is pictures and documents; a file that a
service takes in several pieces counts once for each.</p></footer>
</main>
</html>
"""
_HOW = {
    "uninspected": "let through without a look, as your policy says",
    "certificate-rejected": "refused by the program, which did not accept Safelight's certificate; "
    "nothing was sent",
}
_KEY = {
    "cleaned": "sent after cleaning",
    "untouched": "sent as they were",
    "waiting": "held, or broken off on the way",
    "stopped": "stopped",
}


@dataclass(frozen=True, slots=True)
class Trust:
    """What the verification of the log said: whether it is good, a sentence, and its details."""

    good: bool
    verdict: str
    details: tuple[str, ...] = ()


def page(month: Month, trust: Trust, names: Mapping[str, str], made: str) -> str:
    """The page. `names` are services' names by their ids, `made` is the day in words."""
    body = [
        _tiles(month),
        _days(month),
        _services(month, names),
        _removed(month),
        _stopped(month, names),
        _unseen(month, names),
        _trusted(trust),
    ]
    style = (files(__package__) / "style.css").read_text(encoding="utf-8")
    when = f"{month.first:%B %Y}"
    return _PAGE.format(month=when, style=style, lead=_lead(month), body="\n".join(body), made=made)


def _lead(month: Month) -> str:
    total = month.total
    if not total.all and not month.unseen:
        return "Nothing went to an AI service through Safelight, and nothing was stopped."
    services = sum(tally.sent > 0 for tally in month.services.values())
    where = "one AI service" if services == 1 else f"{services} AI services"
    sent = f"{words.files(total.sent)} went to {where}, {_cleaned(total)}."
    stayed = f"{words.files(total.stopped)} stayed here."
    return (
        f"{sent if total.sent else 'No file left.'} "
        f"{stayed if total.stopped else 'Nothing was stopped.'}"
    )


def _cleaned(tally: Tally) -> str:
    if tally.cleaned == tally.sent:
        return "cleaned" if tally.sent == 1 else "all cleaned"
    return f"{tally.cleaned} cleaned" if tally.cleaned else "as they were"


def _tiles(month: Month) -> str:
    total = month.total
    seen = sum(number for (_, how), number in month.unseen.items() if how == "uninspected")
    tiles = [
        ("cleaned", total.cleaned, "sent after cleaning"),
        ("untouched", total.untouched, "sent as they were"),
        ("stopped", total.stopped, "stopped"),
        ("waiting", seen, "connections let through unseen"),
    ]
    items = (f'<li class="{name}"><b>{number}</b>{said}</li>' for name, number, said in tiles)
    return f'<ul class="tiles">{"".join(items)}</ul>'


def _days(month: Month) -> str:
    labels = {day: f"{day} {month.first:%B}: {_told(tally)}" for day, tally in month.days.items()}
    marks = [f"<li>{day if day % 7 == 1 else ''}</li>" for day in month.days]
    grid = f"grid-template-columns:repeat({len(marks)},1fr)"
    axis = f'<ol class="axis" style="{grid}" aria-hidden="true">{"".join(marks)}</ol>'
    most = max(tally.all for tally in month.days.values())
    said = f"The fullest day had {words.files(most)}." if most else "Not a single file on any day."
    return _section(
        "Day by day",
        f"{_key(month.total)}{chart.days(month.days, labels)}{axis}",
        _table(month) if most else "",
        intro=said,
    )


def _table(month: Month) -> str:
    rows = (
        f"<tr><td>{day}</td><td>{tally.cleaned}</td><td>{tally.untouched}</td>"
        f"<td>{tally.held + tally.unfinished}</td><td>{tally.stopped}</td></tr>"
        for day, tally in month.days.items()
        if tally.all
    )
    return (
        "<details><summary>The same as a table</summary><table><tr><th>Day</th><th>cleaned</th>"
        f"<th>as it was</th><th>held</th><th>stopped</th></tr>{''.join(rows)}</table></details>"
    )


def _key(total: Tally) -> str:
    items = (f'<li class="{name}">{_KEY[name]}</li>' for name, n in chart.parts(total) if n)
    return f'<ul class="key">{"".join(items)}</ul>'


def _services(month: Month, names: Mapping[str, str]) -> str:
    most = max((tally.all for tally in month.services.values()), default=0)
    by_size = sorted(month.services.items(), key=lambda item: (-item[1].all, item[0]))
    rows = [
        (names.get(id_, id_), _told(tally), chart.bar(chart.parts(tally), most))
        for id_, tally in by_size
        if tally.all
    ]
    return _section("Where they went", _rows(rows) or "<p>Nowhere.</p>")


def _removed(month: Month) -> str:
    taken = {_capital(words.kind(kind)): number for kind, number in month.removed.items()}
    if month.renamed:
        taken["The file's name"] = month.renamed
    most = max(taken.values(), default=0)
    rows = [
        (name, f"from {words.files(number)}", chart.bar([("cleaned", number)], most))
        for name, number in sorted(taken.items(), key=lambda item: (-item[1], item[0]))
    ]
    kept = words.listed([words.kind(kind) for kind in sorted(month.kept)])
    left = f"<p>Some files left with this still in them, as your policy says: {escape(kept)}.</p>"
    return _section(
        "What was taken out of them",
        _rows(rows) or "<p>Nothing had to be.</p>",
        left if kept else "",
        intro="Pictures tell more than they show. This never left:" if rows else "",
    )


def _stopped(month: Month, names: Mapping[str, str]) -> str:
    causes: dict[str, list[str]] = {}
    for (service, cause), number in month.stopped.most_common():
        told = f"{names.get(service, service)} {_times(number)}"
        causes.setdefault(cause, []).append(told)
    rows = [
        (_capital(words.cause(cause)), f"To {words.listed(services)}", "")
        for cause, services in causes.items()
    ]
    held = f"<p>Waited for a yes that did not come: {words.files(month.total.held)}.</p>"
    return _section(
        "What was stopped, and why",
        _rows(rows) or "<p>Nothing was stopped.</p>",
        held if month.total.held else "",
    )


def _unseen(month: Month, names: Mapping[str, str]) -> str:
    rows = [
        (names.get(service, service), f"{_capital(_times(number))} {_HOW.get(how, how)}", "")
        for (service, how), number in month.unseen.most_common()
    ] + [
        (names.get(service, service), f"{words.files(number)} sent though it was unsure", "")
        for service, number in month.doubted.most_common()
    ]
    return _section(
        "What Safelight could not see",
        _rows(rows) or "<p>Nothing that it knows of went past it.</p>",
        intro="Apps that do not use Safelight as their proxy do not appear here at all.",
    )


def _trusted(trust: Trust) -> str:
    details = "".join(f"<p>{escape(detail)}</p>" for detail in trust.details)
    mark = "good" if trust.good else "bad"
    return _section(
        "Can these numbers be trusted?",
        f'<p class="{mark}">{"✓" if trust.good else "✗"} {escape(trust.verdict)}</p>{details}',
        '<p class="soft">Check it yourself: <code>safelight audit verify</code></p>',
    )


def _section(title: str, *content: str, intro: str = "") -> str:
    told = f'<p class="soft">{intro}</p>' if intro else ""
    return f"<section><h2>{title}</h2>{told}{''.join(content)}</section>"


def _rows(rows: Iterable[tuple[str, str, str]]) -> str:
    items, drawn = "", ""
    for name, said, drawn in rows:
        items += f"<li><div><b>{escape(name)}</b><span>{escape(said)}</span></div>{drawn}</li>"
    return f'<ul class="{"rows" if drawn else "rows plain"}">{items}</ul>' if items else ""


def _told(tally: Tally) -> str:
    """A tally in words."""
    sent = [f"{tally.sent} sent, {_cleaned(tally)}"] if tally.sent else []
    more = {"stopped": tally.stopped, "held": tally.held, "broken off": tally.unfinished}
    others = [f"{number} {what}" for what, number in more.items() if number]
    return "; ".join([*sent, *others]) or "nothing"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
