"""OpenLDAP's server with a few people in it, on loopback."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support import programs, tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import trustme

BASE = "dc=example,dc=org"
READER, READERS_PASSWORD = f"cn=reader,{BASE}", "may look names up"
# The name, what it is called, the mail address, and the password.
PEOPLE = (
    ("Anna", "Anna Muster", "anna.muster@example.org", "se:cret ö"),
    ("bert", "Bert Muster", "bert.muster@example.org", "berts"),
    ("carla*", "Carla Stern", "carla@example.org", "carlas"),
)
_CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
TLSCertificateFile {folder}/slapd.pem
TLSCertificateKeyFile {folder}/slapd.key
security simple_bind=128
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="ou=people,{base}" by dn.exact="{reader}" read by * none
access to * by * none
database mdb
suffix "{base}"
directory {folder}/data
"""


@dataclass
class Directory:
    """A running server at two ports of `localhost`."""

    folder: Path
    plain: int
    encrypted: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Let it listen, and wait until it does."""
        urls = f"ldap://127.0.0.1:{self.plain}/ ldaps://127.0.0.1:{self.encrypted}/"
        command = [_slapd(), "-f", str(self.folder / "slapd.conf"), "-h", urls, "-d", "0"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        programs.wait_for(self.encrypted)

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None


def _slapd() -> str:
    return tools.needed("slapd")


def _entries() -> str:
    found = [f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Example\n"]
    found.append(
        f"dn: {READER}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n"
        f"userPassword: {READERS_PASSWORD}\n"
    )
    found.append(f"dn: ou=people,{BASE}\nobjectClass: organizationalUnit\n")
    found += [
        f"dn: uid={uid},ou=people,{BASE}\nobjectClass: inetOrgPerson\ncn: {name}\nsn: Muster\n"
        f"mail: {mail}\nuserPassword: {password}\n"
        for uid, name, mail, password in PEOPLE
    ]
    return "\n".join(found)


@contextmanager
def running(folder: Path, authority: trustme.CA, ports: tuple[int, int]) -> Iterator[Directory]:
    """A server with a certificate for `localhost`, listening for `ldap:` and for `ldaps:`."""
    folder.mkdir()
    (folder / "data").mkdir()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(str(folder / "slapd.key"))
    chain = b"".join(one.bytes() for one in certificate.cert_chain_pems)
    (folder / "slapd.pem").write_bytes(chain)
    (folder / "slapd.conf").write_text(
        _CONFIGURATION.format(folder=folder, base=BASE, reader=READER)
    )
    subprocess.run(
        [tools.needed("slapadd"), "-f", folder / "slapd.conf"],
        input=_entries(),
        text=True,
        check=True,
        capture_output=True,
    )
    directory = Directory(folder, *ports)
    directory.start()
    try:
        yield directory
    finally:
        directory.stop()
