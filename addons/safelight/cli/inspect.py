"""safelight inspect: what a picture says besides itself."""

from __future__ import annotations

import json
import re
import textwrap
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from safelight import images
from safelight.cli import words
from safelight.cli.files import TOO_LARGE, FileError, read, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

_LEFT, _RIGHT = 46, 52
_INSIDE = re.compile(r"file (\d+) inside: ")


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False))
@click.option("--values", is_flag=True, help="Show what is told, not only that it is told.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, an object for each file.")
def inspect(files: tuple[Path, ...], *, values: bool, as_json: bool) -> None:
    """Show what FILES tell besides the picture: places, times, devices, people.

    Nothing leaves this computer. Exit code 1 if any file could not be read as a picture.
    """
    reports = [_report(file, values=values) for file in files]
    if as_json:
        click.echo(json.dumps(reports, indent=2, ensure_ascii=False))
    else:
        click.echo("\n\n".join(map(_in_words, files, reports)))
    if any("error" in report for report in reports):
        raise SystemExit(1)


def _report(file: Path, *, values: bool) -> dict[str, Any]:
    report: dict[str, Any] = {"file": click.format_filename(file)}
    try:
        data = read(file)
        report["bytes"] = len(data)
        known = images.sniff(data)
        report["format"] = str(known) if known else None
        examination = images.examine(data)
    except (FileError, images.ImageError) as error:
        return {**report, "error": str(error)}
    except MemoryError:
        return {**report, "error": TOO_LARGE}
    report |= {
        "width": examination.width,
        "height": examination.height,
        "orientation": examination.orientation,
        "remarks": list(examination.remarks),
        "findings": [
            {"kind": str(finding.kind), "place": finding.place} for finding in examination.findings
        ],
    }
    if values:
        report["values"] = [
            {
                "kind": str(detail.kind),
                "place": detail.place,
                "label": detail.label,
                "value": detail.value,
            }
            for detail in images.reveal(data, examination.findings)
        ]
    return report


def _in_words(file: Path, report: dict[str, Any]) -> str:
    if "error" in report:
        return f"{shown(file)}\n  cannot be read as a picture: {report['error']}"
    lines = [f"{shown(file)}\n  {_headline(report)}"]
    findings = report["findings"]
    if findings:
        lines += ["", _row("what it tells", "where that stands"), f"  {'-' * (_LEFT + _RIGHT)}"]
    else:
        lines.append("  It tells nothing but what is seen.")
    for kind in dict.fromkeys(finding["kind"] for finding in findings):
        places = _collected(finding["place"] for finding in findings if finding["kind"] == kind)
        told = dict.fromkeys(
            f"{value['label']}: {value['value']}"
            for value in report.get("values", ())
            if value["kind"] == kind
        )
        lines.append(_row(words.kind(kind), ", ".join(places), *told))
    lines += [f"  Note: {remark}" for remark in report["remarks"]]
    if findings and "values" not in report:
        lines += ["", "  --values shows what is told; safelight strip takes it out."]
    return "\n".join(lines)


def _collected(places: Iterable[str]) -> list[str]:
    """Places without repetition; for files inside a document, how many of them have one."""
    own: dict[str, None] = {}
    inside: dict[str, set[str]] = {}
    for place in places:
        match = _INSIDE.match(place)
        if match is None:
            own[place] = None
        else:
            inside.setdefault(_INSIDE.sub("", place), set()).add(match[1])
    return [*own, *(f"{place} ({words.files(len(n))} inside)" for place, n in inside.items())]


def _row(left: str, *right: str) -> str:
    """One row of two columns; what does not fit goes on below."""
    beside = [line for text in right for line in textwrap.wrap(text, _RIGHT)]
    rows = zip_longest(textwrap.wrap(left, _LEFT), beside, fillvalue="")
    return "\n".join(f"  {one:<{_LEFT}}  {two}".rstrip() for one, two in rows)


def _headline(report: dict[str, Any]) -> str:
    parts = [str(report["format"]).upper()]
    if report["width"] and report["height"]:
        parts.append(f"{report['width']} x {report['height']} pixels")
    return ", ".join([*parts, words.size(report["bytes"])])
