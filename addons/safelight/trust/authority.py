"""The certificate authority: one that can only speak for AI services.

A root signs one intermediate with critical name constraints (RFC 5280 section 4.2.1.10) and its
key is forgotten at once. People trust the root; the intermediate's key lives here. Whoever
steals it can impersonate the AI services in the catalogue and nobody else, least of all a bank.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ROOT_FILE = "safelight-ca.pem"
# mitmproxy's own name for "key, signer, rest of the chain" in its configuration folder.
SIGNER_FILE = "mitmproxy-ca.pem"
# What mitmproxy writes beside it.
_PARAMETERS_FILE = "mitmproxy-dhparam.pem"
_ROOT_NAME = "Safelight root (AI services only)"
_LIFE = dt.timedelta(days=3650)

# Each with whether it is critical.
type Extensions = tuple[tuple[x509.ExtensionType, bool], ...]


class AuthorityError(Exception):
    """The authority cannot be made or read; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Where the authority lives, and the DNS names it may speak for."""

    folder: Path
    names: frozenset[str]
    created: bool

    @property
    def root(self) -> Path:
        """The certificate that people trust."""
        return self.folder / ROOT_FILE

    def beyond(self, names: Sequence[str]) -> tuple[str, ...]:
        """What this authority may speak for besides `names` and what is below them."""
        return tuple(sorted(name for name in self.names if not covers(frozenset(names), name)))

    def missing(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of `names` that this authority may not speak for."""
        return tuple(name for name in names if not covers(self.names, name))


def covers(names: frozenset[str], name: str) -> bool:
    """Is `name` one of `names`, or below one, as name constraints have it?"""
    labels = name.split(".")
    return any(".".join(labels[i:]) in names for i in range(len(labels)))


@dataclass(frozen=True, slots=True)
class Card:
    """What tells the root from others: SHA-256 of it in pairs of digits, whose it is, and the
    last day on which it and all below it are good."""

    fingerprint: str
    owner: str
    until: dt.date
    company: bool


def open_or_create(folder: Path, names: Sequence[str]) -> Authority:
    """The authority in `folder`, made on first use for `names`. Raises AuthorityError."""
    return open_existing(folder) or rotate(folder, names)


def open_existing(folder: Path) -> Authority | None:
    """The authority in `folder`, or None where there is none yet. Raises AuthorityError."""
    signer = folder / SIGNER_FILE
    with _usable(folder):
        if not signer.exists():
            return None
        return Authority(folder, _permitted(signer.read_bytes()), created=False)


def rotate(folder: Path, names: Sequence[str]) -> Authority:
    """Make a new authority for `names` in the place of the one in `folder`, whose key is gone
    then. Raises AuthorityError."""
    with _usable(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        root, chain = _create(names)
        # Without a signer there is no authority, whatever happens in between.
        (folder / SIGNER_FILE).unlink(missing_ok=True)
        write(folder / ROOT_FILE, root, 0o644)
        write(folder / SIGNER_FILE, chain, 0o600)
    return Authority(folder, frozenset(names), created=True)


def files(folder: Path) -> tuple[Path, ...]:
    """The files of the authority in `folder` that are there."""
    names = (SIGNER_FILE, ROOT_FILE, _PARAMETERS_FILE)
    return tuple(path for name in names if (path := folder / name).exists())


def remove(folder: Path) -> None:
    """Forget the authority in `folder`, its key first. Raises AuthorityError."""
    with _usable(folder):
        for path in files(folder):
            path.unlink()


def describe(authority: Authority) -> Card:
    """What a person compares. Raises AuthorityError."""
    certificate = _root(authority)
    digits = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    with _usable(authority.folder):
        signer = (authority.folder / SIGNER_FILE).read_bytes()
        chain = x509.load_pem_x509_certificates(signer)
    return Card(
        digits,
        certificate.subject.rfc4514_string(),
        min(one.not_valid_after_utc for one in chain).date(),
        company=certificate.subject != subject(_ROOT_NAME),
    )


def exported(authority: Authority, *, der: bool) -> bytes:
    """The root as PEM, or as DER where that is asked for. Raises AuthorityError."""
    encoding = serialization.Encoding.DER if der else serialization.Encoding.PEM
    return _root(authority).public_bytes(encoding)


def _root(authority: Authority) -> x509.Certificate:
    with _usable(authority.folder):
        return x509.load_pem_x509_certificate(authority.root.read_bytes())


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = f"{error.filename}: {error.strerror}"
        raise AuthorityError(_unusable(folder, why)) from error
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension) as error:
        why = f"{SIGNER_FILE} or {ROOT_FILE} is damaged, or no certificate for AI services alone"
        raise AuthorityError(_unusable(folder, why)) from error


def _unusable(folder: Path, why: str) -> str:
    return (
        f"The certificate authority in {folder} cannot be used: {why}. "
        "`safelight ca rotate` makes a new one."
    )


def _create(names: Sequence[str]) -> tuple[bytes, bytes]:
    root_key = ec.generate_private_key(ec.SECP256R1())
    signer_key = ec.generate_private_key(ec.SECP256R1())
    root_name = subject(_ROOT_NAME)
    root = extended(
        _builder(root_name, root_name, root_key),
        _extensions(root_key.public_key(), names, path_length=1),
    ).sign(root_key, hashes.SHA256())
    signer = (
        extended(
            _builder(subject("Safelight"), root_name, signer_key),
            signer_extensions(signer_key.public_key(), names),
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
            critical=False,
        )
        .sign(root_key, hashes.SHA256())
    )
    key = private(signer_key)
    root_pem = root.public_bytes(serialization.Encoding.PEM)
    return root_pem, key + signer.public_bytes(serialization.Encoding.PEM) + root_pem


def private(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key as PEM, as whoever reads it has to use it."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def subject(common_name: str) -> x509.Name:
    """The name of a certificate of ours."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Safelight"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    holder: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(holder)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=2))
        .not_valid_after(now + _LIFE)
    )


def signer_extensions(key: ec.EllipticCurvePublicKey, names: Sequence[str]) -> Extensions:
    """What the intermediate says, and what a request for one asks for."""
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return (*_extensions(key, names, path_length=0), (usage, False))


def extended[B: (x509.CertificateBuilder, x509.CertificateSigningRequestBuilder)](
    builder: B, extensions: Extensions
) -> B:
    """A builder of a certificate, or of a request for one, with `extensions`."""
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder


def _extensions(
    key: ec.EllipticCurvePublicKey, names: Sequence[str], *, path_length: int
) -> Extensions:
    return (
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (_usage(), True),
        (_constraints(names), True),
        (x509.SubjectKeyIdentifier.from_public_key(key), False),
    )


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _constraints(names: Sequence[str]) -> x509.NameConstraints:
    everywhere = [
        x509.IPAddress(ipaddress.ip_network("0.0.0.0/0")),
        x509.IPAddress(ipaddress.ip_network("::/0")),
    ]
    return x509.NameConstraints([x509.DNSName(name) for name in names], everywhere)


def _permitted(pem: bytes) -> frozenset[str]:
    signer = x509.load_pem_x509_certificates(pem)[0]
    constraints = signer.extensions.get_extension_for_class(x509.NameConstraints).value
    permitted = constraints.permitted_subtrees or []
    names = frozenset(name.value for name in permitted if isinstance(name, x509.DNSName))
    if not names:
        raise ValueError("it is not limited to any names")
    return names


def write(path: Path, data: bytes, mode: int) -> None:
    """Replace `path` as a whole, or leave it as it is. Raises OSError."""
    partial = path.with_name(f"{path.name}.new")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    partial.replace(path)
