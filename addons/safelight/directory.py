"""Users of a company's directory: LDAP (RFC 4511) asks it whether a password is right.

Connections are encrypted, and the server's certificate is verified: `ldaps://` from the start,
`ldap://` by StartTLS. There is no way to ask without.
"""

from __future__ import annotations

import contextlib
import logging
import re
import ssl
import time
from pathlib import Path  # noqa: TC003 - pydantic reads it
from typing import TYPE_CHECKING, Annotated, Self
from urllib.parse import urlsplit

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.operation.search import parse_filter
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import parse_dn
from pydantic import AfterValidator, Field, model_validator

from safelight import documents
from safelight.documents import Strict
from safelight.users import CannotTellError, UserFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

_PORTS = {"ldap": 389, "ldaps": 636}
_PATIENCE = 5  # seconds for each step
_PAUSE = 3.0  # seconds after a failure before it is asked again
_RARELY = 60.0  # seconds
_LONGEST_NAME = 256
_USER = "{user}"
# Directories take more than one spelling for the same name. These have one, but for their case.
_PLAIN = re.compile(r"[a-z0-9][a-z0-9._@-]*")
# Result codes (RFC 4511 section 4.1.9): the server could not decide; it found one, or too many.
_UNDECIDED = {1, 3, 11, 51, 52, 80}
_FOUND = {0, 4}


def _server(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.username:
        raise ValueError("must be ldaps://HOST or ldap://HOST, perhaps with :PORT")
    return text


def _name_of(text: str) -> str:
    if _USER not in text:
        raise ValueError(f"must hold {_USER}, where the name goes")
    try:
        parse_dn(text.replace(_USER, "x"))
    except LDAPException as error:
        raise ValueError(f"is no name of an entry (RFC 4514): {error}") from error
    return text


def _filter(text: str) -> str:
    if _USER not in text:
        raise ValueError(f"must hold {_USER}, where the name goes")
    try:
        parse_filter(text.replace(_USER, "x"), None, False, False, None, False)  # noqa: FBT003
    except LDAPException as error:
        raise ValueError(f"is no filter (RFC 4515): {error}") from error
    return text


class _Search(Strict):
    base: Annotated[str, Field(min_length=1)]
    filter: Annotated[str, AfterValidator(_filter)]
    name: Annotated[str, Field(min_length=1)]
    as_: str | None = None
    password_file: Path | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.as_ is None) != (self.password_file is None):
            raise ValueError("`as` and `password-file` go together")
        return self


class _Settings(Strict):
    server: Annotated[str, AfterValidator(_server)]
    ca: Path | None = None
    user: Annotated[str, AfterValidator(_name_of)] | None = None
    search: _Search | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.user is None) == (self.search is None):
            raise ValueError("needs either `user`, the name of a user's entry, or `search`")
        return self


class _Tls(ldap3.Tls):  # type: ignore[misc]
    """Verifies as Python does; ldap3's own way is older, and leaves sockets open."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = context

    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - as ldap3 calls it
        """Encrypt the connection, if the server is the one that is meant."""
        host = connection.server.host
        connection.socket = self._context.wrap_socket(connection.socket, server_hostname=host)


class Directory:
    """The users that the directory described in the file at `path` lets in. Raises UserFileError.

    A name is known as the directory has it, in small letters.
    """

    at_once = 8

    def __init__(self, path: Path) -> None:
        try:
            self._settings = documents.read_file(path, _Settings).value
        except documents.DocumentError as error:
            raise UserFileError(str(error)) from error
        try:
            self._tls = _Tls(ssl.create_default_context(cafile=self._settings.ca))
            search = self._settings.search
            file = search.password_file if search else None
            self._password = file.read_bytes().rstrip(b"\r\n") if file else b""
        except OSError as error:
            raise UserFileError(f"{path}: {error}") from error
        if file and not self._password:
            raise UserFileError(f"{file} holds no password.")
        self._silent_until = 0.0
        self._told = -_RARELY

    def version(self) -> int:
        """What the directory says is asked anew."""
        return 0

    def known(self, name: str, password: bytes) -> str | None:
        """The user's name, if this is the password. Raises CannotTellError."""
        # RFC 4513 section 5.1.2: a server may take a name without a password for nobody, and agree.
        if not password or len(name) > _LONGEST_NAME or not name.isprintable():
            return None
        if time.monotonic() < self._silent_until:
            raise CannotTellError
        try:
            return self._searched(name, password) or self._named(name.lower(), password)
        except (LDAPException, OSError) as error:
            self._silent_until = time.monotonic() + _PAUSE
            self._say(error)
            raise CannotTellError from error

    def _named(self, name: str, password: bytes) -> str | None:
        template = self._settings.user
        if template is None or not _PLAIN.fullmatch(name):
            return None
        with self._bound(template.replace(_USER, name), password) as connection:
            return name if connection else None

    def _searched(self, name: str, password: bytes) -> str | None:
        search = self._settings.search
        if search is None:
            return None
        with self._bound(search.as_, self._password) as connection:
            if connection is None:
                raise LDAPException(f"it does not take {search.as_} and its password")
            connection.search(
                search.base,
                search.filter.replace(_USER, escape_filter_chars(name)),
                attributes=[search.name],
                size_limit=2,
                time_limit=_PATIENCE,
            )
            if connection.result["result"] not in _FOUND:
                raise LDAPException(f"{search.base}: {connection.result['description']}")
            entries = [one for one in connection.response or () if "raw_attributes" in one]
        names = [one for entry in entries for one in entry["raw_attributes"][search.name]]
        if len(entries) != 1 or not names:
            return None
        with self._bound(entries[0]["dn"], password) as connection:
            return min(names).decode(errors="replace").lower() if connection else None

    @contextlib.contextmanager
    def _bound(self, dn: str | None, password: bytes) -> Iterator[ldap3.Connection | None]:
        """A connection of this entry's, or of nobody's; None if the password is wrong. Raises
        LDAPException."""
        parts = urlsplit(self._settings.server)
        server = ldap3.Server(
            parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            use_ssl=parts.scheme == "ldaps",
            tls=self._tls,
            get_info=ldap3.NONE,
            connect_timeout=_PATIENCE,
        )
        connection = ldap3.Connection(
            server,
            dn,
            password or None,
            authentication=ldap3.SIMPLE if dn else ldap3.ANONYMOUS,
            # Another server that it names is not asked: it would get the password.
            auto_referrals=False,
            read_only=True,
            receive_timeout=_PATIENCE,
        )
        try:
            connection.open(read_server_info=False)
            if not server.ssl:
                connection.start_tls(read_server_info=False)
            taken = connection.bind(read_server_info=False)
            if connection.result["result"] in _UNDECIDED:
                raise LDAPException(connection.result["description"])
            yield connection if taken else None
        finally:
            with contextlib.suppress(LDAPException, OSError):
                connection.unbind()
            if connection.socket is not None:
                # It has no connection, and keeps its socket.
                connection.socket.close()

    def _say(self, error: Exception) -> None:
        if time.monotonic() - self._told >= _RARELY:
            self._told = time.monotonic()
            logger.error(
                "The directory %s cannot be asked, so nobody new is let in: %s",
                self._settings.server,
                error,
                extra={"event": "directory-silent", "facts": {"type": type(error).__name__}},
            )
