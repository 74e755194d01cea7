"""Policies: YAML in, decisions out."""

from safelight.policy.decide import Decision, bounds, decide, when_unsure
from safelight.policy.facts import ANOTHER, About, Facts
from safelight.policy.load import LoadedPolicy, files, load
from safelight.policy.matching import groups
from safelight.policy.merge import ConflictError, merge
from safelight.policy.model import Action, Policy, Rule, Unsure, Verdict

__all__ = [
    "ANOTHER",
    "About",
    "Action",
    "ConflictError",
    "Decision",
    "Facts",
    "LoadedPolicy",
    "Policy",
    "Rule",
    "Unsure",
    "Verdict",
    "bounds",
    "decide",
    "files",
    "groups",
    "load",
    "merge",
    "when_unsure",
]
