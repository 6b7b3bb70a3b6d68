"""What is done to an entry that stands: it is corrected, retracted or restored, with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from commands.desk.act import Desk, identity_of, new_identity
from commands.desk.facts import DESK, OfEpisode, seen_in
from commands.desk.fields import Control, Texts, about, controls_of, errors_of, fact_told, texts_of, title_of
from commands.door.shapes import EVENTS
from commands.writing.mending import NoSuchEntry, correction, last_about, restorations, retraction, stated_now
from ledger.facts.billing import IDENTITY
from ledger.facts.entry import statement_of
from ledger.facts.events import FactRetracted


class _Mend(OfEpisode):
    """What is done to one entry, with a reason."""

    def __init__(self, desk: Desk, episode: str, version: int) -> None:
        super().__init__(desk, episode)
        self.stood = self.entries()
        """The episode's entries as the page was asked for."""
        if not 0 < version <= len(self.stood):
            raise NoSuchEntry("the episode has no such entry")
        self.entry = self.stood[version - 1]

    def hidden(self) -> dict[str, str]:
        """The identity, and how many entries the episode had when this one was read."""
        return {"id": new_identity(), "seen": str(len(self.stood))}

    def errors(self, told: Texts) -> Mapping[str, str]:
        """As the door has them, of the reason."""
        found = errors_of(
            "FactRetracted", {"type": "FactRetracted", "target_source": "x", "target_id": "x"} | _reason(told)
        )
        return {name: said for name, said in found.items() if name == "reason"}

    def controls(self, told: Texts, errors: Mapping[str, str]) -> list[Control]:
        """The reason."""
        return [
            Control("reason", "Reason", "Why; it stays in the ledger", "long", True, told.get("reason", ""),
                    errors.get("reason"), 1000)
        ]  # fmt: skip


def _reason(told: Texts) -> dict[str, str]:
    reason = told.get("reason", "").strip()
    return {"reason": reason} if reason else {}


class Correct(_Mend):
    """An entry says something else: its fields as they stand, to be changed."""

    def __init__(self, desk: Desk, episode: str, version: int) -> None:
        super().__init__(desk, episode, version)
        self._stated = stated_now(self.stood, self.entry)
        self._type = self._stated["type"]
        self.title = f"Correct: {title_of(self._type).lower()}"
        self.about = f"{about(self._type)} The entry stays on record beside its correction."

    def begin(self) -> dict[str, str]:
        """What stands of the entry; who somebody is is not shown, and told anew."""
        return {} if isinstance(statement_of(self.entry), IDENTITY) else texts_of(EVENTS[self._type], self._stated)

    def _fact(self, told: Texts) -> dict[str, Any]:
        return fact_told(self._type, {name: text for name, text in told.items() if name != "why"})

    def facts(self, told: Texts) -> list[dict[str, Any]]:
        """The correction."""
        return [correction(self.entry, self._fact(told), told.get("why", "").strip())]

    def errors(self, told: Texts) -> Mapping[str, str]:
        """Of the fields, and of the reason."""
        why = super().errors({"reason": told.get("why", "")})
        found = errors_of(self._type, self._fact(told)) | ({"why": why["reason"]} if why else {})
        if not found and self._is_as_it_stood(told) and self._fact(told) == self._as_it_stands():
            found[""] = "Nothing is changed yet."
        return found

    def _as_it_stands(self) -> dict[str, Any]:
        return fact_told(self._type, texts_of(EVENTS[self._type], self._stated))

    def _is_as_it_stood(self, told: Texts) -> bool:
        """Whether nothing was recorded about the entry since the form was opened; else that is what is to be said."""
        last = last_about(self.stood, FactRetracted(self.entry.source, self.entry.id, ""))
        return last is None or last.version <= seen_in(told)

    def controls(self, told: Texts, errors: Mapping[str, str]) -> list[Control]:
        """The fields, and why they are corrected."""
        why = Control(
            "why", "Reason for the correction", "Why; it stays in the ledger", "long", True, told.get("why", ""),
            errors.get("why"), 1000,
        )  # fmt: skip
        return [*controls_of(EVENTS[self._type], told, errors, known=self.known), why]


class Retract(_Mend):
    """An entry never happened."""

    title = "Retract an entry"
    about = "It never happened. It stays on record, and a retraction can be taken back."

    def facts(self, told: Texts) -> list[dict[str, Any]]:
        """The retraction."""
        return [retraction(self.entry, told.get("reason", "").strip())]


class Restore(_Mend):
    """What retracted an entry is taken back."""

    title = "Restore an entry"
    about = "What retracted it is taken back: it counts again."

    def facts(self, told: Texts) -> list[dict[str, Any]]:
        """The retractions of its retractions; those that this form made already are made out as they were."""
        first = identity_of(told)
        entries = [each for each in self.stood if not (each.source == DESK and each.id.startswith(first))]
        return restorations(entries, self.entry, told.get("reason", "").strip())


MENDS: Final[Mapping[str, type[Correct | Retract | Restore]]] = {
    "correct": Correct, "retract": Retract, "restore": Restore,
}  # fmt: skip
"""What can be done to an entry, by its word in an address."""
