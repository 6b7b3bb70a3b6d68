"""An archive judged: a task for each bucket, the reports put together, and a manifest that makes the files one result.

Until that manifest stands a result is what it was before, or nothing; what killed or doubled attempts left is named by
nobody, counts for nothing, and is taken away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, Self

from msgspec import Struct
from msgspec.structs import replace

from ledger.book import Book
from ledger.keys.cipher import WrappedKey
from ledger.progress import Progress, silent
from projections.archive.commits import Commit, commit, latest, read_manifest, remove_orphans
from projections.archive.folder import Folder, folder_at
from projections.archive.manifest import ENTRIES, ArchiveManifest, archive_in
from projections.archive.trouble import ArchiveError, WrongArchive
from projections.distributed.task import ByBook, Engine, MadeFile, Report, Task
from projections.read_model.trouble import NotNow, SetAside
from projections.read_model.version import code_version
from projections.reading.budget import budget
from projections.rows.digests import Sums

SCHEMA: Final = 1
FINGERPRINTS: Final = ("days", "lines", "findings")


class Wanted(NamedTuple):
    """What is asked: by which book, as known when, up to which position, and whether patients are set aside."""

    book: Book
    known_at: str | None = None
    upto: int | None = None
    quarantine: bool = False


class ResultManifest(Struct, frozen=True, forbid_unknown_fields=True):
    """What judging an archive came to: from what it was made, the fingerprints, and the files of its rows.

    Only files that are named here count. Equal fingerprints are equal rows, whoever made them, ``rebuild`` included.
    """

    schema: int
    ledger: str
    position: int
    archive_seal: str
    archive_position: int
    code_version: str
    book: str
    book_text: str
    known_at: str | None
    fingerprints: dict[str, str]
    patients: int
    set_aside: tuple[SetAside, ...]
    rows: dict[str, int]
    files: tuple[MadeFile, ...]


class Judged(NamedTuple):
    """A result, its number in its folder, what was taken away, and the most memory that a worker had."""

    manifest: ResultManifest
    number: int
    orphans: list[str]
    memory_mb: int


class FromLedger(NamedTuple):
    """What judging an encrypted archive takes: where workers find the master key, the acts and keys of the ledger."""

    key_file: str
    acts: tuple[tuple[int, str, int, str, str], ...]
    keys: Sequence[Sequence[WrappedKey]]
    """Of each bucket."""


def judge_archive(
    archive: str,
    out: str,
    wanted: Wanted,
    engine: Engine,
    from_ledger: FromLedger | None = None,
    told: Progress = silent,
) -> Judged:
    """Judge an archive; ArchiveError or UnreadableEntry where something is damaged or missing: then nothing changes."""
    (made,) = judge_by_several(archive, {out: wanted.book}, wanted, engine, from_ledger, told)
    return made


def judge_by_several(
    archive: str,
    books: Mapping[str, Book],
    wanted: Wanted,
    engine: Engine,
    from_ledger: FromLedger | None = None,
    told: Progress = silent,
) -> list[Judged]:
    """The same in one pass for several books, each by where its rows are to stand: every entry is read once."""
    from projections.archive.reading import acts_in
    from projections.distributed.bucket import judge_bucket

    folder = folder_at(archive)
    found = archive_in(folder)
    if found is None:
        raise WrongArchive(f"there is no archive in {archive}")
    targets = [_Target.at(out, book) for out, book in books.items()]
    if len({target.folder.uri for target in targets}) < len(targets):
        raise WrongArchive("the rows by each book need a folder of their own")
    acts = from_ledger.acts if from_ledger else tuple(acts_in(folder, found.manifest))
    tasks = tasks_for(folder, targets, found.manifest, acts, wanted, from_ledger)
    reports = []
    for report in engine(judge_bucket, tasks):
        reports.append(report)
        told(len(reports), len(tasks))
    made = [
        put_together(found.manifest, wanted._replace(book=target.book), tasks, reports, place)
        for place, target in enumerate(targets)
    ]
    memory_mb = max(report.memory_mb for report in reports)
    return [target.stand(manifest, memory_mb) for target, manifest in zip(targets, made, strict=True)]


class _Target(NamedTuple):
    """Where the rows by one book are to stand, under which number."""

    folder: Folder
    number: int
    book: Book

    @classmethod
    def at(cls, out: str, book: Book) -> Self:
        folder = folder_at(out)
        before = latest(folder, ResultManifest)
        return cls(folder, before.number + 1 if before else 1, book)

    def stand(self, made: ResultManifest, memory_mb: int) -> Judged:
        commit(self.folder, self.number, made, [file.path for file in made.files])
        orphans = remove_orphans(self.folder, self.number, lambda each: _named(self.folder, each))
        return Judged(made, self.number, orphans, memory_mb)


def tasks_for(
    folder: Folder, targets: Sequence[_Target], archive: ArchiveManifest,
    acts: Sequence[tuple[int, str, int, str, str]], wanted: Wanted, from_ledger: FromLedger | None,
) -> list[Task]:  # fmt: skip
    """A task for each bucket."""
    upto = archive.position if wanted.upto is None else wanted.upto
    if upto > archive.position:
        raise WrongArchive(f"the archive ends at position {archive.position:,}; 'archive' brings it up to the ledger")
    if archive.encrypted and from_ledger is None:
        raise WrongArchive("that archive is encrypted: it is judged with its ledger and the ledger's master key")
    by = tuple(ByBook(target.book.text, target.folder.uri, target.number) for target in targets)
    return [
        Task(
            folder.uri, archive.ledger, bucket, archive.buckets, tuple(archive.of_kind(ENTRIES, bucket)), tuple(acts),
            upto, wanted.known_at, wanted.quarantine, budget(), by,
            from_ledger.key_file if from_ledger else None, tuple(from_ledger.keys[bucket]) if from_ledger else (),
        )
        for bucket in range(archive.buckets)
    ]  # fmt: skip


def put_together(
    archive: ArchiveManifest, wanted: Wanted, tasks: Sequence[Task], reports: Sequence[Report], place: int
) -> ResultManifest:
    """The manifest of the result by one book, which has its place among them; ArchiveError unless there is one report
    of each bucket, all by this code and book."""
    _refuse_others(wanted.book, reports, place)
    counted = Counter(report.bucket for report in reports)
    if counted != Counter(range(archive.buckets)):
        raise ArchiveError("not every bucket was reported once; nothing was changed")
    in_order = [report.made[place] for report in sorted(reports, key=lambda report: report.bucket)]
    sums, rows = Sums(), Counter[str]()
    for made in in_order:
        sums.join(Sums.read(made.sums))
        rows.update({file.table: file.rows for file in made.files})
    return ResultManifest(
        SCHEMA, archive.ledger, tasks[0].upto, archive.seal, archive.position, code_version(), wanted.book.hash,
        wanted.book.text, wanted.known_at, dict(zip(FINGERPRINTS, sums.texts(), strict=True)),
        sum(made.patients for made in in_order),
        tuple(sorted((one for made in in_order for one in made.set_aside), key=lambda one: one.patient)),
        dict(rows), tuple(file for made in in_order for file in made.files if file.rows),
    )  # fmt: skip


def _refuse_others(book: Book, reports: Iterable[Report], place: int) -> None:
    for report in reports:
        if report.code != code_version():
            raise NotNow(
                f"a worker judged by another version ({report.code}) than this program ({code_version()}): install the"
                " same everywhere"
            )
        if report.made[place].book != book.hash:
            raise NotNow("a worker judged by another book than was sent: install the same version everywhere")


def result_in(uri: str) -> Commit[ResultManifest]:
    """The result that stands in a folder; WrongArchive if there is none."""
    found = latest(folder_at(uri), ResultManifest)
    if found is None:
        raise WrongArchive(f"there is no result in {uri}")
    return found


def named_again(manifest: ResultManifest, names: dict[str, str]) -> ResultManifest:
    """The same with the patients set aside under their names."""
    found = (replace(one, patient=names.get(one.patient, one.patient)) for one in manifest.set_aside)
    return replace(manifest, set_aside=tuple(found))


def _named(folder: Folder, number: int) -> list[str]:
    return [file.path for file in read_manifest(folder, number, ResultManifest).files]
