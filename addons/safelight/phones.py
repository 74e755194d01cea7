"""The phones that come through WireGuard: who they are, and the file that knows them.

Each has a UDP port of its own, where no other key opens anything: the port tells whose connection
it is. An address inside of a tunnel would not, as the phone chooses it itself.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import re
from typing import TYPE_CHECKING, Annotated, Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from pathlib import Path

_NETWORK = ipaddress.ip_network("10.83.109.0/24")
# Names are looked up here, and the proxy's own pages are shown.
HOME = str(_NETWORK[1])
# AI services get addresses of these, which nobody has on the internet (RFC 2544): a phone sends
# through the tunnel what goes there, and nothing else.
STAND_INS = ipaddress.IPv4Network("198.18.0.0/15")
FIRST_PORT = 51820
_MOST = 200
_NAME = re.compile(r"[\w.-]{1,40}")
_HOST = re.compile(r"[\w.-]{1,253}")


class PhonesError(Exception):
    """What was asked for cannot be done, or the file cannot be used; the text says why."""


def _key(text: str) -> str:
    if len(base64.b64decode(text, validate=True)) != 32:
        raise ValueError("must be 32 bytes, in base64")
    return text


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("must be letters, digits, dots, dashes, 40 of them at most")
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Phone(_Strict):
    """A device: `number` is one of its own, `public_key` that of its key."""

    name: Annotated[str, AfterValidator(_name)]
    number: Annotated[int, Field(ge=1, le=_MOST)]
    public_key: Annotated[str, AfterValidator(_key)]

    @property
    def identity(self) -> str:
        """What a policy calls it."""
        return f"phone:{self.name}"

    @property
    def port(self) -> int:
        """The UDP port where it is let in."""
        return FIRST_PORT + self.number - 1

    @property
    def address(self) -> str:
        """Its address inside of the tunnel."""
        return str(_NETWORK[self.number + 1])


class Household(_Strict):
    """All phones, and the private key that they know the proxy by."""

    version: Literal[1] = 1
    private_key: Annotated[str, AfterValidator(_key)]
    phones: tuple[Phone, ...] = ()


def file(state: Path) -> Path:
    """Where it is, in the state folder."""
    return state / "phones.json"


def read(path: Path) -> Household | None:
    """Who is in the file; None where there is none yet. Raises PhonesError."""
    try:
        return Household.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise PhonesError(f"{path} cannot be used: {error}") from error


def add(path: Path, name: str, host: str) -> tuple[Phone, str]:
    """A new phone, and its configuration (wg-quick(8)), by which it reaches the proxy at `host`.
    Its private key stands there and nowhere else. Raises PhonesError."""
    if not (_HOST.fullmatch(host) or _is_ipv6(host)):
        raise PhonesError(f"{host} is no address and no name; the port is added to it.")
    household = read(path) or Household(private_key=_private(X25519PrivateKey.generate()))
    if any(one.name == name for one in household.phones):
        raise PhonesError(f"There is a phone `{name}`: remove that one first, or use another name.")
    free = set(range(1, _MOST + 1)) - {one.number for one in household.phones}
    if not free:
        raise PhonesError(f"There are {_MOST} phones, and no more can be added.")
    key = X25519PrivateKey.generate()
    try:
        phone = Phone(name=name, number=min(free), public_key=_public(key.public_key()))
    except ValidationError as error:
        raise PhonesError(f"`{name}` {error.errors()[0]['msg'].partition(', ')[2]}.") from error
    _write(path, household.model_copy(update={"phones": (*household.phones, phone)}))
    private = X25519PrivateKey.from_private_bytes(base64.b64decode(household.private_key))
    where = f"[{host}]" if ":" in host else host
    configuration = f"""[Interface]
PrivateKey = {_private(key)}
Address = {phone.address}/32
DNS = {HOME}

[Peer]
PublicKey = {_public(private.public_key())}
AllowedIPs = {HOME}/32, {STAND_INS}
Endpoint = {where}:{phone.port}
"""
    return phone, configuration


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def remove(path: Path, name: str) -> None:
    """Let the phone in no longer. Raises PhonesError."""
    household = read(path)
    if household is None or all(one.name != name for one in household.phones):
        raise PhonesError(f"There is no phone `{name}`; `safelight phones list` shows all.")
    left = tuple(one for one in household.phones if one.name != name)
    _write(path, household.model_copy(update={"phones": left}))


def _write(path: Path, household: Household) -> None:
    new = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(household.model_dump_json(indent=2) + "\n")
        new.replace(path)
    except OSError as error:
        raise PhonesError(f"{path} cannot be written: {error.strerror or error}.") from error


def _private(key: X25519PrivateKey) -> str:
    return base64.b64encode(key.private_bytes_raw()).decode()


def _public(key: X25519PublicKey) -> str:
    return base64.b64encode(key.public_bytes_raw()).decode()
