"""safelight policy explain and diff: what a policy makes of an upload, and why."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import ValidationError

from safelight import paths
from safelight.cli.audit_options import FOLDER
from safelight.cli.options import STATE
from safelight.cli.policy import past, shown
from safelight.documents import did_you_mean, in_words
from safelight.in_force import clock
from safelight.policy.compare import compare
from safelight.policy.explain import explain as explained
from safelight.policy.model import Given, Unsure
from safelight.policy.rehearse import facts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from safelight.policy import About, LoadedPolicy, Policy

_ID = re.compile(r"d_[0-9a-f]{12}")
_FILE = click.Path(path_type=Path)


def _facts(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say what an upload is like."""
    for option in reversed(
        [
            click.option("--service", help="Where it goes: an id of `safelight services list`."),
            click.option("--workspace", metavar="ID", help="For which of its workspaces."),
            click.option("--found", multiple=True, metavar="KIND", help="What it carries."),
            click.option("--from", "from_", metavar="ADDRESS", help="The address it comes from."),
            click.option("--people", metavar="GROUP", help="Instead: who it comes from."),
            click.option("--at", metavar="TIME", help="Such as 2026-11-23T21:00; otherwise now."),
            click.option("--type", "type_", default="jpeg", show_default=True),
            click.option("--size", default="1 MB", show_default=True),
            click.option("--pixels", type=int, default=1_000_000, show_default=True),
            click.option("--pictures", type=int, default=1, show_default=True),
            click.option("--shape", default="raw", show_default=True),
            click.option("--paused", is_flag=True, help="As during `safelight pause`."),
        ]
    ):
        command = option(command)
    return command


@click.command()
@click.argument("files", nargs=-1, type=_FILE, metavar="[ID] [FILES]...")
@_facts
@FOLDER
@STATE
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
def explain(
    files: tuple[Path, ...], folder: Path, state: Path, *, as_json: bool, **options: object
) -> None:
    """Say what policy FILES (or the home policy) make of an upload, and why.

    With the ID of a decision (`safelight audit tail` shows them) it is that upload. Otherwise you
    say what it is like: what you leave out is ordinary, a JPEG of 1 MB, alone, without metadata,
    to a service and from an address that no rule knows.
    """
    if files and _ID.fullmatch(str(files[0])):
        loaded, services = shown.loaded_from(files[1:] or (paths.default_policy(),))
        id_ = str(files[0])
        past.explain_recorded(folder, state, id_, loaded, services, as_json=as_json)
        return
    loaded, services = shown.loaded_from(files or (paths.default_policy(),))
    given = _given(options, services, loaded)
    facts = facts_of(given, loaded.policy, services)
    if given.at is None:
        facts = dataclasses.replace(facts, at=clock())
    found = explained(loaded, facts, services)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(found), default=sorted, indent=2))
    else:
        click.echo("\n".join([*shown.told(found), f"policy        {shown.named(loaded)}"]))


@click.command()
@click.argument("before", type=_FILE)
@click.argument("after", type=_FILE)
def diff(before: Path, after: Path) -> None:
    """Say which uploads policy AFTER decides otherwise than BEFORE.

    Tried are combinations of what the two ask about. Exit code 1 if there is a difference.
    """
    was, services = shown.loaded_from((before,))
    is_, _ = shown.loaded_from((after,))
    found = compare(was.policy, is_.policy, services)
    for one in found.differences:
        click.echo(f"{one.before} -> {one.after}   {_counted(one.count, 'combination')}")
        for line in one.common or ("whatever it is",):
            click.echo(f"    {line}")
        click.echo(f"    for example {one.example}")
    for name, old, new in _settings(was.policy, is_.policy):
        click.echo(f"{name}: {old} -> {new}")
    tried = _counted(found.tried, "combination")
    if found.tried < found.possible:
        tried += f" of {found.possible}; the rest was not tried"
    click.echo(f"Tried {tried}.")
    if found.differences or any(True for _ in _settings(was.policy, is_.policy)):
        raise SystemExit(1)


def _given(options: dict[str, object], services: dict[str, About], loaded: LoadedPolicy) -> Given:
    service, people = options.pop("service"), options["people"]
    if service is not None:
        options["service"] = _one_of(str(service), services, "service")
    if people is not None:
        _one_of(str(people), loaded.policy.people, "group")
        if options["from_"] is not None:
            raise click.UsageError("--from and --people both say from where it comes.")
    options["metadata"] = options.pop("found") or None
    options["type"] = options.pop("type_")
    try:
        return Given.model_validate(options)
    except ValidationError as error:
        [first, *_] = error.errors()
        option = {"metadata": "found", "from_": "from"}.get(str(first["loc"][0]), first["loc"][0])
        raise click.UsageError(in_words(first, f"--{option}", Given)) from error


def _one_of(said: str, known: Collection[str], what: str) -> str:
    """The one that is meant; the beginning is enough where no other begins like it."""
    begins = [one for one in known if one.startswith(said)]
    if said in known:
        return said
    if len(begins) == 1:
        return begins[0]
    hint = f"; it could be {' or '.join(begins)}" if begins else did_you_mean(said, known)
    raise click.UsageError(f"no {what} is called `{said}`{hint}")


def _settings(before: Policy, after: Policy) -> Iterator[tuple[str, object, object]]:
    """What two policies say otherwise that is no rule."""
    for name in Unsure.model_fields:
        old, new = getattr(before.unsure, name), getattr(after.unsure, name)
        if old != new:
            yield f"unsure {name.replace('_', '-')}", old, new
    if before.largest_upload != after.largest_upload:
        yield "largest-upload", before.largest_upload, after.largest_upload
    if before.pass_through != after.pass_through:
        old, new = (" ".join(one.pass_through) or "nothing" for one in (before, after))
        yield "pass-through", old, new


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
