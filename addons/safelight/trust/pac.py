"""Proxy auto-configuration: a browser asks this script which connections go through the proxy.

Only AI services do. Nothing stands behind the proxy's name, so what should go through it does not
go past it when it is not there. (The format is Netscape's; browsers call FindProxyForURL.)
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

MEDIA_TYPE = "application/x-ns-proxy-autoconfig"
_SCRIPT = """\
// AI services go through Safelight; everything else goes where it always went.
var names = {names};
var patterns = {patterns};

function FindProxyForURL(url, host) {{
  host = host.toLowerCase().replace(/\\.$/, "");
  if (names.hasOwnProperty(host)) return "PROXY {proxy}";
  for (var i = 0; i < patterns.length; i++) {{
    if (patterns[i].test(host)) return "PROXY {proxy}";
  }}
  return "DIRECT";
}}
"""


def script(patterns: Iterable[str], proxy: str) -> str:
    """The script that sends hosts matching `patterns` (of the catalogue) to `proxy` (HOST:PORT)."""
    known = set(patterns)
    names = {one: 1 for one in sorted(known) if "*" not in one}
    expressions = [_expression(one) for one in sorted(known) if "*" in one]
    return _SCRIPT.format(
        names=json.dumps(names, indent=1),
        patterns="[\n " + ",\n ".join(expressions) + "\n]",
        proxy=proxy,
    )


def as_url(text: str) -> str:
    """The script as a `data:` URL (RFC 2397): it is there even when the proxy is not."""
    return f"data:{MEDIA_TYPE},{quote(text, safe='')}"


def _expression(pattern: str) -> str:
    """A leading label `*` stands for one label or more, as in the catalogue."""
    labels = pattern.split(".")
    first = "([^.]+\\.)*" if labels[0] == "*" else ""
    written = "\\.".join(
        "[^.]+" if label == "*" else label.replace("*", "[^.]*") for label in labels
    )
    return f"/^{first}{written}$/"
