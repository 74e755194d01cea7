"""Checkpoints: signed notes (C2SP signed-note and tlog-checkpoint) with Ed25519 keys."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"
_DASH = "\N{EM DASH}"


class NoteError(ValueError):
    """A note or a key cannot be read, or its signature is not the key's."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name, as `name+id+key` (C2SP signed-note, "Verifier keys")."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read a verifier key. Raises NoteError."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        key = _decoded(encoded)
        verifier = cls(name, key[1:])
        if not name or key[:1] != _ED25519 or len(key) != 33 or verifier.key_id.hex() != key_id:
            raise NoteError("this is not the public key of an audit file")
        return verifier

    def __str__(self) -> str:
        key = base64.b64encode(_ED25519 + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys of the same name apart."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def opened(self, note: str) -> str:
        """The text of a note that this key signed. Raises NoteError."""
        text, blank, signatures = note.rpartition("\n\n")
        text += "\n"
        for line in signatures.splitlines() if blank else ():
            dash, name, encoded = [*line.split(" "), "", ""][:3]
            signature = _decoded(encoded)
            if (dash, name, signature[:4]) == (_DASH, self.name, self.key_id):
                try:
                    public = Ed25519PublicKey.from_public_bytes(self.public)
                    public.verify(signature[4:], text.encode())
                except (InvalidSignature, ValueError) as error:
                    raise NoteError("its signature is not the key's") from error
                return text
        raise NoteError("it is not signed with this key")


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its name."""

    name: str
    private: Ed25519PrivateKey

    @classmethod
    def made(cls, name: str) -> Signer:
        """A new key."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, name: str, raw: bytes) -> Signer:
        """The key whose 32 bytes `save` gave. Raises NoteError."""
        try:
            return cls(name, Ed25519PrivateKey.from_private_bytes(raw))
        except ValueError as error:
            raise NoteError("this is not a signing key") from error

    def save(self) -> bytes:
        """The private key, 32 bytes."""
        return self.private.private_bytes_raw()

    @property
    def verifier(self) -> Verifier:
        """Its public half."""
        return Verifier(self.name, self.private.public_key().public_bytes_raw())

    def signed(self, text: str) -> str:
        """`text`, which ends with a line feed, as a signed note."""
        signature = self.verifier.key_id + self.private.sign(text.encode())
        return f"{text}\n{_DASH} {self.name} {base64.b64encode(signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log held: its name, how many records, the root of their tree. `next_key` is the
    public key that signs from here on, when it changes."""

    origin: str
    size: int
    root: bytes
    next_key: str | None = None

    @property
    def text(self) -> str:
        """The text of its note."""
        lines = [self.origin, str(self.size), base64.b64encode(self.root).decode()]
        if self.next_key is not None:
            lines.append(f"next {self.next_key}")
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def of_note(cls, note: str) -> Checkpoint:
        """Read a note, whoever signed it. Raises NoteError."""
        return cls.parse(note.rpartition("\n\n")[0] + "\n")

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a note. Raises NoteError."""
        lines = text.splitlines()
        if not 3 <= len(lines) <= 4 or not (lines[1].isascii() and lines[1].isdigit()):
            raise NoteError("this is not a checkpoint")
        extension = lines[3] if len(lines) == 4 else ""
        known = cls(
            lines[0],
            int(lines[1]),
            _decoded(lines[2]),
            extension.removeprefix("next ") if extension else None,
        )
        if known.text != text:
            raise NoteError("this is not a checkpoint")
        return known


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("this is not base64") from error
