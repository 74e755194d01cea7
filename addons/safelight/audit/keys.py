"""The keys of a log, kept outside its folder: the one that signs, and those of pseudonyms.

Each day has a signing key of its own. The last key endorses the next and is then gone, so nobody
who comes later can sign for an earlier day.
"""

from __future__ import annotations

import hmac
import os
import secrets
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from safelight.audit.notes import NoteError, Signer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    type Wanted = tuple[str, bytes]

_KEY_LENGTH = 32  # bytes
_PSEUDONYM_LENGTH = 16  # bytes: 128 bits
FIRST_PUBLIC = "public-key"
LAST_CHECKPOINT = "last-checkpoint"
_SIGNING = "signing-key"
_NEXT = "signing-key.next"


class Keyring:
    """The keys of one log, in a folder that only its owner can read. Methods raise OSError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def signer(self, public: str) -> Signer | None:
        """The private key whose public half the log names; None if it is not here."""
        for name in (_SIGNING, _NEXT):
            found = self._load(name)
            if found is not None and str(found.verifier) == public:
                if name == _NEXT:
                    self.commit()
                return found
        return None

    def prepare(self, name: str) -> Signer:
        """A new signing key, kept aside until `commit`."""
        signer = Signer.made(name)
        self._write(_NEXT, f"{name}\n{signer.save().hex()}\n")
        return signer

    def commit(self) -> None:
        """The key that was prepared signs from now on; the one before is gone."""
        (self.folder / _NEXT).replace(self.folder / _SIGNING)

    def remember_first(self, public: str) -> None:
        """Keep the public key that everything else is verified from."""
        if not (self.folder / FIRST_PUBLIC).exists():
            self._write(FIRST_PUBLIC, f"{public}\n")

    def remember(self, note: str) -> None:
        """Keep the last checkpoint, so that a log that is cut short is noticed."""
        self._write(LAST_CHECKPOINT, note)

    def remembered(self) -> str | None:
        """The last checkpoint's note."""
        try:
            return (self.folder / LAST_CHECKPOINT).read_text()
        except FileNotFoundError:
            return None

    def known_pseudonyms(self, month: str, wanted: Sequence[Wanted]) -> list[str] | None:
        """As `made_pseudonyms`; None if there is no key of that month yet."""
        try:
            key = bytes.fromhex(self._pseudonyms(month).read_text())
        except FileNotFoundError:
            return None
        return [_pseudonym(key, purpose, value) for purpose, value in wanted]

    def made_pseudonyms(self, month: str, wanted: Sequence[Wanted]) -> list[str]:
        """For each value, of what it is for, a name that only says so to who has this month's key.
        Names for different purposes cannot be compared."""
        known = self.known_pseudonyms(month, wanted)
        if known is not None:
            return known
        key = secrets.token_bytes(_KEY_LENGTH)
        self._write(self._pseudonyms(month).name, key.hex())
        return [_pseudonym(key, purpose, value) for purpose, value in wanted]

    def pseudonyms(self, purpose: str, value: bytes) -> dict[str, str]:
        """The names of `value` in all months whose keys are still here."""
        return {
            path.stem: _pseudonym(bytes.fromhex(path.read_text()), purpose, value)
            for path in sorted(self.folder.glob("????-??.pseudonyms"))
        }

    def months(self) -> frozenset[str]:
        """The months whose keys are still here."""
        return frozenset(path.stem for path in self.folder.glob("????-??.pseudonyms"))

    def has_pseudonyms(self, month: str) -> bool:
        """Is this month's key here?"""
        return self._pseudonyms(month).exists()

    def forget(self, month: str) -> None:
        """Destroy a month's key."""
        path = self._pseudonyms(month)
        path.write_bytes(secrets.token_bytes(2 * _KEY_LENGTH))
        path.unlink()

    def _pseudonyms(self, month: str) -> Path:
        return self.folder / f"{month}.pseudonyms"

    def _load(self, name: str) -> Signer | None:
        try:
            key_name, private = (self.folder / name).read_text().split()
            return Signer.load(key_name, bytes.fromhex(private))
        except (FileNotFoundError, ValueError, NoteError):
            return None

    def _write(self, name: str, content: str) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        passing = self.folder / f".{name}.{secrets.token_hex(4)}"
        descriptor = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, content.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        passing.replace(self.folder / name)


def _pseudonym(key: bytes, purpose: str, value: bytes) -> str:
    derived = HKDF(hashes.SHA256(), _KEY_LENGTH, None, purpose.encode()).derive(key)
    return hmac.digest(derived, value, "sha256")[:_PSEUDONYM_LENGTH].hex()
