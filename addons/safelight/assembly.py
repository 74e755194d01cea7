"""Put the engine together from the files it works with; what is broken closes, not opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight import paths, policy
from safelight.audit import AuditError, AuditLog
from safelight.documents import DocumentError
from safelight.engine import Engine
from safelight.services import Catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Assembly:
    """A working engine, and what is wrong with its files in sentences for people."""

    catalogue: Catalogue
    loaded: policy.LoadedPolicy | None
    log: AuditLog
    engine: Engine
    problems: tuple[str, ...]


def load_catalogue() -> Catalogue:
    """The services that come with Safelight and the person's own. Raises DocumentError."""
    return Catalogue.load(paths.catalogue(), paths.own_services())


def load_policy(files: Sequence[Path], catalogue: Catalogue) -> policy.LoadedPolicy:
    """The policies at `files` as one, checked against `catalogue`. Raises DocumentError."""
    return policy.load(files, about(catalogue))


def about(catalogue: Catalogue) -> dict[str, policy.About]:
    """What rules can know of each service."""
    return {
        service.id: policy.About(
            str(service.category), service.trains_on_uploads, bool(service.workspace)
        )
        for service in catalogue.services.values()
    }


def assemble(policy_paths: Sequence[Path], audit_folder: Path, audit_keys: Path) -> Assembly:
    """An engine for these files. Raises documents.DocumentError for a broken catalogue alone.

    The policies count together. With a broken one, or an audit file that cannot be written, the
    engine refuses every picture, and `problems` says why.
    """
    catalogue = load_catalogue()
    problems: list[str] = []
    loaded = None
    try:
        loaded = load_policy(policy_paths, catalogue)
    except DocumentError as error:
        problems.append(f"No picture will leave until this policy file is mended:\n{error}")
    log = AuditLog(audit_folder, audit_keys)
    try:
        log.check()
    except AuditError as error:
        problems.append(f"No picture will leave until the audit file can be written: {error}")
    return Assembly(catalogue, loaded, log, Engine(loaded, log), tuple(problems))
