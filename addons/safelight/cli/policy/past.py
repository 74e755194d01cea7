"""safelight policy replay, and explain with an ID: policies and what was recorded."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safelight import audit, paths, recorded
from safelight.audit.events import ALWAYS
from safelight.cli import audit_options, audit_words, words
from safelight.cli.audit_options import FOLDER, keys_of, reading
from safelight.cli.options import STATE
from safelight.cli.policy import shown
from safelight.policy.explain import explain as explained
from safelight.recorded import Recorded, Workspaces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.policy import About, Decision, LoadedPolicy


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@FOLDER
@STATE
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def replay(files: tuple[Path, ...], folder: Path, state: Path, *, as_json: bool) -> None:
    """Say which recorded uploads policy FILES would have decided otherwise.

    Groups of people are those that the policy had when the upload was recorded. Workspaces are
    known again by the keys of their month; without these they count as not known. Exit code 1 if
    there is a difference.
    """
    loaded, services = shown.loaded_from(files)
    workspaces = _workspaces(loaded, folder, state)
    counts: Counter[bool] = Counter()
    for one in uploads(folder):
        again = one.again(loaded.policy, services, workspaces)
        differs = _compare(one.decision, again, as_json=as_json)
        counts[differs] += 1
    if not as_json:
        click.echo(f"{counts.total()} uploads, {counts[True]} decided otherwise.", err=True)
    if counts[True]:
        raise SystemExit(1)


def _compare(record: audit.Decision, decision: Decision, *, as_json: bool) -> bool:
    was = (record.verdict, frozenset(record.transforms), frozenset(record.kept))
    is_ = (
        str(decision.verdict),
        frozenset(map(str, decision.transforms)),
        frozenset(map(str, decision.kept)),
    )
    if was == is_:
        return False
    by = sorted(decision.deciding)
    if as_json:
        said = {
            "id": record.id,
            "was": _as_json(*was),
            "would-be": {**_as_json(*is_), "by": by},
        }
        click.echo(json.dumps(said))
    else:
        before, after = (_in_words(*one) for one in (was, is_))
        because = f"   by {', '.join(by)}" if by else ""
        click.echo(f"{record.at}  {record.id}  {record.service}: {before} -> {after}{because}")
    return True


def _as_json(verdict: str, done: frozenset[str], kept: frozenset[str]) -> dict[str, object]:
    return {"verdict": verdict, "transforms": sorted(done), "kept": sorted(kept)}


def _in_words(verdict: str, done: frozenset[str], kept: frozenset[str]) -> str:
    but = ["but", *sorted(kept)] if kept else []
    return " ".join([verdict, *sorted(done), *but])


def explain_recorded(
    folder: Path,
    state: Path,
    id_: str,
    loaded: LoadedPolicy,
    services: dict[str, About],
    *,
    as_json: bool,
) -> None:
    """Explain what a policy makes of each picture of an upload that was recorded."""
    events = audit_options.read(folder, ALWAYS)
    event = next((one for one in events if one.decision and one.decision.id == id_), None)
    if event is None or event.decision is None:
        raise click.ClickException(f"There is no decision {id_} in {folder}.")
    record = event.decision
    one = Recorded(record, event.end)
    workspaces = _workspaces(loaded, folder, state)
    found = [explained(loaded, facts, services) for facts in one.facts(services, workspaces)]
    if as_json:
        said = [dataclasses.asdict(explanation) for explanation in found]
        click.echo(json.dumps(said, default=sorted, indent=2))
        return
    click.echo(f"{record.at}  {record.service}  recorded as: {record.verdict}")
    if event.release is not None:
        click.echo(f"then          {audit_words.RELEASED[event.release.how]}")
    if not found and not record.doubts:
        why = words.cause(record.refusal) if record.refusal else "no file was in it"
        click.echo(f"no rule was asked   {why}")
    if record.doubts:
        click.echo(f"in doubt      {', '.join(record.doubts)}: the policy's `unsure` speaks of it")
    for number, explanation in enumerate(found, 1):
        if len(found) > 1:
            click.echo(f"picture {number}")
        click.echo("\n".join(shown.told(explanation)))
    click.echo(f"policy        {shown.named(loaded)}")
    if record.revision != loaded.revision:
        click.echo(
            f"note          it was decided by another one: {record.policy}, revision "
            f"{record.revision}"
        )


def _workspaces(loaded: LoadedPolicy, folder: Path, state: Path) -> Workspaces:
    keys = audit.Keyring(paths.audit_keys(state))
    try:
        with reading(folder):
            keys = audit.Keyring(keys_of(folder, state))
        return Workspaces.named_in(loaded.policy, keys)
    except OSError as error:
        raise click.ClickException(f"{keys.folder} cannot be read: {error.strerror}") from error


def uploads(folder: Path) -> Iterator[Recorded]:
    """The recorded uploads, oldest first. Raises click.ClickException."""
    with reading(folder):
        yield from recorded.of_uploads(audit.told(folder))
