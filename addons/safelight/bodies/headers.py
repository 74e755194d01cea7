"""Header fields that carry parameters, and where each parameter's value stands.

RFC 9110 section 5.6.6 (parameters), RFC 8187 (extended parameters), RFC 6266 and RFC 7578
section 4.2 (Content-Disposition).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TYPE = re.compile(r"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z/-]*)[ \t]*")
# Browsers write a quote inside a quoted name as %22 and leave a backslash alone, older ones
# escape it; both end at the first unescaped quote.
_PARAMETER = re.compile(
    r";[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*"
    r"""(?:"((?:[^"\\]|\\.)*)"|([^;"]*)))?[ \t]*"""
)


class HeaderError(ValueError):
    """The field does not follow the grammar, so two readers could understand it differently."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """`text[start:end]` is the value as written, without quotes."""

    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Field:
    """A field value such as `multipart/form-data; boundary=x`, names in lower case."""

    value: str
    parameters: dict[str, Parameter]


def parse(text: str) -> Field:
    """Split `text` into its value and parameters. Raises HeaderError."""
    match = _TYPE.match(text)
    if match is None:
        raise HeaderError("a header value is malformed")
    value = match[1].lower()
    parameters: dict[str, Parameter] = {}
    position = match.end()
    while position < len(text):
        match = _PARAMETER.match(text, position)
        if match is None:
            raise HeaderError("a header parameter is malformed")
        position = match.end()
        if match[1] is None:
            continue
        name = match[1].lower()
        if name in parameters:
            raise HeaderError(f"the header parameter {name} is there twice")
        group = 2 if match[2] is not None else 3
        raw = match[group]
        start = match.start(group)
        if group == 3:
            raw = raw.rstrip(" \t")
        parameters[name] = Parameter(
            re.sub(r"\\(.)", r"\1", raw) if group == 2 else raw, start, start + len(raw)
        )
    return Field(value, parameters)
