"""What must be true of the store and of every answer, in lists and dicts; it takes nobody's word but the rows'."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from tests.deterministic.ground import Stood
from tests.deterministic.judgement import Kept, Said, Story, instant, judge, meaning, recorded_at

Answer = str | int
"""What a client was told of a line: the position of what was recorded, ``duplicate``, or a code."""


class Contradiction(AssertionError):
    """The ledger did what it must not."""


@dataclass
class Attempt:
    """One decision over a batch: what it was about, when, and under which random bytes it would be recorded."""

    lines: Sequence[Said]
    now: datetime
    keep: bool
    nonces: Sequence[str]
    dead: bool = False
    landed: dict[int, Kept] = field(default_factory=dict)


def must(holds: bool, says: str) -> None:
    if not holds:
        raise Contradiction(says)


class Model:
    """The plain model of one world."""

    def __init__(self, ledger_id: str) -> None:
        self.rows: list[Stood] = []
        self.stories: dict[str, Story] = {}
        self.acts: list[tuple[int, Said]] = []
        self.attempts: dict[str, tuple[Attempt, int]] = {}
        self.landed: dict[str, int] = {}
        self.unproved: list[Attempt] = []
        name = ledger_id.encode()
        self.seal = hashlib.sha256(b"\x00t" + _eight(len(name)) + name).digest()

    @property
    def last(self) -> int:
        return len(self.rows)

    def story(self, episode: str) -> Story:
        return self.stories.setdefault(episode, Story())

    def begin(self, attempt: Attempt) -> None:
        """From now on entries with these random bytes may appear."""
        for place, nonce in enumerate(attempt.nonces):
            self.attempts[nonce] = attempt, place

    def take(self, row: Stood) -> None:
        """The next row of the store."""
        position, episode, version, tag, text, seal = row
        must(position == self.last + 1, f"position {position} follows {self.last}")
        self.seal = _sealed(self.seal, row)
        must(seal == self.seal, f"position {position}: the chain of seals does not hold")
        said = json.loads(text)
        self.rows.append(row)
        must(said["nonce"] not in self.landed, f"position {position}: the same entry a second time")
        self.landed[said["nonce"]] = position
        if not episode:
            return self._take_act(position, version, said)
        must((said["episode"], said["version"]) == (episode, version), f"position {position}: text and columns differ")
        must(said["fact"]["type"] == tag, f"position {position}: text and tag differ")
        return self._take_entry(position, episode, version, said)

    def _take_act(self, position: int, version: int, said: Said) -> None:
        must(version == len(self.acts) + 1, f"position {position}: act {version} of the house follows {len(self.acts)}")
        months = [act["month"] for _, act in self.acts if act["type"] == "MonthClosed"]
        must(said.get("month") not in months, f"position {position}: a month is closed twice")
        must(said["nonce"] in self.attempts, f"position {position}: an act that nobody asked for")
        must(not self.attempts[said["nonce"]][0].dead, f"position {position}: an act that was answered with an error")
        self.acts.append((position, said))

    def _take_entry(self, position: int, episode: str, version: int, said: Said) -> None:
        story = self.story(episode)
        must(version == len(story.entries) + 1, f"position {position}: version {version} follows {len(story.entries)}")
        source, id = said["source"], said["id"]
        must((source, id) not in story.known, f"position {position}: one identity is recorded twice")
        must(said["nonce"] in self.attempts, f"position {position}: nobody sent this entry")
        attempt, place = self.attempts[said["nonce"]]
        line = attempt.lines[place]
        must(not attempt.dead, f"position {position}: a line that was not recorded stands in the store")
        at = instant(said["recorded_at"])
        must(not version - 1 or at >= story.entries[-1].recorded_at, f"position {position}: time runs backwards")
        must(at == recorded_at(line, story, version - 1, attempt.now), f"position {position}: another recorded_at")
        told = (line["episode"], line["source"], line["id"], line["by"], meaning(line["fact"]))
        must((episode, source, id, said["by"], meaning(said["fact"])) == told, f"position {position}: other content")
        kept = Kept(position, version, source, id, said["by"], at, said["nonce"], said["fact"])
        story.add(kept)
        if not attempt.landed:
            self.unproved.append(attempt)
        attempt.landed[place] = kept

    def bury(self, attempt: Attempt, *, but_for_landed: bool = False) -> None:
        """Nothing more of this attempt may ever be recorded, and nothing may have been, unless it was said twice."""
        stands = any(nonce in self.landed for nonce in attempt.nonces)
        must(but_for_landed or not stands, "what was answered as not recorded stands in the store")
        attempt.dead = True

    def prove_landed(self) -> None:
        """Each attempt of which something was recorded was recorded whole, in one stretch, and rightly."""
        for attempt in self.unproved:
            positions = [kept.position for _, kept in sorted(attempt.landed.items())]
            must(all(b == a + 1 for a, b in pairwise(positions)), f"position {positions[0]}: a batch in pieces")
            for episode in {attempt.lines[place]["episode"]: None for place in attempt.landed}:
                self._prove_episode(attempt, episode)
        self.unproved.clear()

    def _prove_episode(self, attempt: Attempt, episode: str) -> None:
        places = [place for place, line in enumerate(attempt.lines) if line["episode"] == episode]
        upto = next(attempt.landed[place].version for place in places if place in attempt.landed) - 1
        for place in places:
            due = judge(attempt.lines[place], self.story(episode), upto, attempt.now, attempt.keep)
            stands = attempt.landed.get(place)
            must((due == "recorded") == (stands is not None), f"of a recorded batch a line should be {due}, it is not")
            if stands is not None:
                upto += 1
                must(stands.version == upto, f"position {stands.position}: a batch out of order")

    def check_answers(self, attempt: Attempt, answers: Sequence[Answer], before: dict[str, int]) -> None:
        """Every answer is what the rulebook says, at a moment between the question (``before``) and now."""
        recorded = [answer for answer in answers if isinstance(answer, int)]
        must(len(answers) == len(attempt.lines), "one answer for each line")
        must(all(b == a + 1 for a, b in pairwise(recorded)), "positions of one batch follow each other")
        for place, answer in enumerate(answers):
            stands = attempt.landed.get(place)
            must(
                answer == (stands.position if stands else answer) and isinstance(answer, int) == (stands is not None),
                f"answered {answer}, and in the store is {stands.position if stands else 'nothing'}",
            )
        for episode in {line["episode"]: None for line in attempt.lines}:
            self._check_episode(attempt, answers, episode, before.get(episode, 0))

    def _check_episode(self, attempt: Attempt, answers: Sequence[Answer], episode: str, before: int) -> None:
        places = [place for place, line in enumerate(attempt.lines) if line["episode"] == episode]
        story = self.story(episode)
        landed = [attempt.landed[place].version for place in places if place in attempt.landed]
        moments = [landed[0] - 1] if landed else list(range(before, len(story.entries) + 1))
        given = ["recorded" if isinstance(answers[place], int) else answers[place] for place in places]
        due: list[str] = []
        for upto in moments:
            due = []
            for place in places:
                due.append(judge(attempt.lines[place], story, upto, attempt.now, attempt.keep))
                upto += due[-1] == "recorded"
            if due == given:
                return
        raise Contradiction(f"answered {given}, the rulebook says {due}")

    def versions(self, lines: Sequence[Said]) -> dict[str, int]:
        """How many entries the episodes of these lines have now."""
        return {line["episode"]: len(self.story(line["episode"]).entries) for line in lines}

    def entries_between(self, after: int, upto: int) -> list[tuple[Any, ...]]:
        """What a reader of entries must be given: every one once, in order, without the house's acts."""
        return [row[:5] for row in self.rows[after:upto] if row[1]]


def _eight(number: int) -> bytes:
    return number.to_bytes(8, "big")


def _sealed(before: bytes, row: Stood) -> bytes:
    position, *columns, _ = row
    leaf = b"\x00i" + _eight(8) + _eight(position)
    for column in columns:
        whole = isinstance(column, int)
        text = _eight(column) if isinstance(column, int) else str(column).encode()
        leaf += (b"i" if whole else b"t") + _eight(len(text)) + text
    return hashlib.sha256(b"\x01" + before + hashlib.sha256(leaf).digest()).digest()
