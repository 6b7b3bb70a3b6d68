"""A spreadsheet imported at the site: by a ready mapping or one's own, looked at first, and then recorded."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from msgspec.structs import replace

from commands.desk.act import NOTHING, Desk, Done, Download, Part, Preview, Stopped, clock_stops, new_identity
from commands.desk.effects import Effect, effect_of
from commands.desk.fields import Control, Texts
from commands.desk.sheet_run import LINES_SHOWN, Ran, Refuse, SheetsWanted, episodes_of, run_sheets, said_only
from commands.desk.sheets_told import told_of
from commands.desk.uploads import Uploads
from commands.recording.effect import MOST_PATIENTS, rehearsing
from commands.recording.holding import opened_to_record
from commands.sheets.bounds import MappingError, SheetTrouble
from commands.sheets.mapping import READY, MappingOf, NamedMapping, load_mapping
from commands.sheets.matching import Matched, Read, matched
from commands.terminal.refused_rows import RefusedRows
from commands.writing.importing import TooManyProposals
from ledger.store import EpisodeLedger
from projections.effects.effect import State, changes_between
from projections.read_model.passing import passing_folder
from projections.words import counted, written_date

OWN: Final = "a mapping of your own"
LEAVE, RECORD = "leave them", "record them"
SOME, ALL = "some of what there is", "all there is"
REFUSED: Final = "refused "
"""What a form's button asks to download the refused rows of a sheet, its number after it."""
_ODD: Final = re.compile(r"[^\w .-]")


class RefusedSheet(NamedTuple):
    """A CSV of refused rows: its name, what is in it, and the patients of whose episodes they are."""

    name: str
    content: bytes
    patients: frozenset[str]


class ImportSheet:
    """One file."""

    title = "Import a spreadsheet"
    about = (
        "What rows tell is recorded by a mapping of their columns. A row that is there already is passed over, so that"
        " the same file can be sent again."
    )

    def __init__(self, desk: Desk, uploads: Uploads, session: str, barred: Collection[str] = ()) -> None:
        """``barred`` are facts that whoever imports may not record, whatever a mapping of theirs makes."""
        self.desk, self._uploads, self._session, self._barred = desk, uploads, session, barred

    def hidden(self) -> dict[str, str]:
        """The identity; rows have those that the mapping makes."""
        return {"id": new_identity()}

    def begin(self) -> dict[str, str]:
        """An empty form."""
        return {"mapping": READY[0], "otherwise": LEAVE, "holds": SOME}

    def errors(self, told: Texts) -> Mapping[str, str]:
        """A file, and a mapping."""
        found = dict[str, str]()
        if self._uploads.of(self._session, told.get("file", "")) is None:
            found["file"] = "Choose the file: CSV, TSV or XLSX, of at most 20 MB."
        if told.get("mapping") == OWN and self._uploads.of(self._session, told.get("own", "")) is None:
            found["own"] = "Choose the file of your mapping (TOML)."
        if told.get("mapping") not in (*READY, OWN):
            found["mapping"] = "Choose a mapping."
        return found | _faults_of_span(told)

    def controls(self, told: Texts, errors: Mapping[str, str]) -> list[Control]:
        """The file, its mapping, and what becomes of rows that tell otherwise than before."""
        kept = self._uploads.of(self._session, told.get("file", ""))
        own = self._uploads.of(self._session, told.get("own", ""))
        return [
            Control("file", "File", "CSV, TSV or XLSX, of at most 20 MB", "file", True, kept.name if kept else "",
                    errors.get("file")),
            Control("mapping", "Mapping", "Which columns make which facts", "choice", True, told.get("mapping", ""),
                    errors.get("mapping"), choices=(*READY, OWN)),
            Control("own", "Mapping of your own", "A TOML file, as 'import --new-map' makes it", "file", False,
                    own.name if own else "", errors.get("own")),
            Control("holds", "How complete", "From all there is, what is gone is proposed to be retracted", "choice",
                    True, told.get("holds", SOME), errors.get("holds"), choices=(SOME, ALL)),
            Control("first", "Complete from", "Without dates: from the first to the last of its rows", "date",
                    False, told.get("first", ""), errors.get("first")),
            Control("last", "Complete to", "", "date", False, told.get("last", ""), errors.get("last")),
            Control("otherwise", "Corrections and retractions", "Where rows tell otherwise than before, or are gone",
                    "choice", True, told.get("otherwise", LEAVE), None, choices=(LEAVE, RECORD)),
        ]  # fmt: skip

    def preview(self, told: Texts) -> Preview:
        """What would be recorded of the file, row by row in a rehearsal."""
        shown = [(each.label, each.value) for each in self.controls(told, {}) if each.value]
        with self._sheets(told) as sheets, rehearsing(self.desk.setup) as rehearsal:
            ran = self._run(rehearsal, sheets, told)
            states = State(rehearsal.real, rehearsal.began), State(rehearsal)
            effect = self._effect(*states, rehearsal.touched())
            patients = rehearsal.touched() | _proposed_for(rehearsal, ran) | effect.patients
        lines = [*told_of(ran, "would be recorded"), *effect.parts]
        return Preview(shown, [], lines, frozenset(patients), _downloads(ran))

    def do(self, told: Texts) -> Done:
        """Record it."""
        with self._sheets(told) as sheets, opened_to_record(self.desk.setup, create=False) as ledger:
            began = ledger.position()
            ran = self._run(ledger, sheets, told)
            upto = ledger.position()
            touched = ledger.patients_since(began, upto) if upto > began else set[str]()
            effect = self._effect(State(ledger, began), State(ledger, upto), touched)
            patients = touched | _proposed_for(ledger, ran) | effect.patients
        new = ran.counts["recorded"] + ran.corrected
        sentence = f"{counted(new, 'fact')} recorded." if new else NOTHING
        return Done(sentence, [*told_of(ran, "recorded"), *effect.parts], frozenset(patients), _downloads(ran))

    def refused_rows(self, told: Texts) -> RefusedSheet:
        """The refused rows of the sheet that a button names, as ``import --refused`` writes them; Stopped if there are
        none."""
        if self.errors(told):
            raise Stopped("The form is not whole.", "Open it again.")
        wanted, episodes = told.get("step", "").removeprefix(REFUSED), set[str]()
        with (
            self._sheets(told) as sheets, rehearsing(self.desk.setup) as rehearsal,
            passing_folder(self.desk.setup.places, "refused") as folder,
        ):  # fmt: skip
            with RefusedRows(folder, sheets, replace=True) as rows:

                def refused(read: Read, message: str) -> None:
                    if read.sheet.name == wanted:
                        rows.add(read, message)
                        episodes.update(episodes_of(read))

                self._run(rehearsal, sheets, told, refused)
            if not rows.paths:
                raise Stopped("No row of that sheet is refused any more.")
            (path,) = rows.paths
            patients = {patient for episode in episodes for patient in rehearsal.real.patients_of(episode)}
            return RefusedSheet(f"refused-{path.name}", path.read_bytes(), frozenset(patients))

    def _run(self, ledger: EpisodeLedger, sheets: Matched, told: Texts, refused: Refuse = said_only) -> Ran:
        span = (_date(told.get("first", "")), _date(told.get("last", ""))) if told.get("holds") == ALL else None
        wanted = SheetsWanted(self.desk.by, told.get("otherwise") == RECORD, span, frozenset(self._barred))
        with clock_stops():
            return run_sheets(ledger, sheets, wanted, refused)

    def _effect(self, before: State, after: State, touched: set[str]) -> Effect:
        if len(touched) > MOST_PATIENTS:
            return Effect([Part(f"What changes is not shown for {len(touched):,} patients.")], frozenset())
        return effect_of(changes_between(before, after, touched, self.desk.book), self.desk.book)

    @contextmanager
    def _sheets(self, told: Texts) -> Iterator[Matched]:
        """The file as rows; it is on disk while it is read alone, beside the read model, for its owner."""
        try:
            with passing_folder(self.desk.setup.places, "import") as folder:
                path = self._written(folder, told.get("file", ""))
                mapping = self._mapping(folder, told)
                yield matched([path], [mapping])
        except (MappingError, SheetTrouble) as trouble:
            raise Stopped(*str(trouble).splitlines()) from None
        except TooManyProposals:
            raise Stopped("More than 100,000 rows tell otherwise than before.", "Is it the right file?") from None

    def _mapping(self, folder: Path, told: Texts) -> NamedMapping:
        is_own = told.get("mapping") == OWN
        mapping = load_mapping(str(self._written(folder, told.get("own", ""), ".toml")) if is_own else told["mapping"])
        if any(fact.type in self._barred for sheet in mapping.says.sheets for fact in sheet.facts):
            raise Stopped("The mapping makes facts that you may not record: it voids episodes.")
        return mapping._replace(says=_unsigned(mapping.says))

    def _written(self, folder: Path, name: str, ending: str = "") -> Path:
        upload = self._uploads.of(self._session, name)
        if upload is None:
            raise Stopped("The file is not kept any more.", "Choose it again.")
        last = _ODD.sub("_", upload.name.rpartition("/")[2].rpartition("\\")[2])
        plain = last.encode()[-100:].decode(errors="ignore").lstrip(".") or "file"
        path = folder / (plain if plain.endswith(ending) else plain + ending)
        path.write_bytes(upload.content)
        return path


def _proposed_for(ledger: EpisodeLedger, ran: Ran) -> set[str]:
    """The patients of what is told otherwise than before, as far as it is shown."""
    episodes = {each.proposal.identity.episode for each in ran.proposed[:LINES_SHOWN]}
    return {patient for episode in episodes for patient in ledger.patients_of(episode)}


def _unsigned(says: MappingOf) -> MappingOf:
    """A mapping that does not say who records: at the site that is who is signed in."""
    sheets = tuple(replace(sheet, facts=tuple(replace(fact, by=None) for fact in sheet.facts)) for sheet in says.sheets)
    return replace(says, by=None, sheets=sheets)


def _downloads(ran: Ran) -> tuple[Download, ...]:
    several = len(ran.refused_rows) > 1
    return tuple(
        Download(f"{REFUSED}{name}", f"Download {counted(count, 'refused row')}{f' of {name}' * several} as CSV")
        for name, count in ran.refused_rows.items()
    )


def _date(text: str) -> date | None:
    """A date as a form has it; None for none. ValueError for anything else."""
    text = text.strip()
    found = written_date(text)
    if text and found is None:
        raise ValueError
    return found


def _faults_of_span(told: Texts) -> dict[str, str]:
    found = dict[str, str]()
    if told.get("holds") not in (SOME, ALL):
        found["holds"] = "Choose what the file holds."
    for name in ("first", "last"):
        try:
            if _date(told.get(name, "")) and told.get("holds") != ALL:
                found[name] = f"Dates go with “{ALL}”."
        except ValueError:
            found[name] = "Enter a date as YYYY-MM-DD, such as 2026-10-31."
    if not found and told.get("first", "") > told.get("last", "") > "":
        found["last"] = "That lies before the other date: no date is between them."
    return found
