"""safelight policy check, test, schema and init: what concerns whole files."""

from __future__ import annotations

import re
from pathlib import Path

import click

from safelight import assembly, paths
from safelight.documents import DocumentError
from safelight.in_force import clock
from safelight.policy.load import expired, load_tests
from safelight.policy.rehearse import failures
from safelight.policy.schema import text

_FILES = click.argument("files", nargs=-1, type=click.Path(path_type=Path))
_SCHEMA = "policy.schema.json"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@click.command()
@_FILES
@click.option("--together", is_flag=True, help="As `safelight run` reads several: as one policy.")
def check(files: tuple[Path, ...], *, together: bool) -> None:
    """Check policy FILES, or the home policy that comes with Safelight.

    Every mistake is shown with its file, line and column, also those in their tests. Exit code 1
    if there are any. What passes here is accepted by `safelight run`: both read it in the same
    way.
    """
    catalogue = assembly.load_catalogue()
    services = assembly.about(catalogue)
    failed = False
    files = files or (paths.default_policy(),)
    for some in [files] if together else [(file,) for file in files]:
        try:
            loaded = assembly.load_policy(some, catalogue)
            for file in some:
                load_tests(file, services)
            over = [one for file in some for one in expired(file, clock().date())]
        except DocumentError as error:
            click.echo(str(error), err=True)
            failed = True
        else:
            count = len(loaded.policy.rules)
            rules = "1 rule" if count == 1 else f"{count} rules"
            named = " ".join(map(str, some))
            click.echo(f"{named}: ok, {rules}, revision {loaded.revision}")
            for problem in over:
                click.echo(f"note: {problem}", err=True)
    if failed:
        raise SystemExit(1)


@click.command()
@_FILES
def test(files: tuple[Path, ...]) -> None:
    """Run the tests of policy FILES, or of the home policy that comes with Safelight.

    They stand under `tests` in the file itself, and in NAME_test.yaml beside it. What comes out
    otherwise than expected is shown with file and line. Exit code 1 if anything does.
    """
    catalogue = assembly.load_catalogue()
    services = assembly.about(catalogue)
    failed = False
    for file in files or (paths.default_policy(),):
        try:
            policy = assembly.load_policy([file], catalogue).policy
            tests = load_tests(file, services)
        except DocumentError as error:
            click.echo(str(error), err=True)
            failed = True
            continue
        wrong = 0
        for where, one in tests:
            told = list(failures(one, policy, services))
            wrong += bool(told)
            for message in told:
                click.echo(f"{where}: {one.name}: {message}", err=True)
        failed = failed or wrong > 0
        if tests:
            click.echo(f"{file}: {len(tests) - wrong} of {len(tests)} tests passed")
        else:
            click.echo(f"{file}: no tests; they go into {file.stem}_test.yaml beside it")
    if failed:
        raise SystemExit(1)


@click.command()
def schema() -> None:
    """Print the JSON Schema of policy files, which editors use to help while one writes.

    It is also beside the policies that come with Safelight. An editor finds it by a first line
    such as `# yaml-language-server: $schema=policy.schema.json`.
    """
    click.echo(text(), nl=False)


@click.command()
@click.argument("name")
@click.option(
    "--like",
    type=click.Choice(["home", "family", "corporate"]),
    default="home",
    show_default=True,
    help="The policy to start from.",
)
def init(name: str, like: str) -> None:
    """Write a policy to start from to NAME.yaml in this folder, with comments that explain it.

    Beside it goes the schema that editors use. Files that are there already are left alone.
    """
    if not _NAME.fullmatch(name):
        raise click.UsageError("NAME has lower-case letters, digits and hyphens, such as my-home.")
    template = (paths.policies() / f"{like}.yaml").read_text()
    written = template.replace(f"policies/{like}.yaml", f"{name}.yaml")
    written = written.replace(f"\nname: {like}\n", f"\nname: {name}\n")
    file = Path(f"{name}.yaml")
    try:
        with file.open("x") as new:
            new.write(written)
        if not Path(_SCHEMA).exists():
            Path(_SCHEMA).write_text(text())
    except FileExistsError as error:
        raise click.ClickException(f"{file} is there already; nothing was written.") from error
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from error
    click.echo(f"{file} is yours to change. Check it:  safelight policy check {file}")
    click.echo(f"Use it:  safelight run --policy {file}")
