"""Decisions that were recorded, decided again: by another policy, or to be explained."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from safelight import audit, policy
from safelight.journal import WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from safelight.policy import About, Decision, Facts, Policy


@dataclass(frozen=True, slots=True)
class Workspaces:
    """Those that a policy names, to be known again by their pseudonyms; `months` are those whose
    keys are still here."""

    names: Mapping[str, str]
    months: frozenset[str]

    @classmethod
    def named_in(cls, rules: Policy, keys: audit.Keyring) -> Workspaces:
        """All that stand in the conditions of `rules`. Raises OSError."""
        named = {
            one
            for when in rules.conditions()
            for one in (when.service and when.service.workspace) or ()
        }
        names = {
            pseudonym: one
            for one in named
            for pseudonym in keys.pseudonyms(WORKSPACE, one.encode()).values()
        }
        return cls(names, keys.months())

    def of(self, record: audit.Decision) -> str | None:
        """The workspace of a recorded upload; None where it said none, or nobody can tell."""
        if record.workspace is None or (record.at or "")[:7] not in self.months:
            return None
        return self.names.get(record.workspace, policy.ANOTHER)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision and, of an upload that was cleaned while it flowed, its end."""

    decision: audit.Decision
    end: audit.End | None = None

    def facts(self, services: Mapping[str, About], workspaces: Workspaces) -> list[Facts]:
        """What was known of each picture. A service that is not in the catalogue any more is of
        no category."""
        record = self.decision
        about = services.get(record.service, policy.About("unknown"))
        at = datetime.fromisoformat(record.at).astimezone() if record.at else None
        return [
            policy.Facts(
                record.service,
                about.category,
                picture.type,
                picture.received,
                None if self._waited else frozenset(self.end.found if self.end else picture.found),
                about.trains,
                workspaces.of(record),
                record.shape,
                picture.pixels,
                len(record.pictures),
                people=frozenset(record.people),
                at=at,
                paused=bool(record.paused),
            )
            for picture in record.pictures
        ]

    @property
    def _waited(self) -> bool:
        """Was a person asked before anybody knew what would be found in it?"""
        return bool(self.decision.flowing) and self.decision.verdict == "hold"

    def again(
        self, rules: Policy, services: Mapping[str, About], workspaces: Workspaces
    ) -> Decision:
        """What `rules` say of it."""
        decision = policy.decide(rules, self.facts(services, workspaces))
        for doubt in self.decision.doubts:
            decision = decision.and_also(policy.when_unsure(rules, doubt, ""))
        return decision


def of_uploads(records: Iterable[audit.Told | str]) -> Iterator[Recorded]:
    """The decisions that a policy made, oldest first; one that flowed comes with its end."""
    flowing: dict[str, audit.Decision] = {}
    for record in records:
        if isinstance(record, audit.End) and record.of in flowing:
            yield Recorded(flowing.pop(record.of), record)
        elif isinstance(record, audit.Decision) and record.flowing:
            flowing[record.id] = record
        elif isinstance(record, audit.Decision) and (record.pictures or record.doubts):
            yield Recorded(record)
    for decision in flowing.values():
        yield Recorded(decision)
