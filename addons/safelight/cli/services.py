"""safelight services: what is known about the AI services, and checks of files about them."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safelight import documents, paths
from safelight.cli import catalogue
from safelight.documents import DocumentError
from safelight.services import Service

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safelight.services.model import Fact

_WIDTH = 98
_UNKNOWN = "not verified"
_ENCODINGS = {
    "multipart_file": "as a file in a form",
    "multipart_pieces": "in pieces, each as a file in a form",
    "multipart_base64": "as text in a form",
    "graphql_multipart": "as a file in a GraphQL form",
    "s3_post_form": "as a file in a form, to storage",
    "raw_body_api": "as the whole request",
    "raw_put_presigned": "as the whole request, to storage",
    "raw_put_ranges": "as the whole request, in ranges",
    "imagex_crc": "as the whole request, with a checksum",
    "rupload_raw": "as the whole request",
    "fragment_upload": "in fragments",
    "google_resumable": "in resumable pieces",
    "json_base64": "as text in JSON",
    "json_data_url": "as text in JSON",
    "text_plain_json_base64": "as text in JSON",
    "protobuf_body": "in a binary message",
    "grpc": "in a binary message",
    "json_or_grpc": "as text in JSON, or in a binary message",
    "websocket_json": "as text in WebSocket messages",
    "websocket_binary": "in WebSocket messages",
}


@click.group()
def services() -> None:
    """Look up AI services: hosts, uploads, and what they say about your data.

    Files of your own in the folder `services` of your configuration folder are read as well.
    """


@services.command("list")
def list_() -> None:
    """List every known service, with what to call it in a policy."""
    known = catalogue.load().services
    width = max(map(len, known))
    for service in known.values():
        roads = ", ".join(dict.fromkeys(_roads(service))) or "it is not known how pictures travel"
        click.echo(f"{service.id:<{width}}  {service.category:<9}  {service.name}: {roads}")


@services.command()
@click.argument("name", metavar="NAME")
def show(name: str) -> None:
    """Show one service: its hosts, how pictures travel, and its privacy card.

    NAME is what `services list` begins its line with, or what the service is called.
    """
    known = catalogue.load().services
    called = {service.name.casefold(): id_ for id_, service in known.items()}
    service_id = name if name in known else called.get(name.casefold(), name)
    if service_id not in known:
        hint = documents.did_you_mean(name, known).rstrip("?.")
        raise click.ClickException(f"There is no service `{name}`{hint}{'?' if hint else '.'}")
    click.echo("\n".join(_card(known[service_id])))


@services.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check service FILES, also whole folders of them, or all that `safelight run` reads.

    Every mistake is shown with its file, line and column. Exit code 1 if there are any.
    """
    if not files:
        click.echo(f"ok, {len(catalogue.load().services)} services")
        return
    failed = False
    for file in _inside(files):
        try:
            document = documents.read_file(file, Service)
        except DocumentError as error:
            click.echo(str(error), err=True)
            failed = True
            continue
        service = document.value
        if service.id == file.stem:
            click.echo(f"{file}: ok, {service.name}")
            continue
        message = f"the file of `{service.id}` must be called {service.id}.yaml"
        click.echo(str(document.problem(("id",), message)), err=True)
        failed = True
    if failed:
        raise SystemExit(1)


def _inside(files: Iterable[Path]) -> Iterator[Path]:
    for file in files:
        yield from sorted(file.glob("*.yaml")) if file.is_dir() else [file]


def _roads(service: Service) -> Iterator[str]:
    for road in service.roads:
        if road.role.carries_bytes and road.encoding in _ENCODINGS:
            yield _ENCODINGS[road.encoding]


def _card(service: Service) -> Iterator[str]:
    yield f"{service.name} ({service.id}), {service.category}; as of {service.as_of}"
    yield ""
    yield "Hosts that are opened"
    for host in service.hosts:
        port = f":{host.port}" if host.port else ""
        only = " (only some of its addresses)" if host.paths else ""
        yield f"  {host.host}{port}{only}"
    yield ""
    yield "How pictures travel"
    for road in service.roads:
        if road.role.carries_bytes:
            how = _ENCODINGS.get(road.encoding, "in a way that is not known")
            size = "; its size is promised before, so it stays" if road.size_declared else ""
            yield f"  {' '.join(road.methods)} {road.path}"
            yield f"    {how}{size} (confidence: {road.confidence})"
    yield ""
    yield "Where a request says its workspace, for policies"
    for sign in service.workspace:
        where = f"the header {sign.header}" if sign.header else sign.path or sign.host
        yield f"  {where} (as of {sign.as_of}; confidence: {sign.confidence})"
    if not service.workspace:
        yield "  nowhere that is known"
    yield ""
    yield from _privacy(service)
    yield ""
    name = f"{service.id}.yaml"
    own = paths.own_services() / name
    yield f"{own if own.exists() else paths.catalogue() / name} has the sources of every line."


def _dated(fact: Fact) -> str:
    return fact.as_of if fact.as_of == _UNKNOWN else f"as of {fact.as_of}"


def _privacy(service: Service) -> Iterator[str]:
    card = service.privacy
    yield "What it says about your data"
    if card is None:
        yield f"  {_UNKNOWN}"
        return
    facts = {
        "trains on uploads": card.training_default,
        "turn that off": card.opt_out,
        "ask for your data": card.export,
        "delete": card.delete,
        "keeps": card.retention,
    }
    for label, fact in facts.items():
        told = f"{fact.says} ({_dated(fact)})" if fact else _UNKNOWN
        lines = textwrap.wrap(told, _WIDTH - 22, break_long_words=False)
        yield f"  {label + ':':<19} {lines[0]}"
        yield from (f"{'':<22}{line}" for line in lines[1:])
    yield f"  {'confidence:':<19} {card.confidence}"
    for number, source in enumerate(card.source):
        yield f"  {'' if number else 'source:':<19} {source}"
