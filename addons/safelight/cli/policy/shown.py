"""How policies and explanations are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from safelight import assembly
from safelight.documents import DocumentError
from safelight.policy import words
from safelight.policy.explain import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from safelight.policy import About, LoadedPolicy
    from safelight.policy.explain import Account, Explanation

_HEADINGS = {
    Part.DECIDED: "decided by",
    Part.MATCHED: "also matched",
    Part.SHADOW: "shadow",
    Part.EXCEPTED: "excepted",
    Part.NEARLY: "nearly",
}


def loaded_from(files: Iterable[Path]) -> tuple[LoadedPolicy, dict[str, About]]:
    """The policy in these files, and what rules can know of each service."""
    try:
        catalogue = assembly.load_catalogue()
        loaded = assembly.load_policy(tuple(files), catalogue)
    except DocumentError as error:
        raise click.ClickException(str(error)) from error
    return loaded, assembly.about(catalogue)


def told(found: Explanation) -> Iterator[str]:
    """An explanation, line by line."""
    yield words.outcome(found.decision).upper()
    if not found.certain:
        yield f"{'':14}not all of this is known; a rule applies unless it certainly does not"
    for part, heading in _HEADINGS.items():
        for account in found.accounts:
            if account.part is part:
                yield from _of_rule(account, heading)
    for change, outcome in found.changes:
        yield f"{'instead':<14}{outcome}: {change}"


def _of_rule(account: Account, heading: str) -> Iterator[str]:
    lifted = " (paused)" if account.paused else ""
    yield f"{heading:<14}{account.rule}   {account.file}:{account.line}   {account.does}{lifted}"
    if account.part is Part.DECIDED:
        yield f"{'':14}  {account.because}"
    if account.part is Part.NEARLY:
        yield from (f"{'':14}  not: {one}" for one in account.failed)
    else:
        yield from (f"{'':14}  {one}" for one in account.held)
    yield from (f"{'':14}  except {one}" for one in account.exceptions)


def named(loaded: LoadedPolicy) -> str:
    """A policy, so that it is known again."""
    return f"{loaded.policy.name}, revision {loaded.revision}"
