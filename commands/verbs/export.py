"""``export``: rows and entries for programs downstream, in files that are whole or not there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import click

from commands.outside import utc_now
from commands.recording.leaving_out import LeftOut
from commands.terminal.handing_out import giving
from commands.terminal.options import Setup, known_at_option
from commands.terminal.output import Output, out_option
from commands.terminal.progress import progress
from commands.terminal.pseudonym_key import pseudonyms_of
from commands.terminal.show import printable, say
from commands.verbs.export_asked import Asked, check_asked
from commands.verbs.read import derived, is_built
from commands.verbs.since import Since, begun_from, check_since, claimed_kept_at, say_taken_up, since_option
from commands.writing.adopt import adopt
from ledger.store import EpisodeLedger
from projections.audit.claimed import nothing_kept
from projections.audit.kept_claimed import cells_kept_in
from projections.changes.of_dataset import changes_of, inserted
from projections.changes.stretch import stretch_of
from projections.export.columns import Dataset
from projections.export.deidentify import Pseudonyms, deidentified, kept_columns
from projections.export.judged import (
    CLAIMED,
    JUDGED,
    PROVIDERS,
    RATES,
    AsOf,
    judged_rows,
    provider_rows,
    rate_rows,
)
from projections.export.manifest import MANIFEST, ExportManifest, Origin, read_manifest, recorded_until
from projections.export.place import NotOurs, Place
from projections.export.rows import rows_by_month, rows_by_patient, sorted_by_month
from projections.export.shapes import CHANGES_OF, DATASETS
from projections.export.write import CLOUDEVENTS, EVENTS, Made, write_event_export, write_export
from projections.read_model.trouble import NotNow, SetAside
from projections.read_model.version import code_version
from projections.read_model.views import Views
from projections.reading.budget import TooCostly
from projections.rows.cells import Cells
from projections.rows.several_days import for_itself, in_days, moved_in
from projections.words import utc_text

READ_MODEL: Final = ("days", "lines", "findings")
"""The datasets whose rows stand in the read model."""


@click.command()
@click.argument("dataset", type=click.Choice([*DATASETS, EVENTS]))
@click.option(
    "--format", "form", type=click.Choice(["parquet", "csv", "jsonl", CLOUDEVENTS]), required=True,
    help="How to write. Parquet needs the extra 'parquet'; cloudevents is for events.",
)  # fmt: skip
@out_option("DIR", "Where the export is to stand, as DIR/DATASET.", required=True, folder=True)
@since_option
@known_at_option
@click.option("--deidentified", is_flag=True, help="Pseudonyms, shifted dates, nothing that names a patient.")
@click.option(
    "--key", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="The key of the pseudonyms; made if it is not there. Default: a file in your own configuration folder.",
)  # fmt: skip
@click.pass_obj
def export(
    setup: Setup, /, dataset: str, form: str, out: Output, since: int | None, seal: str | None,
    code_version: str | None, known_at: datetime | None,
    deidentified: bool, key: Path | None,
) -> None:  # fmt: skip
    """Write days, lines, findings, claimed days, what changed of them, claims, payments, remittances, episodes,
    authorizations, providers, rates or events into files, for programs downstream.

    DIR/DATASET holds files by service month, and manifest.json: the position they stand for, sums, and the SHA-256 of
    each file. It appears as a whole: a reader finds the export before or this one, and a killed export changes nothing.
    'changes' are the days that are not what they were at --since, 'line_changes', 'finding_changes', 'claimed_changes'
    and 'payment_changes' the lines, findings, claimed days and payments; 'claimed' is what 'diff --claimed --every'
    shows of everybody; 'claims' where each claim stands, 'payments' what each claimed day was paid, 'remittances' what
    payers answered, with their lines and adjustments in 'remittance_lines' and 'remittance_adjustments'; 'providers'
    and 'rates' are those of the book. 'episode-ledger help feed' describes every column.

    \b
    Examples:
      episode-ledger export days --format parquet --out feed
      episode-ledger export changes --since 8 --format jsonl --out feed
      episode-ledger export claimed --format parquet --out feed --known-at 2026-11-01T00:00Z
      episode-ledger export claimed_changes --since 8 --format parquet --out feed
      episode-ledger export payments --format parquet --out feed
      episode-ledger export events --format cloudevents --out feed
      episode-ledger export lines --format csv --out research --deidentified
    """
    asked = Asked(dataset, form, out.path, since, known_at, deidentified, key)
    check_asked(asked)
    place = Place(out.path, dataset)
    out.refuse_around(place.would_remove)
    listed = None if dataset in (PROVIDERS, RATES) else place.link  # what the book says is nobody's
    with setup.open() as ledger, giving(setup, ledger, f"export {dataset}", listed) as notes:
        check_since(ledger, Since(since, seal, code_version))
        pseudonyms = pseudonyms_of(key, setup, out.path) if deidentified else None
        try:
            with place.publishing(partial(_check_alike, asked)) as folder:
                notes.begun()
                manifest = _export(setup, ledger, asked, pseudonyms, folder)
                notes.whole(folder / MANIFEST)
        except NotOurs as error:
            raise click.UsageError(str(error)) from None
    click.echo(f"{manifest.rows:,} rows of {dataset} at position {manifest.position:,} in {place.link}")


def _check_alike(asked: Asked, standing: Path) -> None:
    """An export replaces one of its own kind only: nobody finds names where there were none, or another format."""
    made = read_manifest(standing)
    if made and (made.format, made.deidentified) != (asked.form, asked.deidentified):
        kind = "a de-identified export" if made.deidentified else "an export"
        raise NotOurs(f"{asked.out / asked.dataset} holds {kind} as {made.format}; name another folder with --out")


def _export(
    setup: Setup, ledger: EpisodeLedger, asked: Asked, pseudonyms: Pseudonyms | None, folder: Path
) -> ExportManifest:
    if asked.dataset == EVENTS:
        return _export_events(ledger, asked, folder)
    if asked.dataset in CHANGES_OF:
        left_out = LeftOut()
        while True:
            try:
                return _export_changes(setup, ledger, asked, left_out, pseudonyms, folder)
            except TooCostly as error:  # seen when they were judged: nothing is written yet
                left_out.without(ledger, error)
    head = adopt(ledger, setup.book, utc_now(), say_taken_up) if asked.known_at is None else ledger.position()
    if asked.dataset in (PROVIDERS, RATES):
        rows = rate_rows(setup.book, asked.known_at) if asked.dataset == RATES else provider_rows(setup.book)
        made = Made(_origin(ledger, asked, head, setup.book.hash), asked.deidentified, ())
        return _write(DATASETS[asked.dataset], rows, asked, pseudonyms, made, folder)
    if asked.dataset in JUDGED:
        return _export_judged(setup, ledger, asked, pseudonyms, folder)
    return _export_views(setup, ledger, asked, pseudonyms, folder)


def _export_events(ledger: EpisodeLedger, asked: Asked, folder: Path) -> ExportManifest:
    made = Made(_origin(ledger, asked, head := ledger.position(), None), False, ())
    return write_event_export(folder, ledger.id, ledger.follow(asked.since or 0, head), asked.form, made)


def _export_changes(
    setup: Setup,
    ledger: EpisodeLedger,
    asked: Asked,
    left_out: LeftOut,
    pseudonyms: Pseudonyms | None,
    folder: Path,
) -> ExportManifest:
    head = left_out.settled(ledger, setup.book, asked.since or 0, say_taken_up)
    stretch = stretch_of(ledger, asked.since or 0, head)
    made = Made(_origin(ledger, asked, head, stretch.last_book.hash), asked.deidentified, stretch.left_out)
    dataset, of = DATASETS[asked.dataset], CHANGES_OF[asked.dataset]
    if not asked.since and pseudonyms is None and of in READ_MODEL and is_built(setup, ledger):
        with derived(setup) as views:
            is_alike = views.set_aside().keys() == stretch.left_out.keys()
            if is_alike and views.stand_at(head, stretch.last_book.hash):  # then every row stands there, in order
                rows = inserted(rows_by_month(views, DATASETS[of]), of, stretch)
                return write_export(folder, dataset, dataset.columns, asked.form, rows, made)
    with claimed_kept_at(setup, of, stretch) as kept, progress("Looking for changes", "patients") as tell:
        rows = changes_of(ledger, of, stretch.since, head, tell, kept)
        return _write(dataset, rows, asked, pseudonyms, made, folder)


def _export_views(
    setup: Setup, ledger: EpisodeLedger, asked: Asked, pseudonyms: Pseudonyms | None, folder: Path
) -> ExportManifest:
    dataset = DATASETS[asked.dataset]
    with begun_from(setup, ledger) if asked.known_at is None else derived(setup, asked.known_at) as views:
        made = Made(_origin_of(ledger, asked, views), asked.deidentified, views.set_aside())
        if pseudonyms is None:
            return write_export(folder, dataset, dataset.columns, asked.form, rows_by_month(views, dataset), made)
        return _write(dataset, rows_by_patient(views, dataset), asked, pseudonyms, made, folder)


def _export_judged(
    setup: Setup, ledger: EpisodeLedger, asked: Asked, pseudonyms: Pseudonyms | None, folder: Path
) -> ExportManifest:
    """What is judged for this export; the read model says up to where, and who is set aside."""
    keeps = asked.dataset == CLAIMED and asked.known_at is None
    read = begun_from(setup, ledger, "every") if keeps else derived(setup, claims="none")
    with read as views, progress("Judging", "patients") as tell:
        origin, aside = _origin_of(ledger, asked, views), views.set_aside()
        names = set(aside)

        def leave_out(one: SetAside) -> None:
            names.add(one.patient)
            say(printable(f"Patient {one.patient} is not exported: {one.because}."))

        kept = cells_kept_in(views) if keeps else nothing_kept
        as_of = AsOf(ledger, origin.position, setup.book, asked.known_at, kept)
        rows = judged_rows(asked.dataset, as_of, aside, leave_out, tell)
        made = Made(origin, asked.deidentified, names)
        return _write(DATASETS[asked.dataset], rows, asked, pseudonyms, made, folder)


def _write(
    dataset: Dataset, rows: Iterable[Cells], asked: Asked, pseudonyms: Pseudonyms | None, made: Made, folder: Path
) -> ExportManifest:
    """Rows given patient by patient, written month by month."""
    columns = dataset.columns if pseudonyms is None else kept_columns(dataset)
    told = rows
    if pseudonyms is not None and (moved := moved_in(dataset.name, dataset.columns)):
        told = map(for_itself, deidentified(in_days(rows, moved), dataset, pseudonyms))
    elif pseudonyms is not None:
        told = deidentified(rows, dataset, pseudonyms)
    return write_export(folder, dataset, columns, asked.form, sorted_by_month(told, dataset, columns), made)


def _origin_of(ledger: EpisodeLedger, asked: Asked, views: Views) -> Origin:
    """What a read model that is held still stands for."""
    noted = views.noted()
    position = int(noted["position"])
    if asked.known_at is None and stretch_of(ledger, position, position).last_book.hash != noted["book"]:
        raise NotNow("another book was taken up while this was asked; run the command again")
    return _origin(ledger, asked, position, noted["book"])


def _origin(ledger: EpisodeLedger, asked: Asked, position: int, book_hash: str | None) -> Origin:
    since = (asked.since or 0) if asked.dataset in (*CHANGES_OF, EVENTS) else None
    known_at = utc_text(asked.known_at) if asked.known_at else None
    return Origin(
        ledger.id, position, ledger.seal_at(position), recorded_until(ledger, position), since, known_at, book_hash,
        code_version(),
    )  # fmt: skip
