"""``archive``: the ledger's entries as files for engines of many machines."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from commands.terminal.options import Setup
from commands.terminal.output import OutputUri
from commands.terminal.progress import progress
from commands.terminal.show import printable, say
from ledger.recorders.by_name.as_stored import as_stored
from projections.loading import load_pyarrow
from projections.words import counted

NEEDS = "archives need the library pyarrow: pip install 'episode-ledger[archive]'"


@contextmanager
def archiving() -> Iterator[None]:
    """UsageError where the libraries of archives are not installed."""
    try:
        load_pyarrow()  # to say it before anything is done
    except ImportError:
        raise click.UsageError(NEEDS) from None
    yield


@click.command()
@click.option(
    "--out", "uri", type=OutputUri(), required=True, help="Where the archive is: a folder, or any fsspec URI."
)
@click.option(
    "--buckets", type=click.IntRange(1, 65_536), metavar="N",
    help="In how many buckets patients are, one task each; fixed when an archive is made. Default: 64.",
)  # fmt: skip
@click.option("--check", is_flag=True, help="Hold the archive against the ledger, entry by entry; 1 if they differ.")
@click.option("--compact", is_flag=True, help="Write the archive anew with one file a bucket.")
@click.option("--in-the-open", is_flag=True, help="Archive a ledger that is not encrypted, for all who may read there.")
@click.pass_obj
def archive(setup: Setup, /, uri: str, buckets: int | None, check: bool, compact: bool, in_the_open: bool) -> None:
    """Write the ledger's entries as files for engines of many machines.

    The first time everything is written, from then on what is new; a file never changes. A manifest, written last,
    makes the files count; it bears the ledger's seal, and an archive of another ledger, or of this one before it was
    put back, is refused. An encrypted ledger's entries stay encrypted: its keys are not in the archive.

    \b
    Examples:
      episode-ledger archive --out archive --in-the-open
      episode-ledger archive --out archive --check
      episode-ledger archive --out s3://bucket/ledger --buckets 512
    """
    if check and compact:
        raise click.UsageError("--check looks, --compact writes: give one of them")
    with archiving():
        if compact:
            _compact(uri)
        elif check:
            _check(setup, uri)
        else:
            _grow(setup, uri, buckets, in_the_open)


def _grow(setup: Setup, uri: str, buckets: int | None, in_the_open: bool) -> None:
    from projections.archive.folder import folder_at
    from projections.archive.grow import Source, grow

    with setup.open() as ledger, as_stored(setup.ledger_name) as stored, progress("Archiving", "entries") as tell:
        if not (ledger.encrypted or in_the_open):
            raise click.UsageError(
                "this ledger is not encrypted: whoever may read the archive reads every patient. With --in-the-open it"
                " is archived all the same"
            )
        made = grow(folder_at(uri), Source(ledger, stored, setup.master), buckets, tell)
    files = counted(len(made.files), "file")
    click.echo(
        printable(
            f"{made.entries:,} entries up to position {made.position:,} in {uri}: {counted(made.buckets, 'bucket')},"
            f" {files}"
        )
    )


def _check(setup: Setup, uri: str) -> None:
    from projections.archive.check import check
    from projections.archive.folder import folder_at
    from projections.archive.grow import Source

    with setup.open() as ledger, as_stored(setup.ledger_name) as stored, progress("Checking", "files") as tell:
        found = check(folder_at(uri), Source(ledger, stored, setup.master), tell)
    if found.differing:
        for episode in found.differing:
            click.echo(printable(f"Episode {episode} is not in the archive as it is in the ledger."))
        say("Make another archive in another folder; this one is not what it says.")
        sys.exit(1)
    behind = "" if found.manifest.position == ledger_position(setup) else " The ledger has gone on since."
    click.echo(f"The archive is the ledger up to position {found.manifest.position:,}: {found.rows:,} rows.{behind}")


def ledger_position(setup: Setup) -> int:
    """The last position of the ledger."""
    with setup.open() as ledger:
        return ledger.position()


def _compact(uri: str) -> None:
    from projections.archive.compact import compact
    from projections.archive.folder import folder_at

    with progress("Compacting", "buckets") as tell:
        made = compact(folder_at(uri), tell)
    click.echo(printable(f"{uri} has {counted(len(made.files), 'file')} now."))
