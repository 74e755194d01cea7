"""safelight inspect: what a picture says besides itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from safelight import images
from safelight.cli import words


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON array, an object for each file.")
def inspect(files: tuple[Path, ...], *, as_json: bool) -> None:
    """Show what FILES tell besides the picture: places, times, devices, people.

    Nothing leaves this computer. Exit code 1 if any file could not be read as a picture.
    """
    reports = [_report(file) for file in files]
    if as_json:
        click.echo(json.dumps(reports, indent=2, ensure_ascii=False))
    else:
        click.echo("\n\n".join(_in_words(report) for report in reports))
    if any("error" in report for report in reports):
        raise SystemExit(1)


def _report(file: Path) -> dict[str, Any]:
    report: dict[str, Any] = {"file": str(file)}
    if file.exists() and not file.is_file():
        return {**report, "error": "it is not a file"}
    try:
        data = file.read_bytes()
        report["bytes"] = len(data)
        known = images.sniff(data)
        report["format"] = str(known) if known else None
        examination = images.examine(data)
    except OSError as error:
        return {**report, "error": error.strerror or "cannot be read"}
    except images.ImageError as error:
        return {**report, "error": str(error)}
    return {
        **report,
        "width": examination.width,
        "height": examination.height,
        "orientation": examination.orientation,
        "findings": [
            {"kind": str(finding.kind), "place": finding.place} for finding in examination.findings
        ],
        "details": [
            {
                "kind": str(detail.kind),
                "place": detail.place,
                "label": detail.label,
                "value": detail.value,
            }
            for detail in images.reveal(data, examination.findings)
        ],
    }


def _in_words(report: dict[str, Any]) -> str:
    if "error" in report:
        return f"{report['file']}\n  cannot be read as a picture: {report['error']}"
    lines = [f"{report['file']}\n  {_headline(report)}"]
    findings, details = report["findings"], report["details"]
    told = "It tells, besides the picture:" if findings else "It tells nothing but the picture."
    lines.append(f"  {told}")
    for kind in dict.fromkeys(finding["kind"] for finding in findings):
        lines.append(f"    {words.kind(kind)}")
        shown = [f"      {d['label']}: {d['value']}" for d in details if d["kind"] == kind]
        places = [f"      in {f['place']}" for f in findings if f["kind"] == kind]
        lines += shown or places
    return "\n".join(lines)


def _headline(report: dict[str, Any]) -> str:
    pixels = f"{report['width']} x {report['height']}"
    size = words.size(report["bytes"])
    return f"{str(report['format']).upper()}, {pixels} pixels, {size}"
