"""The arrows of the house: which room may import which. And what no room may do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1] / "addons" / "safelight"

# A room is a package, or a module beside them. `documents` reads YAML for two rooms and knows
# neither; `engine` is where the rooms meet, with its hands: `case`, `examiner`, `in_force`,
# `journal`, `joining`, `passage`, `pieces`, `uploads`, `sequences` and `refusals`. `conversation`
# joins messages before it is asked.
FIVE = {"images", "bodies", "services", "policy", "audit"}
MAY_IMPORT: dict[str, set[str]] = {
    "images": set(),
    "bodies": set(),
    "documents": set(),
    "services": {"documents"},
    "policy": {"documents"},
    "audit": set(),
    "paths": set(),
    "refusals": set(),
    "examiner": FIVE,
    "journal": FIVE | {"refusals"},
    "uploads": FIVE | {"examiner"},
    "sequences": FIVE | {"examiner", "uploads"},
    "case": FIVE | {"examiner", "in_force", "journal", "refusals", "sequences", "uploads"},
    "in_force": FIVE | {"case", "journal"},
    "passage": FIVE | {"case", "examiner", "in_force", "journal", "refusals"},
    "conversation": FIVE | {"case", "examiner"},
    "pieces": FIVE | {"case", "examiner", "sequences", "uploads"},
    "conclusions": FIVE | {"case", "in_force", "refusals"},
    "joining": FIVE | {"case", "conclusions", "pieces", "refusals", "uploads"},
    "engine": FIVE
    | {"case", "conclusions", "examiner", "in_force", "joining", "passage", "pieces", "refusals"}
    | {"uploads"},
    "assembly": FIVE | {"documents", "engine", "paths"},
    "recorded": {"audit", "journal", "policy"},
    "broker": set(),
    "pausing": set(),
    "reloading": {"assembly", "audit", "documents", "pausing", "policy"},
    "steps": set(),
    "users": set(),
    "directory": {"documents", "users"},
    "phones": set(),
    "trust": {"services", "steps"},
    "desktop": {"steps"},
    "setting_up": set(),
    "proxy": {
        "broker",
        "case",
        "conversation",
        "engine",
        "passage",
        "sequences",
        "assembly",
        "refusals",
        "reloading",
        "users",
        "phones",
        "paths",
        "trust",
        "services",
    },
}
UNLIMITED = {"cli", "__main__", "__init__"}
ONLY_IN_PROXY = "mitmproxy"
PURE = FIVE - {"audit"}
INPUT_AND_OUTPUT = {
    "os",
    "socket",
    "subprocess",
    "asyncio",
    "threading",
    "urllib.request",
    "shutil",
}


def modules() -> list[Path]:
    return sorted(HOUSE.rglob("*.py"))


def room_of(path: Path) -> str:
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return parts[0]


def imports(path: Path) -> set[str]:
    """Full names of everything that a module imports, for types as well."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def rooms_imported(path: Path) -> set[str]:
    names = {name.split(".")[1] for name in imports(path) if name.startswith("safelight.")}
    return names - {room_of(path), "__version__"}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(HOUSE)))
def test_arrows_point_down(path: Path) -> None:
    room = room_of(path)
    if room in UNLIMITED:
        return
    assert room in MAY_IMPORT, f"the room {room} has no row here"
    assert rooms_imported(path) <= MAY_IMPORT[room]


def test_only_the_proxy_knows_mitmproxy() -> None:
    knowing = {
        room_of(path)
        for path in modules()
        if any(name.split(".")[0] == ONLY_IN_PROXY for name in imports(path))
    }
    assert knowing == {"proxy"}


def test_the_core_does_no_input_and_output() -> None:
    for path in modules():
        if room_of(path) in PURE:
            modules_used = {name.split(".")[0] for name in imports(path)}
            assert not modules_used & INPUT_AND_OUTPUT, path


def test_files_are_short() -> None:
    long = {str(path): len(path.read_text().splitlines()) for path in modules()}
    assert {path: lines for path, lines in long.items() if lines > 400} == {}
