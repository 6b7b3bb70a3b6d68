"""``judge``: an archive judged bucket by bucket, on this machine or on many."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.terminal.engine import processes_for
from commands.terminal.handing_out import giving
from commands.terminal.options import Setup, format_option, known_at_option
from commands.terminal.output import OutputUri
from commands.terminal.progress import progress
from commands.terminal.show import printable, say, show_rows
from commands.verbs.archive import archiving
from commands.verbs.what_if import changed_book, other_book
from ledger.recorders.by_name.as_stored import as_stored
from projections.words import utc_text

if TYPE_CHECKING:
    from ledger.book import Book
    from projections.distributed.against import Side
    from projections.distributed.run import Judged, Wanted
    from projections.distributed.task import Engine


@click.command()
@click.option("--archive", "uri", required=True, metavar="URI", help="The archive, as 'archive --out' made it.")
@click.option(
    "--out", type=OutputUri(), required=True, help="Where the rows are to stand: a folder, or any fsspec URI."
)
@click.option(
    "--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True,
    help="Who works: processes of this machine, or a Spark cluster (the extra 'spark', Java 17).",
)  # fmt: skip
@click.option("--master", metavar="URL", help="The Spark cluster; without it, what spark-submit was told.")
@click.option("--processes", type=click.IntRange(1, 256), help="Of --engine local. Default: one for each core.")
@click.option(
    "--set", "changes", multiple=True, metavar="PAYER.KEY=VALUE",
    help="By the book with one term changed, as 'what-if' takes it. Can be given several times.",
)  # fmt: skip
@click.option(
    "--out-b", type=OutputUri(), metavar="URI",
    help="Judge by both books in one pass: by the plain one into --out, by the one with --set, or --book-b, into here.",
)  # fmt: skip
@click.option("--book-b", metavar="DIR", help="The other book of --out-b: a folder with payers/ and providers/.")
@known_at_option
@click.option("--position", type=click.IntRange(0), help="Up to that position, not to the archive's end.")
@click.option("--quarantine", is_flag=True, help="Set a patient aside whose entries cannot be read, and go on.")
@click.option(
    "--against", metavar="FILE-or-URI", help="Compare with a read model's file, or another result; 1 if they differ."
)
@format_option
@click.pass_obj
def judge(
    setup: Setup, /, uri: str, out: str, engine: str, master: str | None, processes: int | None,
    changes: tuple[str, ...], out_b: str | None, book_b: str | None, known_at: datetime | None, position: int | None,
    quarantine: bool, against: str | None, form: str | None,
) -> None:  # fmt: skip
    """Judge an archive bucket by bucket, and write days, lines, findings and digests as Parquet.

    It comes to the rows that 'rebuild' makes: the fingerprints are the same. Only the files that the newest manifest
    names count; what an interrupted run left is taken away by the next. An encrypted archive is judged with its ledger
    and master key at hand, which workers read from the same path. With --out-b the archive is read once for two books,
    and it is said how many patients differ between them.

    \b
    Examples:
      episode-ledger judge --archive archive --out judged
      episode-ledger judge --archive archive --out judged --against ledger.views.db
      episode-ledger judge --archive archive --out tried --set prairie-blue.auth_required=false
      episode-ledger judge --archive archive --out judged --out-b tried --book-b book-2027
      episode-ledger judge --archive s3://bucket/ledger --out s3://bucket/judged --engine spark
    """
    if master and engine != "spark":
        raise click.UsageError("--master is for --engine spark")
    with archiving():
        from projections.distributed.against import side_of
        from projections.distributed.run import Wanted

        books = _books(setup.book, out, changes, out_b, book_b)
        wanted = Wanted(setup.book, utc_text(known_at) if known_at else None, position, quarantine)
        before = side_of(against) if against else None
        found = _judged(setup, uri, books, wanted, _engine(engine, master, processes, uri))
        for place, made in zip(books, found, strict=True):
            _say(made, place)
        if out_b:
            _compare(side_of(out), out_b, form)
        if before and _compare(before, out, form) != "equal":
            sys.exit(1)


def _books(book: Book, out: str, changes: tuple[str, ...], out_b: str | None, folder_b: str | None) -> dict[str, Book]:
    """By which books is judged, each by where its rows go."""
    if out_b is None:
        if folder_b:
            raise click.UsageError("--book-b is for --out-b; 'episode-ledger --book DIR judge' judges by another book")
        return {out: changed_book(book, changes) if changes else book}
    if out_b == out:
        raise click.UsageError("--out and --out-b name one place; the rows by each book need their own")
    return {out: book, out_b: other_book(book, folder_b, changes)}


def _engine(engine: str, master: str | None, processes: int | None, uri: str) -> Engine:
    if engine == "spark":
        try:
            from projections.distributed.spark import spark_engine
        except ImportError:
            raise click.UsageError("--engine spark needs pyspark: pip install 'episode-ledger[spark]'") from None
        return spark_engine(master)
    from projections.archive.folder import folder_at
    from projections.archive.manifest import archive_in
    from projections.distributed.local import local_engine

    found = archive_in(folder_at(uri))
    return local_engine(processes or processes_for(found.manifest.entries if found else 0))


def _judged(setup: Setup, uri: str, books: dict[str, Book], wanted: Wanted, engine: Engine) -> list[Judged]:
    from projections.archive.folder import folder_at
    from projections.archive.manifest import archive_in
    from projections.distributed.run import judge_by_several

    found = archive_in(folder_at(uri))
    if not (found and found.manifest.encrypted):
        with progress("Judging", "buckets") as tell:
            return judge_by_several(uri, books, wanted, engine, told=tell)
    return _judged_encrypted(setup, uri, books, wanted, engine)


def _judged_encrypted(setup: Setup, uri: str, books: dict[str, Book], wanted: Wanted, engine: Engine) -> list[Judged]:
    """The same with the ledger's acts and keys; the results are listed, so that forgetting takes them back."""
    from projections.archive.commits import manifest_path
    from projections.archive.folder import folder_at
    from projections.archive.grow import Source
    from projections.distributed.encrypted import from_ledger_for, named_by
    from projections.distributed.run import judge_by_several

    if any("://" in out for out in books):
        raise click.UsageError(
            "what is judged of an encrypted ledger goes into a folder, where 'forget' can take it back: name one with"
            " --out"
        )
    key = click.get_current_context().find_root().params.get("master_key")
    if key is None:
        raise click.UsageError("name the master key's file, which workers read: --master-key FILE")
    with ExitStack() as stack:
        ledger = stack.enter_context(setup.open())
        notes = [stack.enter_context(giving(setup, ledger, "judge", Path(out))) for out in books]
        stored = stack.enter_context(as_stored(setup.ledger_name))
        tell = stack.enter_context(progress("Judging", "buckets"))
        source = Source(ledger, stored, setup.master)
        for note in notes:
            note.begun()
        from_ledger = from_ledger_for(folder_at(uri), source, str(Path(key).resolve()))
        found = judge_by_several(uri, books, wanted, engine, from_ledger, tell)
        for out, made, note in zip(books, found, notes, strict=True):
            note.whole(Path(out) / manifest_path(made.number))
        return [made._replace(manifest=named_by(source, made.manifest)) for made in found]


def _say(made: Judged, out: str) -> None:
    manifest = made.manifest
    rows = ", ".join(f"{manifest.rows.get(table, 0):,} {table}" for table in ("days", "lines", "findings"))
    say(printable(f"{manifest.patients:,} patients at position {manifest.position:,} in {out}: {rows}."))
    for aside in manifest.set_aside:
        say(printable(f"Patient {aside.patient} is set aside: {aside.because}."))
    for table, fingerprint in manifest.fingerprints.items():
        click.echo(f"{table} {fingerprint}")


def _compare(before: Side, out: str, form: str | None) -> str:
    """Say how a result differs; gives in a word whether it does."""
    from projections.distributed.against import ResultCertificate, against, side_of

    made = against(before, side_of(out))
    if form is None:
        why = f" ({', '.join(made.causes)})" if made.causes else ""
        click.echo(f"{made.outcome}: {len(made.changed):,} of {made.patients:,} patients differ{why}")
    else:
        show_rows([made], ResultCertificate, form)
    return made.outcome
