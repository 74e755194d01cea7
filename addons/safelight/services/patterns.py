"""Patterns of paths and hosts: regular expressions that take no time, whatever they are given."""

from __future__ import annotations

import re
import warnings

LONGEST_PATH_PATTERN = 500
MOST_REPEATS = 3
_REPEAT = r"(?:[*+]|\{\d*,?\d*\})[?+]?"
_TOKEN = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<open>\((?:\?(?:P?<\w+>|[:=!>]|<[=!]))?)"
    rf"|(?P<close>\))(?P<again>{_REPEAT})?|(?P<repeat>{_REPEAT})|(?P<choice>[|?])",
    re.DOTALL,
)


def check(text: str) -> str:
    """`text` itself, if it is a pattern that takes no time. Raises ValueError with what is
    wrong."""
    if len(text) > LONGEST_PATH_PATTERN:
        raise ValueError(f"is longer than {LONGEST_PATH_PATTERN} characters")
    try:
        with warnings.catch_warnings(action="error"):
            re.compile(text)
    except (re.error, OverflowError, FutureWarning) as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    if _repeats_what_varies(text):
        raise ValueError(
            "repeats a group that repeats something itself or has a choice in it, "
            "which can take forever; [ab]+ does the same as (a|b)+"
        )
    repeats = [token["repeat"] or token["again"] for token in _TOKEN.finditer(text)]
    if len([one for one in repeats if one]) > MOST_REPEATS:
        raise ValueError(f"repeats something in more than {MOST_REPEATS} places, which is slow")
    return text


def _repeats_what_varies(pattern: str) -> bool:
    """Does a repeat stand around another, as in `(a+)+`, or around a choice, as in `(a|aa)+`?"""
    varies_inside = [False]
    for token in _TOKEN.finditer(pattern):
        if token["open"]:
            varies_inside.append(False)
        elif token["close"] and len(varies_inside) > 1:
            inner = varies_inside.pop()
            if inner and token["again"]:
                return True
            varies_inside[-1] |= inner or bool(token["again"])
        elif token["repeat"] or token["choice"]:
            varies_inside[-1] = True
    return False
