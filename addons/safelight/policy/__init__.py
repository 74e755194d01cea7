"""Policies: YAML in, decisions out."""

from safelight.policy.decide import Decision, Facts, decide, when_unsure
from safelight.policy.load import LoadedPolicy, load
from safelight.policy.model import Action, Policy, Rule, Unsure, Verdict

__all__ = [
    "Action",
    "Decision",
    "Facts",
    "LoadedPolicy",
    "Policy",
    "Rule",
    "Unsure",
    "Verdict",
    "decide",
    "load",
    "when_unsure",
]
