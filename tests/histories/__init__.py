"""Random histories that reach deep into the rulebook: facts, corrections, retractions and claims over three weeks.

``history(rng)`` draws every choice from ``rng``, so that it serves seeded loops and Hypothesis alike (``st.randoms``).
With ``house=True`` the house merges and parts patients too: acts under no episode, entries whose ``episode`` is ``""``.
"""

from __future__ import annotations

from random import Random
from typing import Any

from .book import CODES, LAKESIDE, NORTHSIDE, PAYERS, STRANGER, book
from .checks import checks
from .facts import DAYS, GROUPS, START, gates, opening
from .situations import SITUATIONS
from .teller import Teller

__all__ = ["CODES", "DAYS", "LAKESIDE", "NORTHSIDE", "PAYERS", "START", "STRANGER", "book", "checks", "history"]

Entries = list[dict[str, Any]]


def history(rng: Random, *, house: bool = False) -> tuple[Entries, dict[str, Any]]:
    """Accepted intake entries in recorded order (each with ``recorded_at``), and the book to judge them by.

    Four in ten are calm: gates open, terms that ask for little, few facts but for some situations. Their days go deep.
    """
    merges, calm = house and rng.random() < 0.4, rng.random() < 0.4
    count = 3 if merges else rng.choice((1, 2, 2, 2, 3))
    episodes = [("E1", "P1"), ("E2", "P1"), ("E3", "P2")][:count]
    names = [episode for episode, _ in episodes]
    teller = Teller(rng, names)
    for episode, patient in episodes:
        teller.tell(episode, opening(rng, patient))
    for episode in names:
        for fact in gates(rng, calm=calm):
            teller.tell(episode, fact)
    weights = [weight * rng.choice((0.1, 0.5, 2)) for _, weight in GROUPS]
    situations = rng.sample(SITUATIONS, rng.choice((2, 4, 6) if calm else (0, 0, 1, 2, 3, 5)))
    for left in range(rng.randint(4, 12) if calm else rng.randint(5, 40), 0, -1):
        group = rng.choices([group for group, _ in GROUPS], weights)[0]
        teller.tell(rng.choice(names), group(rng))
        if situations and (calm or left % 4 == 0):
            situations.pop()(teller)
        if rng.random() < 0.12:
            teller.mend(rng.choice(names))
        if merges and rng.random() < 0.15:
            teller.merge_or_part()
    return teller.finish(), book(rng, calm=calm)
