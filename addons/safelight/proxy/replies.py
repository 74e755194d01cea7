"""A refusal as the client can show it: JSON for scripts, a page for people, XML for the libraries
of object storage, CORS for pages."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING

from mitmproxy.http import Headers, Response

if TYPE_CHECKING:
    from mitmproxy.http import Request

    from safelight.refusals import Refusal

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Safelight stopped this upload</title>
<style>
  body {{ font: 18px/1.6 system-ui, sans-serif; background: #1d0b0b; color: #f3e3dc;
         margin: 0; padding: 12vh 1.5rem; }}
  main {{ max-width: 34rem; margin: auto; }}
  h1 {{ color: #ff6b57; font-size: 1.7rem; line-height: 1.2; }}
  small {{ color: #b39a92; }}
</style>
<main>
<h1>Safelight stopped this upload</h1>
<p>Nothing was sent to {service}. {reason}</p>
<p>{advice}</p>
<p><small>{record}</small></p>
</main>
</html>
"""


def refusal(request: Request, refused: Refusal) -> Response:
    """The answer to `request` that says why nothing left."""
    headers = {
        "cache-control": "no-store",
        # The openai and anthropic SDKs would otherwise try a 503 again and again.
        "x-should-retry": "false",
        "x-content-type-options": "nosniff",
        **_cors(request.headers),
    }
    if _wants_page(request.headers):
        headers["content-type"] = "text/html; charset=utf-8"
        headers["content-security-policy"] = "default-src 'none'; style-src 'unsafe-inline'"
        body = _page(refused)
    elif _wants_xml(request.headers):
        headers["content-type"] = "application/xml"
        body = _xml(refused)
    else:
        headers["content-type"] = "application/json"
        body = _json(refused)
    return Response.make(refused.status, body, headers)


def _wants_page(headers: Headers) -> bool:
    mode: str | None = headers.get("sec-fetch-mode")
    if mode is not None:
        return mode == "navigate"
    accepted: str = headers.get("accept", "")
    return accepted.lstrip().startswith("text/html")


def _wants_xml(headers: Headers) -> bool:
    """Amazon's and Azure's libraries show nothing but what is written as their own errors are."""
    accepted: str = headers.get("accept", "")
    return "x-amz-content-sha256" in headers or accepted.startswith("application/xml")


def _cors(headers: Headers) -> dict[str, str]:
    """Let the page that sent the upload read the answer, as if the service had given it."""
    origin = headers.get("origin")
    if not origin:
        return {}
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "x-should-retry",
        "vary": "Origin",
    }


def _page(refused: Refusal) -> bytes:
    record = f"Record {refused.record} in the audit file." if refused.record else ""
    page = _PAGE.format(
        service=html.escape(refused.service),
        reason=html.escape(refused.reason),
        advice=html.escape(refused.advice),
        record=html.escape(record),
    )
    return page.encode()


def _xml(refused: Refusal) -> bytes:
    code, message = html.escape(str(refused.cause)), html.escape(refused.message)
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return f'<?xml version="1.0" encoding="utf-8"?>\n{error}'.encode()


def _json(refused: Refusal) -> bytes:
    """`error.message` is where most services' pages and SDKs look for the text to show."""
    error = {
        "type": "safelight_refused",
        "code": str(refused.cause),
        "message": refused.message,
        "param": None,
    }
    record = {"cause": str(refused.cause), "reason": refused.reason, "record": refused.record}
    document = {"type": "error", "error": error, "detail": refused.message, "safelight": record}
    return json.dumps(document).encode()
