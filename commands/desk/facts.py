"""Acts within an episode: a fact recorded, corrected, retracted or restored, through the one write path.

Two people may mend the same entry at once. A form tells how far the entry's story went when it was opened; if somebody
went on with it since, nothing is recorded, and whoever comes second is told who did and when.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from commands.desk.act import NOTHING, Desk, Done, Preview, Stopped, clock_stops, identity_of, new_identity
from commands.desk.effects import Effect, effect_of
from commands.desk.fields import (
    Control,
    Texts,
    about,
    controls_of,
    defaults_of,
    errors_of,
    fact_told,
    plain,
    shown,
    title_of,
)
from commands.door.intake import Line, Refusal, parse_line
from commands.door.shapes import EVENTS, LINE
from commands.recording.effect import rehearsing
from commands.recording.holding import opened_to_record
from commands.recording.suggest import known_values
from commands.references.doubts import doubts
from commands.writing.decide import Duplicate, Refused
from commands.writing.handle import Handled, Recorder
from commands.writing.mending import NoSuchEntry, last_about
from ledger.facts.entry import Entry
from ledger.facts.heads import EpisodeHead
from ledger.store import EpisodeLedger
from projections.effects.effect import State, changes_between
from projections.reading.around import entries_around
from projections.words import capital, minute, sentence, utc_text

DESK: Final = "desk"
"""The source of what is recorded at the site, as of what is said on the command line."""
VOIDING: Final = "EpisodeVoided"


class OfEpisode:
    """What acts within an episode have in common; each says its fields and the facts they make."""

    title: str
    about: str

    def __init__(self, desk: Desk, episode: str | None) -> None:
        self.desk, self._episode = desk, episode

    def facts(self, told: Texts) -> list[dict[str, Any]]:
        """The facts that a form makes, as JSON has them."""
        raise NotImplementedError

    def errors(self, told: Texts) -> Mapping[str, str]:
        """What is wrong with each field."""
        raise NotImplementedError

    def controls(self, told: Texts, errors: Mapping[str, str]) -> list[Control]:
        """The fields of the form."""
        raise NotImplementedError

    def begin(self) -> dict[str, str]:
        """An empty form."""
        return {}

    def hidden(self) -> dict[str, str]:
        """The identity, and how many entries the episode had."""
        return {"id": new_identity(), "seen": str(len(self.entries()))}

    def entries(self) -> list[Entry]:
        """The episode's entries as they are now."""
        if self._episode is None:
            return []
        with self.desk.setup.open() as ledger:
            ledger.refuse_forgotten(self._episode)
            return ledger.entries_of(self._episode)

    def known(self, name: str) -> list[str]:
        """What a field of this name may be, as far as the book and the episode know."""
        return known_values(self.desk.book, self.entries() if self._episode else (), name)

    def episode(self, told: Texts) -> str:
        """Whose episode it is about."""
        return self._episode or told.get("episode", "").strip()

    def preview(self, told: Texts) -> Preview:
        """What would change."""
        with rehearsing(self.desk.setup) as rehearsal:
            lines = self._lines(told)
            book = self.desk.book
            known = entries_around(rehearsal.real, [lines[0].episode])
            notes = [note for line in lines for note in doubts(line.fact, line.episode, known, book)]
            self._recorded(rehearsal, lines, told)
            effect = self._effect(State(rehearsal.real, rehearsal.began), State(rehearsal), rehearsal.touched())
        return Preview(shown(self.controls(told, {})), list(map(capital, notes)), *effect)

    def do(self, told: Texts) -> Done:
        """Record it."""
        with opened_to_record(self.desk.setup, create=False) as ledger:
            began, lines = ledger.position(), self._lines(told)
            handled = self._recorded(ledger, lines, told)
            if all(isinstance(each, Duplicate) for each in handled):
                return Done(NOTHING, [])
            name = ", ".join(f"{line.source}:{line.id}" for line in lines)
            upto = ledger.position()
            effect = self._effect(State(ledger, began), State(ledger, upto), set(ledger.patients_of(lines[0].episode)))
            return Done(f"Recorded as {name}.", *effect)

    def _effect(self, before: State, after: State, patients: set[str]) -> Effect:
        return effect_of(changes_between(before, after, patients, self.desk.book), self.desk.book)

    def _lines(self, told: Texts) -> list[Line]:
        first, lines = identity_of(told), list[Line]()
        try:
            facts = self.facts(told)
        except NoSuchEntry as gone:
            raise Stopped(sentence(gone)) from None
        for number, fact in enumerate(facts, 1):
            id_ = first if number == 1 else f"{first}-{number}"
            raw = {"episode": self.episode(told), "source": DESK, "id": id_, "by": self.desk.by, "fact": fact}
            parsed = parse_line(1, json.dumps(raw).encode())
            line = parsed.line if isinstance(parsed, Refusal) else parsed  # by the past alone: deciding says
            if line is None:
                raise Stopped(_without_line(parsed.message if isinstance(parsed, Refusal) else ""))
            lines.append(line)
        return lines

    def _recorded(self, ledger: EpisodeLedger, lines: Sequence[Line], told: Texts) -> list[Handled]:
        upto = seen_in(told)

        def still(lines: Sequence[Line], heads: Mapping[str, EpisodeHead]) -> None:
            if all(heads[line.episode].version_of(line.source, line.id) for line in lines):
                return  # a second click: it is there already
            for line in lines:
                entries = ledger.entries_of(line.episode)[: heads[line.episode].version]
                last = last_about(entries, line.fact)
                if last is not None and last.version > upto:
                    raise Stopped(*_overtaken_by(last))

        with clock_stops():
            handled = Recorder(ledger, clock_is_right=False, still=still).handle(lines)
        if refused := next((each for each in handled if isinstance(each, Refused)), None):
            raise Stopped(_without_line(refused.message))
        return handled


def seen_in(told: Texts) -> int:
    """How many entries the episode had when the form was opened."""
    seen = told.get("seen", "")
    return int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else 0


def _without_line(message: str) -> str:
    return plain(message.removeprefix("line 1: "))


def _overtaken_by(entry: Entry) -> tuple[str, str]:
    when = minute(utc_text(entry.recorded_at))
    return (
        f"{entry.by} was first: since you opened this form, {entry.label} was recorded ({when}), about the same.",
        "Nothing of yours was recorded. Look at the entries as they are now, and decide again.",
    )


class Record(OfEpisode):
    """A fact or act of an episode; or, without one, the opening of a new episode."""

    def __init__(self, desk: Desk, episode: str | None, type_: str, given: Texts) -> None:
        super().__init__(desk, episode)
        self._type, self._given = type_, given
        self.title, self.about = title_of(type_), about(type_)

    def begin(self) -> dict[str, str]:
        """What fields are when nothing is told, and what a link gave."""
        return defaults_of(self._type) | dict(self._given)

    def facts(self, told: Texts) -> list[dict[str, Any]]:
        """The fact itself."""
        return [fact_told(self._type, told)]

    def errors(self, told: Texts) -> Mapping[str, str]:
        """As the door has them."""
        found = errors_of(self._type, fact_told(self._type, told))
        if self._episode is None and not told.get("episode", "").strip():
            found["episode"] = plain(f"expected {LINE.shape.fields['episode'].form.expected}") if LINE.shape else ""
        return found

    def controls(self, told: Texts, errors: Mapping[str, str]) -> list[Control]:
        """The episode's name, if it is a new one, and the fields of the fact."""
        fields = controls_of(EVENTS[self._type], told, errors, known=self.known)
        if self._episode is not None:
            return fields
        hint = "A new name, by which your other systems know the episode"
        return [
            Control("episode", "Episode", hint, "text", True, told.get("episode", ""), errors.get("episode")),
            *fields,
        ]
