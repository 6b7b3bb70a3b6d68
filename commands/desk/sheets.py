"""A spreadsheet imported at the site: by a ready mapping or one's own, looked at first, and then recorded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from msgspec.structs import replace

from commands.desk.act import Desk, Done, Part, Preview, Stopped, clock_stops, new_identity, parted
from commands.desk.fields import Control, Texts
from commands.desk.uploads import Uploads
from commands.recording.effect import MOST_PATIENTS, rehearsing
from commands.recording.holding import opened_to_record
from commands.sheets.bounds import SheetTrouble
from commands.sheets.mapped import Place
from commands.sheets.mapping import READY, MappingError, MappingOf, NamedMapping, load_mapping
from commands.sheets.matching import Matched, matched
from commands.writing.handle import Recorded, Recorder
from commands.writing.importing import Import, Proposed, TooManyProposals, recorded_proposals
from commands.writing.retold import Asking
from commands.writing.whole_export import without_contradictions
from ledger.facts.texts import LONGEST_FREE_TEXT
from ledger.store import EpisodeLedger
from projections.effects.effect import State, changes_between
from projections.effects.text import effect_lines
from projections.read_model.passing import passing_folder
from projections.words import counted

LINES_SHOWN: Final = 50
OWN: Final = "a mapping of your own"
LEAVE, RECORD = "leave them", "record them"
_ODD: Final = re.compile(r"[^\w .-]")


class Ran(NamedTuple):
    """What became of the rows of a file: in numbers, what was refused, and what is told otherwise than before."""

    counts: Counter[str]
    rows: int
    refused: list[str]
    proposed: list[Proposed]
    contradictions: list[str]
    corrected: int


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
        return {"mapping": READY[0], "otherwise": LEAVE}

    def errors(self, told: Texts) -> Mapping[str, str]:
        """A file, and a mapping."""
        found = dict[str, str]()
        if self._uploads.of(self._session, told.get("file", "")) is None:
            found["file"] = "Choose the file: CSV, TSV or XLSX, of at most 20 MB."
        if told.get("mapping") == OWN and self._uploads.of(self._session, told.get("own", "")) is None:
            found["own"] = "Choose the file of your mapping (TOML)."
        if told.get("mapping") not in (*READY, OWN):
            found["mapping"] = "Choose a mapping."
        return found

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
            Control("otherwise", "Rows that tell otherwise than before", "Corrections of what is recorded", "choice",
                    True, told.get("otherwise", LEAVE), None, choices=(LEAVE, RECORD)),
        ]  # fmt: skip

    def preview(self, told: Texts) -> Preview:
        """What would be recorded of the file, row by row in a rehearsal."""
        shown = [(each.label, each.value) for each in self.controls(told, {}) if each.value]
        with self._sheets(told) as sheets, rehearsing(self.desk.setup) as rehearsal:
            ran = self._run(rehearsal, sheets, told)
            states = State(rehearsal.real, rehearsal.began), State(rehearsal)
            effect = self._effect(*states, rehearsal.touched())
            patients = rehearsal.touched() | _proposed_for(rehearsal, ran)
        return Preview(shown, [], [*_told(ran, "would be recorded"), *effect], frozenset(patients))

    def do(self, told: Texts) -> Done:
        """Record it."""
        with self._sheets(told) as sheets, opened_to_record(self.desk.setup, create=False) as ledger:
            began = ledger.position()
            ran = self._run(ledger, sheets, told)
            upto = ledger.position()
            touched = ledger.patients_since(began, upto) if upto > began else set[str]()
            effect = self._effect(State(ledger, began), State(ledger, upto), touched)
            patients = touched | _proposed_for(ledger, ran)
        new = ran.counts["recorded"] + ran.corrected
        sentence = f"{counted(new, 'fact')} recorded." if new else "Nothing was recorded: the ledger has this already."
        return Done(sentence, [*_told(ran, "recorded"), *effect], frozenset(patients))

    def _effect(self, before: State, after: State, touched: set[str]) -> list[Part]:
        if len(touched) > MOST_PATIENTS:
            return [Part(f"What changes is not shown for {len(touched):,} patients.")]
        changes = list(changes_between(before, after, touched, self.desk.book))
        return parted(effect_lines(changes, self.desk.book))

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
        plain = _ODD.sub("_", upload.name.rpartition("/")[2].rpartition("\\")[2])[-100:].lstrip(".") or "file"
        path = folder / (plain if plain.endswith(ending) else plain + ending)
        path.write_bytes(upload.content)
        return path

    def _run(self, ledger: EpisodeLedger, sheets: Matched, told: Texts) -> Ran:
        recorder, counts, refused = Recorder(ledger, clock_is_right=False), Counter[str](), list[str]()
        run = Import(ledger, recorder, self._asking)
        rows = (read for chosen in sheets.chosen for read in chosen.rows(self.desk.by))
        with clock_stops():
            for outcome in run.outcomes(rows):
                counts[outcome.outcome] += 1
                if outcome.outcome == "refused" and len(refused) < LINES_SHOWN:
                    refused.append(outcome.message or "")
            again = (read for chosen in sheets.chosen for read in chosen.rows(self.desk.by))
            proposed, wrong = without_contradictions(run.proposals, again) if run.proposals else ([], [])
            handled = recorded_proposals(recorder, proposed) if told.get("otherwise") == RECORD else ()
            corrected = sum(all(isinstance(each, Recorded) for each in one) for _, one in handled)
        against = [first.says(f"tells otherwise than row {second.row} under the same id") for first, second in wrong]
        return Ran(counts, run.rows, refused, proposed, against, corrected)

    def _asking(self, place: Place) -> Asking:
        said = f"told otherwise in {place.sheet.label}, row {place.row}"
        return Asking(self.desk.by, "".join(mark for mark in said if mark.isprintable())[:LONGEST_FREE_TEXT])


def _proposed_for(ledger: EpisodeLedger, ran: Ran) -> set[str]:
    """The patients of what is told otherwise than before, as far as it is shown."""
    episodes = {each.proposal.identity.episode for each in ran.proposed[:LINES_SHOWN]}
    return {patient for episode in episodes for patient in ledger.patients_of(episode)}


def _unsigned(says: MappingOf) -> MappingOf:
    """A mapping that does not say who records: at the site that is who is signed in."""
    sheets = tuple(replace(sheet, facts=tuple(replace(fact, by=None) for fact in sheet.facts)) for sheet in says.sheets)
    return replace(says, by=None, sheets=sheets)


def _told(ran: Ran, done: str) -> list[Part]:
    """A file in numbers, then what somebody has to look at."""
    words = {
        "recorded": done, "duplicate": "there already", "refused": "refused", "changed": "told otherwise than before",
        "left_alone": "left as somebody corrected it",
    }  # fmt: skip
    counts = [f"{ran.counts[kind]:,} {words[kind]}" for kind in words if ran.counts[kind]]
    found = [Part(f"{counted(ran.rows, 'row')}: {', '.join(counts) or 'nothing is told'}.")]
    if ran.refused:
        found.append(
            Part("Refused rows; mend them in the file and send it again:", _some(ran.refused, ran.counts["refused"]))
        )
    if ran.proposed:
        heading = f"Told otherwise than before ({ran.corrected:,} corrected):"
        found.append(Part(heading, _some([_proposal(each) for each in ran.proposed[:LINES_SHOWN]], len(ran.proposed))))
    if ran.contradictions:
        found.append(Part("Rows that contradict each other:", _some(ran.contradictions, len(ran.contradictions))))
    return found


def _some(lines: list[str], count: int) -> tuple[str, ...]:
    more = (f"and {count - LINES_SHOWN:,} more",) if count > LINES_SHOWN else ()
    return (*lines[:LINES_SHOWN], *more)


def _proposal(each: Proposed) -> str:
    proposal = each.proposal
    changes = ", ".join(f"{one.field} {one.stands or 'empty'} → {one.told or 'empty'}" for one in proposal.differences)
    by_hand = "; somebody corrected this by hand" if proposal.by_hand else ""
    return f"{proposal.identity.episode} {proposal.identity.source}:{proposal.identity.id}: {changes}{by_hand}"
