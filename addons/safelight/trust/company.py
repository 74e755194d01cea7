"""An authority that a company's own certificate authority signs.

The key of the intermediate is made here and stays here; a signing request (PKCS #10, RFC 2986)
goes to the company, and the certificate that comes back is taken only if it can speak for AI
services alone (name constraints, RFC 5280 section 4.2.1.10).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from safelight.trust import authority as own

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KEY_FILE = "company-ca.key"
_PEM = serialization.Encoding.PEM
_EVERY_ADDRESS = {ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")}


def request(folder: Path, names: Sequence[str]) -> bytes:
    """A signing request in PEM for an intermediate that speaks for `names` alone.

    Its key is made in `folder` on first use, for its owner alone. Raises AuthorityError.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        pending = folder / KEY_FILE
        if not pending.exists():
            made = ec.generate_private_key(ec.SECP256R1())
            own.write(pending, own.private(made), 0o600)
        key = _key(pending)
    except (OSError, ValueError, TypeError) as error:
        raise own.AuthorityError(
            f"The key in {folder / KEY_FILE} cannot be made or read: {error}"
        ) from error
    builder = own.extended(
        x509.CertificateSigningRequestBuilder().subject_name(own.subject("Safelight")),
        own.signer_extensions(key.public_key(), names),
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(_PEM)


def install(folder: Path, given: bytes, names: Sequence[str]) -> own.Authority:
    """Make the certificate that `given` begins with the authority in `folder`.

    `given` is PEM: the intermediate, then its issuers up to the root, in any order. `names` are
    all that it may speak for. Raises AuthorityError and changes nothing if anything is amiss.
    """
    try:
        signer, *issuers = x509.load_pem_x509_certificates(given)
        chain = _chain(signer, issuers)
        _check_signer(signer, frozenset(names))
        _check_dates(chain)
        key = _matching_key(folder, signer)
        content = own.private(key) + b"".join(one.public_bytes(_PEM) for one in chain)
        # The signer first: a cut between the two leaves an authority that works.
        own.write(folder / own.SIGNER_FILE, content, 0o600)
        own.write(folder / own.ROOT_FILE, chain[-1].public_bytes(_PEM), 0o644)
        (folder / KEY_FILE).unlink(missing_ok=True)
    except (OSError, ValueError, TypeError, x509.DuplicateExtension) as error:
        raise own.AuthorityError(f"The certificate cannot be used: {error}") from error
    return own.Authority(folder, frozenset(_dns(_constraints(signer))), created=True)


def _chain(
    signer: x509.Certificate, issuers: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    chain = [signer]
    while not _signed(chain[-1], chain[-1]):
        issuer = next(
            (one for one in issuers if one not in chain and _signed(chain[-1], one)), None
        )
        if issuer is None:
            raise own.AuthorityError(
                f"Who signed {_of(chain[-1])} is not among the given certificates. It says that "
                f"it was {chain[-1].issuer.rfc4514_string()}: give the certificates from there "
                "up to the company's root as CHAIN."
            )
        _check_issuer(issuer, below=len(chain) - 1)
        chain.append(issuer)
    if len(chain) == 1:
        raise own.AuthorityError(
            f"{_of(signer)} is a root that signed itself. Give the certificate that the company "
            "made from the request of `safelight ca csr`, and its root as CHAIN."
        )
    return tuple(chain)


def _signed(one: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _check_issuer(issuer: x509.Certificate, *, below: int) -> None:
    length = _basic(issuer).path_length
    if length is not None and length <= below:
        raise own.AuthorityError(
            f"{_of(issuer)} allows no further authority below it (path length {length}): clients "
            "would reject what is signed. The company has to sign with another one."
        )


def _check_signer(signer: x509.Certificate, allowed: frozenset[str]) -> None:
    if _basic(signer).path_length != 0:
        raise own.AuthorityError(
            f"{_of(signer)} may make further authorities. It has to say pathlen:0."
        )
    try:
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        usage = None
    if usage is not None and ExtendedKeyUsageOID.SERVER_AUTH not in usage:
        raise own.AuthorityError(
            f"{_of(signer)} is not for servers (extended key usage without serverAuth): browsers "
            "would reject what it signs."
        )
    constraints = _constraints(signer)
    permitted = _dns(constraints)
    beyond = sorted(name for name in permitted if not _within(name, allowed))
    if not permitted or beyond:
        told = f"It also permits {', '.join(beyond)}." if beyond else "It permits every name."
        raise own.AuthorityError(
            f"{_of(signer)} can speak for more than AI services. {told} The company has to sign "
            "with the name constraints of the request of `safelight ca csr`, and no others."
        )
    excluded = {
        one.value for one in constraints.excluded_subtrees or [] if isinstance(one, x509.IPAddress)
    }
    addresses = [
        one for one in constraints.permitted_subtrees or [] if isinstance(one, x509.IPAddress)
    ]
    if addresses or not excluded >= _EVERY_ADDRESS:
        raise own.AuthorityError(
            f"{_of(signer)} can speak for IP addresses. Its name constraints have to exclude "
            "0.0.0.0/0 and ::/0, as the request of `safelight ca csr` asks."
        )
    if any(isinstance(one, x509.DNSName) for one in constraints.excluded_subtrees or []):
        raise own.AuthorityError(
            f"{_of(signer)} excludes host names. Leave them out of the permitted ones instead."
        )


def _constraints(signer: x509.Certificate) -> x509.NameConstraints:
    try:
        found = signer.extensions.get_extension_for_class(x509.NameConstraints)
    except x509.ExtensionNotFound:
        found = None
    if found is None or not found.critical:
        lack = "has no name constraints" if found is None else "has name constraints, not critical"
        raise own.AuthorityError(
            f"{_of(signer)} {lack}: with it, a stolen key could stand for any site, a bank's too. "
            "The company has to copy the critical nameConstraints of the request of "
            "`safelight ca csr` (with OpenSSL: copy_extensions)."
        )
    return found.value


def _dns(constraints: x509.NameConstraints) -> tuple[str, ...]:
    permitted = constraints.permitted_subtrees or []
    return tuple(one.value for one in permitted if isinstance(one, x509.DNSName))


def _within(name: str, allowed: frozenset[str]) -> bool:
    return all(name.split(".")) and own.covers(allowed, name)


def _basic(certificate: x509.Certificate) -> x509.BasicConstraints:
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        basic = None
    if basic is None or not basic.ca or not usage.key_cert_sign:
        raise own.AuthorityError(
            f"{_of(certificate)} is no certificate authority: it needs CA:TRUE and the key usage "
            "keyCertSign."
        )
    return basic


def _check_dates(chain: Sequence[x509.Certificate]) -> None:
    now = dt.datetime.now(dt.UTC)
    for one in chain:
        if not one.not_valid_before_utc <= now <= one.not_valid_after_utc:
            raise own.AuthorityError(
                f"{_of(one)} is good from {one.not_valid_before_utc:%Y-%m-%d} until "
                f"{one.not_valid_after_utc:%Y-%m-%d}, and today is {now:%Y-%m-%d}."
            )


def _matching_key(folder: Path, signer: x509.Certificate) -> ec.EllipticCurvePrivateKey:
    for file in (folder / KEY_FILE, folder / own.SIGNER_FILE):
        if file.exists() and (key := _key(file)).public_key() == signer.public_key():
            return key
    raise own.AuthorityError(
        f"{_of(signer)} does not belong to the key in {folder}. Send the company the request "
        "that `safelight ca csr` writes for this folder."
    )


def _key(file: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{file} holds a key of another kind")
    return key


def _of(certificate: x509.Certificate) -> str:
    return f"The certificate of {certificate.subject.rfc4514_string()}"
