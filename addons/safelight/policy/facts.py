"""What rules can know of a picture, its upload, and the moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


# A workspace that is known to be none of those that rules name.
ANOTHER = "(another)"


@dataclass(frozen=True, slots=True)
class About:
    """What rules can know of a service: its category, whether it trains on uploads, and whether
    any of its requests say which workspace they are for."""

    category: str
    trains: str = "unknown"
    says_workspace: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """One picture on its way. None stands for what is not known (yet).

    `workspace` is the organization, account or project of the service that the request says it is
    for, in lower case. `size` is in bytes, `pixels` counts those of this picture (0 where there are
    none), `count` the pictures in its upload. `metadata` holds kinds of findings. `client` is the
    address it comes from, `identity` who is known to send it, as `user:anna` or `phone:anna` (""
    for nobody), `people` the groups these belong to where only the groups are known. `at` without a
    time zone is what every clock shows, whatever zone a rule asks for. `paused`: somebody asked for
    rules that stop uploads not to do so for a while.
    """

    service: str
    category: str
    type: str
    size: int | None
    metadata: frozenset[str] | None = frozenset()
    trains: str = "unknown"
    workspace: str | None = None
    shape: str | None = None
    pixels: int | None = None
    count: int | None = None
    client: str | None = None
    identity: str | None = None
    people: frozenset[str] | None = None
    at: datetime | None = None
    paused: bool = False
