"""One decision about several pieces of open work at the site: whose they are, a note, done until a date.

All of it is recorded in one transaction, or nothing; whoever decided about one of the pieces meanwhile was first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from commands.desk.act import (
    NOTHING,
    SENT_BEFORE,
    Desk,
    Done,
    Part,
    Preview,
    Stopped,
    identity_of,
    new_identity,
    nonce_of,
    or_there,
)
from commands.desk.fields import Control, Texts
from commands.desk.open_work import ATTEMPTS
from commands.outside import utc_now
from commands.recording.holding import opened_to_record
from ledger.facts.desk_acts import WorkAct, WorkAssigned, WorkDone, WorkNoted
from ledger.facts.names import is_name
from ledger.facts.texts import LONGEST_FREE_TEXT, LONGEST_TEXT, fault_of
from ledger.store import EpisodeLedger, RecordConflictError
from projections.words import counted, minute, money, utc_text, written_date

NOBODY: Final = "nobody"
"""What is entered as owner where there is to be none."""


ACTS_EACH: Final = 3
"""How many acts a decision may make of one piece: an owner, a note, a date."""


class Piece(NamedTuple):
    """A piece of open work as it stands: whose it is, until when it is put away, what it is worth."""

    episode: str
    work: str
    what: str
    owner: str
    done_until: str | None
    cents: int | None
    patient: str


class DecideTogether:
    """The decision about some pieces."""

    title = "Decide on several rows"
    about = "What you leave empty stays as it is. It says nothing of the patients' care, and no day is judged by it."

    def __init__(self, desk: Desk, pieces: Sequence[Piece], carried: Texts) -> None:
        """``carried`` is what the form carries, so that the same pieces are meant when it is sent."""
        self.desk, self._pieces, self._carried = desk, pieces, carried

    def hidden(self) -> dict[str, str]:
        """The identity, which pieces, and how many acts there were."""
        with self.desk.setup.open() as ledger:
            return {"id": new_identity(), "seen": str(ledger.count_of_acts()), **self._carried}

    def begin(self) -> dict[str, str]:
        """An empty form."""
        return {}

    def errors(self, told: Texts) -> Mapping[str, str]:
        """What is wrong with each field; something has to be decided."""
        found = dict[str, str]()
        owner, note, until = (told.get(name, "").strip() for name in ("owner", "note", "until"))
        if owner and not is_name(owner):
            found["owner"] = "A name has 1 to 128 characters, no control characters."
        fault = fault_of(note, "free") if len(note) <= LONGEST_FREE_TEXT else "text of 1 to 1,000 characters"
        if note and fault:
            found["note"] = f"Expected {fault}."
        if until and written_date(until) is None:
            found["until"] = "Enter a date as YYYY-MM-DD, such as 2026-12-07."
        return found if owner or note or until else {"": "Enter an owner, a note, or until when they are done."}

    def controls(self, told: Texts, errors: Mapping[str, str]) -> list[Control]:
        """An owner, a note, a date."""
        named = "A colleague's name, or “nobody”"
        away = "They leave the list until that date; one that has come opens them again"
        return [
            Control("owner", "Assign to", named, "text", False, told.get("owner", ""), errors.get("owner"),
                    LONGEST_TEXT),
            Control("note", "Note for colleagues", "Added to each", "long", False, told.get("note", ""),
                    errors.get("note"), LONGEST_FREE_TEXT),
            Control("until", "Done until", away, "date", False, told.get("until", ""), errors.get("until")),
        ]  # fmt: skip

    def preview(self, told: Texts) -> Preview:
        """What would become of each piece."""
        with self.desk.setup.open() as ledger:
            self._refuse_overtaken(ledger, told)
        shown = [(each.label, each.value) for each in self.controls(told, {}) if each.value]
        return Preview(shown, [], self._effect(told))

    def do(self, told: Texts) -> Done:
        """Record it for all of them, once for each form."""
        identity = identity_of(told)
        with opened_to_record(self.desk.setup, create=False) as ledger:
            return or_there(
                lambda: self._decided(ledger, told, identity), lambda: self._is_there(ledger, told, identity)
            )

    def _decided(self, ledger: EpisodeLedger, told: Texts, identity: str) -> Done:
        effect = self._effect(told)
        for _ in range(ATTEMPTS):
            before = ledger.count_of_acts()
            if self._is_there(ledger, told, identity):
                return Done(NOTHING, [])
            self._refuse_overtaken(ledger, told)
            if any(not ledger.patients_of(each.episode) for each in self._pieces):
                raise Stopped("The ledger knows one of these episodes no more.", "Open the list again.")
            acts = list(self._acts(told, identity))
            if not acts:
                raise Stopped("Nothing would change: all of them are so already.")
            try:
                ledger.record_work(*acts, after=before)
            except RecordConflictError:
                continue
            pieces = len({(act.episode, act.work) for act in acts})
            return Done(f"Recorded for {counted(pieces, 'piece')} of work.", effect)
        raise Stopped("Others kept recording, and nothing was done.", "Try again.")

    def _is_there(self, ledger: EpisodeLedger, told: Texts, identity: str) -> bool:
        """Whether the form recorded its acts already; Stopped if what it tells now is not among them."""
        nonces = {nonce_of(identity, number) for number in range(ACTS_EACH * len(self._pieces))}
        there = {_content(act) for _, act in ledger.work_acts() if act.nonce in nonces}
        if there and not {_content(act) for act in self._acts(told, identity)} <= there:
            raise Stopped(*SENT_BEFORE)
        return bool(there)

    def _refuse_overtaken(self, ledger: EpisodeLedger, told: Texts) -> None:
        """Stopped if somebody decided about one of the pieces since the form was opened."""
        seen = told.get("seen", "")
        after = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else 0
        mine = {(each.episode, each.work) for each in self._pieces}
        for _, act in ledger.work_acts(after):
            if (act.episode, act.work) in mine:
                raise Stopped(
                    f"{act.by} was first: since you opened this form, something was decided about one of these rows"
                    f" ({minute(utc_text(act.at))}).",
                    "Nothing of yours was recorded. Look at the list as it is now, and decide again.",
                )

    def _acts(self, told: Texts, identity: str) -> Iterator[WorkAct]:
        number, now, by = 0, utc_now(), self.desk.by
        for piece in self._pieces:
            owner, note, until = _changes(piece, told)
            if owner is not None:
                yield WorkAssigned(now, by, piece.episode, piece.work, owner, nonce_of(identity, number))
                number += 1
            if note:
                yield WorkNoted(now, by, piece.episode, piece.work, note, nonce_of(identity, number))
                number += 1
            if until is not None:
                yield WorkDone(now, by, piece.episode, piece.work, until, nonce_of(identity, number))
                number += 1

    def _effect(self, told: Texts) -> list[Part]:
        lines = [(piece, _change_in_words(piece, told)) for piece in self._pieces]
        changed = [f"{piece.episode}: {piece.what}{_worth(piece)}: {said}" for piece, said in lines if said]
        heading = f"{counted(len(changed), 'piece')} of work"
        as_it_is = len(lines) - len(changed)
        found = [Part(heading, tuple(changed))]
        return [*found, Part(f"{counted(as_it_is, 'piece')} stays as it is.")] if as_it_is else found


def _content(act: WorkAct) -> tuple[str, str, str | date, type[WorkAct]]:
    """What is decided about which piece, whoever decides it when."""
    decided = act.owner if isinstance(act, WorkAssigned) else act.note if isinstance(act, WorkNoted) else act.until
    return act.episode, act.work, decided, type(act)


def _changes(piece: Piece, told: Texts) -> tuple[str | None, str, date | None]:
    """The new owner, the note and the date, each empty where nothing changes."""
    owner, until = told.get("owner", "").strip(), written_date(told.get("until", "").strip())
    named = "" if owner == NOBODY else owner
    is_new = bool(owner) and named != piece.owner
    is_later = until is not None and until.isoformat() != piece.done_until
    return named if is_new else None, told.get("note", "").strip(), until if is_later else None


def _change_in_words(piece: Piece, told: Texts) -> str:
    owner, note, until = _changes(piece, told)
    said = [] if owner is None else [f"{piece.owner or NOBODY} → {owner or NOBODY}"]
    said += [f"done until {until}"] if until else []
    return "; ".join([*said, *(["noted"] if note else [])])


def _worth(piece: Piece) -> str:
    return "" if piece.cents is None else f", {money(piece.cents)}"
