"""safelight audit search and show: find decisions, and read one of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from safelight.audit.events import ALWAYS, Event, Span
from safelight.audit.fields import explained
from safelight.cli import audit_options, audit_words, words

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pydantic import BaseModel

_FOR_THE_LOG = {"v", "kind", "seq", "prev", "hash"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: of each kind of word, one must be there; none given means any."""

    service: tuple[str, ...] = ()
    verdict: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    refusal: tuple[str, ...] = ()

    def __contains__(self, event: Event) -> bool:
        verdict = {str(event.decision.verdict)} if event.decision else set()
        there = (
            (self.service, {event.record.service}),
            (self.verdict, verdict),
            (self.found, {*event.found}),
            (self.refusal, {event.refusal}),
        )
        return all(not any_of or not present.isdisjoint(any_of) for any_of, present in there)


@click.command()
@audit_options.FOLDER
@click.option("--service", multiple=True, metavar="ID", help="Of this service.")
@audit_options.SINCE
@audit_options.UNTIL
@click.option("--verdict", multiple=True, metavar="WORD", help="With this verdict, such as block.")
@click.option("--found", multiple=True, metavar="KIND", help="That carried this: location.")
@click.option("--refusal", multiple=True, metavar="CAUSE", help="Stopped for this: too-large.")
@click.option("--json", "as_json", is_flag=True, help="The records as they stand in the file.")
def search(
    folder: Path,
    service: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    verdict: tuple[str, ...],
    found: tuple[str, ...],
    refusal: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Find decisions, oldest first.

    Several conditions must all be met; of one that is given several times, one must.
    """
    wanted = Wanted(service, verdict, found, refusal)
    count = 0
    for event in audit_options.read(folder, Span(since, until)):
        if event in wanted:
            count += 1
            records = [one for one in (event.record, event.release, event.end) if one]
            lines = [_json(record) for record in records] if as_json else audit_words.lines(event)
            click.echo("\n".join(lines))
    if not count:
        click.echo("Nothing of that kind has been recorded.", err=True)


@click.command()
@click.argument("id_", metavar="ID")
@audit_options.FOLDER
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(id_: str, folder: Path, *, as_json: bool) -> None:
    """Show one decision, with how it ended and what each of its fields means."""
    for event in audit_options.read(folder, ALWAYS):
        if event.decision is not None and event.decision.id == id_:
            click.echo(_as_json(event) if as_json else "\n".join(_told(event)))
            return
    raise click.ClickException(f"No decision {id_} is recorded in {folder}.")


def _json(record: BaseModel) -> str:
    return record.model_dump_json(by_alias=True, exclude_none=True)


def _as_json(event: Event) -> str:
    every = {"decision": event.record, "release": event.release, "end": event.end}
    return json.dumps(
        {
            name: record.model_dump(mode="json", by_alias=True, exclude_none=True)
            for name, record in every.items()
            if record
        }
    )


def _told(event: Event) -> list[str]:
    """The event in words, then its records field by field; each field is explained once."""
    known: set[str] = set()
    told = [*audit_words.lines(event), "", *_fields(event.record, known)]
    for number, picture in enumerate(event.decision.pictures if event.decision else (), 1):
        told += ["", f"File {number}", *_fields(picture, known)]
    if event.end is not None:
        told += ["", "Its end", *_fields(event.end, known)]
    return told


def _fields(record: BaseModel, known: set[str]) -> list[str]:
    """A line for each field that is there, and one for what it means; what keeps the log in order
    stands last."""
    meanings = explained(type(record))
    fields = record.model_dump(mode="json", by_alias=True, exclude_none=True)
    told = []
    for name in sorted(fields, key=_FOR_THE_LOG.__contains__):
        if fields[name] == []:
            continue
        told.append(f"  {name:<12} {_value(name, fields[name])}")
        meaning = meanings.get(name)
        if meaning and meaning not in known:
            told.append(f"  {'':<12} {click.style(meaning, dim=True)}")
            known.add(meaning)
    return told


def _value(name: str, value: object) -> str:
    """A field's value, and in brackets what its words mean."""
    said: str
    match value:
        case bool():
            return "yes" if value else "no"
        case int() if name in {"received", "sent"}:
            return f"{value} ({words.size(value)})" if value >= 1000 else f"{value}"
        case list() if name == "pictures":
            return words.files(len(value))
        case list():
            said, each = ", ".join(map(str, value)), [str(one) for one in value]
        case _:
            said, each = str(value), [str(value)]
    meaning = {"found": words.kind, "refusal": words.cause, "doubts": words.cause}.get(name)
    return f"{said} ({words.listed([meaning(one) for one in each])})" if meaning else said
