"""What a condition asks, what was seen, and what a decision does, in words."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from safelight.policy.conditions import TimeMatch
from safelight.policy.model import Verdict

if TYPE_CHECKING:
    from safelight.policy.decide import Decision
    from safelight.policy.matching import Check


def check(one: Check) -> str:
    """One check in a line: what was asked for, and what was seen of it."""
    if one.parts:
        inside = "; ".join(" and ".join(map(check, parts)) for parts in one.parts)
        return f"{one.what} ({inside})"
    wanted = _span(one.wanted) if isinstance(one.wanted, TimeMatch) else _listed(one.wanted)
    return f"{one.what} = {wanted}, seen {_seen(one.seen)}"


def _seen(value: object) -> str:
    if value is None:
        return "nothing that is known"
    if isinstance(value, datetime):
        return value.strftime("%a %H:%M")
    return _listed(value)


def outcome(decision: Decision) -> str:
    """What a decision does, in a few words. Nothing is changed of what nothing leaves of."""
    does = ", ".join(sorted(decision.transforms))
    blocked = decision.verdict is Verdict.BLOCK
    but = f" but {', '.join(sorted(decision.kept))}" if decision.kept else ""
    return str(decision.verdict) if blocked or not does else f"{decision.verdict} ({does}{but})"


def _listed(value: object) -> str:
    if isinstance(value, tuple | frozenset):
        several = sorted(map(str, value)) if isinstance(value, frozenset) else map(str, value)
        return " or ".join(several) if isinstance(value, tuple) else ", ".join(several) or "none"
    return str(value)


def _span(match: TimeMatch) -> str:
    days = " ".join(match.days) if match.days else ""
    hours = f"{match.from_} to {match.to}" if match.from_ else ""
    return " ".join(part for part in (days, hours, match.tz or "") if part)
