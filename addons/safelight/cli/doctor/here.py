"""What can be seen on this machine: the proxy, its certificate, who goes by them, the log."""

from __future__ import annotations

import datetime as dt
import http.client
import os
import shlex
import shutil
import stat
import sys
from collections import Counter
from dataclasses import replace
from importlib import metadata
from typing import TYPE_CHECKING

from safelight import __version__, assembly, trust
from safelight import audit as audit_log
from safelight.cli import audit_words, words
from safelight.cli.audit_verify import prove
from safelight.cli.doctor.check import Check, Looked, note, ok, wrong
from safelight.cli.setup import parts
from safelight.documents import DocumentError
from safelight.proxy import resolve
from safelight.trust import roots

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from safelight.steps import Part

_LATELY = dt.timedelta(days=30)
_LEAST_ROOM = 100_000_000  # bytes
_NO_SECRETS = frozenset({trust.ROOT_FILE, "mitmproxy-dhparam.pem", "public-key"})
_SOON = dt.timedelta(days=60)


def checks(looked: Looked) -> Iterator[Check]:
    """Every check but the canary photo."""
    yield proxy(looked)
    yield from _certificate(looked)
    yield from settings(looked)
    yield _upstream()
    yield _policy(looked)
    yield from _audit(looked)
    told = _told(looked)
    yield _clock(told)
    yield from _lately(told)
    yield _versions()


def proxy(looked: Looked) -> Check:
    """Does it answer?"""
    host, port = resolve.parse_address(looked.proxy)
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/proxy.pac")
        answer = connection.getresponse()
        text = answer.read(1_000_000)
    except (ConnectionResetError, TimeoutError, http.client.HTTPException):
        return _another(looked)
    except OSError:
        return wrong("proxy", f"Nothing answers at {looked.proxy}.", looked.run())
    finally:
        connection.close()
    if answer.status != 200 or b"FindProxyForURL" not in text:
        return _another(looked)
    return ok("proxy", f"Safelight answers at {looked.proxy}.")


def _another(looked: Looked) -> Check:
    host, _, port = looked.proxy.rpartition(":")
    other = replace(looked, proxy=f"{host}:{int(port) % 65_535 + 1}")
    says = f"Another program than Safelight answers at {looked.proxy}."
    mends = f"End that one, or use another port: {other.set_up()}, and {other.run()}"
    return wrong("proxy", says, mends)


def _certificate(looked: Looked) -> Iterator[Check]:
    try:
        authority = trust.open_existing(looked.state)
        card = None if authority is None else trust.describe(authority)
    except trust.AuthorityError as error:
        denied = isinstance(error.__cause__, PermissionError)
        mends = _writable(looked.state) if denied else looked.rotate()
        yield wrong("certificate", str(error), mends)
        return
    if authority is None or card is None:
        yield wrong("certificate", f"There is none in {looked.state} yet.", looked.set_up())
        return
    names = looked.catalogue.permitted_names()
    lacking = authority.missing(names)
    days = card.until - dt.datetime.now(dt.UTC).date()
    if lacking:
        says = f"It cannot speak for {', '.join(lacking)}: these services do not load."
        yield wrong("certificate", says, looked.rotate())
    elif days < _SOON:
        yield wrong("certificate", f"It is good until {card.until} only.", looked.rotate())
    elif beyond := authority.beyond(names):
        says = (
            f"It can also speak for {_some(list(beyond))}, no hosts of AI services that are known."
        )
        yield note("certificate", says, looked.rotate())
    else:
        yield ok("certificate", f"It speaks for all {len(names)} names, and is good for years.")
    yield _permissions(looked.state)


def _permissions(state: Path) -> Check:
    """Only this person may read the keys."""
    if sys.platform == "win32":
        return ok("keys", "They are in this person's own folder.")
    open_ = [
        path
        for path in (state, *trust.files(state), *state.glob("audit-keys/**/*"))
        if path.name not in _NO_SECRETS
        and stat.S_IMODE(path.stat().st_mode) & (0o022 if path.is_dir() else 0o077)
    ]
    if open_:
        listed = ", ".join(map(str, open_))
        return wrong(
            "keys",
            f"Others may read or change {listed}.",
            shlex.join(("chmod", "-R", "go-rwx", str(state))),
        )
    return ok("keys", "Nobody else may read them.")


def settings(looked: Looked) -> list[Check]:
    """Every place that can trust the certificate, and every setting that leads to the proxy."""
    some = parts(looked.catalogue, looked.proxy, looked.state)
    found = [_part("trusted", part, looked) for part in some.stores]
    if not found:
        says = "No store of certificates is known here."
        found.append(note("trusted", says, "See docs/laptop.md."))
    found += [_part("set up", part, looked) for part in (*some.starts, *some.proxies)]
    if not some.proxies:
        says = "No desktop's proxy setting is known here: browsers have to be told by hand."
        found.append(note("set up", says, f"{words.program()} pac --url"))
    return found


def _part(name: str, part: Part, looked: Looked) -> Check:
    lacking = part.lacks()
    if lacking is not None:
        return note(name, f"Cannot {part.says}.", lacking)
    if part.is_done():
        return ok(name, f"Done: {part.says}.")
    return wrong(name, f"Not done, or no longer as it should be: {part.says}.", looked.set_up())


def _upstream() -> Check:
    try:
        count = roots.count()
    except trust.AuthorityError as error:
        return wrong("upstream", str(error), "pip install --upgrade certifi")
    return ok("upstream", f"Services' certificates are checked against {count} public roots.")


def _policy(looked: Looked) -> Check:
    files = shlex.join(map(str, looked.policies))
    try:
        assembly.load_policy(looked.policies, looked.catalogue)
    except DocumentError as error:
        return wrong("policy", str(error.problems[0]), f"{words.program()} policy check {files}")
    return ok("policy", f"No mistakes in {files}.")


def _audit(looked: Looked) -> Iterator[Check]:
    folder = looked.audit
    if not folder.exists():
        yield note("audit", f"No decision has been recorded in {folder} yet.")
        return
    if not os.access(folder, os.W_OK):
        says = f"{folder} cannot be written: nothing leaves while that is so."
        yield wrong("audit", says, _writable(folder))
    elif shutil.disk_usage(folder).free < _LEAST_ROOM:
        yield wrong("audit", f"The disk of {folder} is nearly full.", "Free some of it.")
    try:
        proof = prove(folder, looked.state)
    except audit_log.ProofError as error:
        if isinstance(error.__cause__, PermissionError):
            yield wrong("audit", str(error), _writable(looked.state))
            return
        mends = f"{words.program()} audit verify says more; move that folder away to begin anew"
        yield wrong("audit", str(error), mends)
        return
    yield ok("audit", f"{proof.records} records, none missing, none altered.")


def _writable(folder: Path) -> str:
    """The command that lets this person write there."""
    if not hasattr(os, "geteuid") or folder.stat().st_uid == os.geteuid():
        return shlex.join(("chmod", "-R", "u+rwX", str(folder)))
    return f'sudo chown -R "$(id -un)" {shlex.quote(str(folder))}'


def _clock(told: list[audit_log.Told]) -> Check:
    """Time runs forward: nothing was recorded later than now."""
    now = dt.datetime.now(dt.UTC)
    newest = max((_moment(one.at) for one in told), default=now)
    if newest > now + dt.timedelta(minutes=2):
        says = f"It says {now:%Y-%m-%d %H:%M} UTC, but something was recorded at {newest:%H:%M}"
        return wrong("clock", f"{says} on {newest:%Y-%m-%d}.", "Set this computer's clock.")
    return ok("clock", f"It says {now:%Y-%m-%d %H:%M} UTC.")


def _lately(told: list[audit_log.Told]) -> Iterator[Check]:
    """What went past, or was not understood, in the last month."""
    since = dt.datetime.now(dt.UTC) - _LATELY
    rejected: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    for one in told:
        if _moment(one.at) < since:
            continue
        if isinstance(one, audit_log.Unseen):
            rejected[one.service] += one.how == "certificate-rejected"
        elif isinstance(one, audit_log.Decision):
            unknown[one.service] += "unknown-shape" in one.doubts
    more = f"{words.program()} audit coverage"
    pinned = sorted(+rejected)
    if pinned:
        says = f"Apps that accept only their own certificate, or do not trust ours: {_some(pinned)}"
        yield note("pinned apps", f"{says}.", f"They cannot send. {more}")
    else:
        yield ok("pinned apps", "None has refused our certificate in 30 days.")
    strange = sorted(+unknown)
    if strange:
        says = f"Uploads that were not understood, and stopped: {_some(strange)}."
        yield note("unknown", says, f"{more}; safelight audit search --help")
    else:
        yield ok("unknown", "Every upload was understood in 30 days.")


def _versions() -> Check:
    python = ".".join(map(str, sys.version_info[:3]))
    mitmproxy = metadata.version("mitmproxy")
    says = f"Safelight {__version__}, mitmproxy {mitmproxy}, Python {python}."
    wanted = [one for one in metadata.requires("safelight") or () if one.startswith("mitmproxy==")]
    if wanted != [f"mitmproxy=={mitmproxy}"]:
        return wrong("versions", f"{says} It was made for {wanted[0]}.", f"pip install {wanted[0]}")
    return ok("versions", says)


def last(looked: Looked) -> str:
    """The last thing that happened, in a line."""
    uploads = [one for one in _told(looked) if isinstance(one, audit_log.Decision)]
    if not uploads:
        return "No upload with a picture has been recorded yet."
    return f"{words.uploads(len(uploads))} so far; the last: {audit_words.line(uploads[-1])}"


def _told(looked: Looked) -> list[audit_log.Told]:
    try:
        return [one for one in audit_log.told(looked.audit) if not isinstance(one, str)]
    except OSError:
        return []


def _moment(at: str | None) -> dt.datetime:
    return dt.datetime.fromisoformat(at) if at else dt.datetime.fromtimestamp(0, dt.UTC)


def _some(names: list[str]) -> str:
    return words.listed(names if len(names) <= 5 else [*names[:5], f"{len(names) - 5} more"])
