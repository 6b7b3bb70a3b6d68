"""Claims that replace and void each other: which belong together, and at what cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any
from unittest.mock import patch

from ledger.judge.answers import OwnNumbers, chain_of
from ledger.judge.episode import Episode
from ledger.judge.fold import fold
from ledger.judge.paid import paid_days
from ledger.judge.settled import settle_days
from tests.harness import typed

NUMBERS = [f"C-{number}" for number in range(8)]
GIVEN = [f"K-{number}" for number in range(4)]
LINE = {"code": "S9325", "from": "2026-02-02", "to": "2026-02-03", "units": 2, "charge_cents": 2}
OPENED = {"type": "EpisodeOpened", "patient": "P-1", "provider": "1234567893", "zone": "America/Chicago"}


def submitted(number: str, replaced: str | None = None, frequency: str = "7") -> dict[str, Any]:
    fact = {"type": "ClaimSubmitted", "claim": number, "payer": "prairie-blue", "frequency": "1", "lines": [LINE]}
    return fact if replaced is None else fact | {"frequency": frequency, "replaces": replaced}


def acknowledged(number: str, given: str) -> dict[str, Any]:
    about = {"payer": "prairie-blue", "kind": "277CA", "date": "2026-02-05", "status": "accepted", "codes": []}
    return {"type": "ClaimAcknowledged", "claim": number, "payer_control": given, **about}


def episode_of(facts: Sequence[dict[str, Any]]) -> Episode:
    told = {"episode": "EP-1", "source": "billing", "recorded_at": "2026-03-01T00:00:00Z", "by": "x"}
    entries = [told | {"id": str(number), "fact": fact} for number, fact in enumerate([OPENED, *facts])]
    return fold("EP-1", typed(entries))


def drawn(rng: Random) -> Iterator[dict[str, Any]]:
    for _ in range(rng.randrange(1, 12)):
        kind, number = rng.randrange(4), rng.choice(NUMBERS)
        if kind == 0:
            yield acknowledged(number, rng.choice(GIVEN))
        elif kind == 1:
            yield submitted(number)
        else:
            yield submitted(number, rng.choice([*NUMBERS, *GIVEN]), rng.choice("78"))


def plain_chain(facts: Sequence[dict[str, Any]], claim: str) -> set[str]:
    """As a clerk would find it: whoever names one of those found so far, or is named by one, until nobody comes."""
    claims = {fact["claim"]: fact for fact in facts if fact["type"] == "ClaimSubmitted"}

    def named(fact: dict[str, Any]) -> str | None:
        number = fact.get("replaces")
        if number is None or number in claims:
            return number
        acknowledgements = [each for each in facts if each.get("payer_control") == number and each["claim"] in claims]
        return acknowledgements[0]["claim"] if acknowledgements else number

    found, before = {claim}, set[str]()
    while found != before:
        before = set(found)
        for number, fact in claims.items():
            other = named(fact)
            if other is not None and {number, other} & before:
                found |= {number, other}
    return found & claims.keys()


def test_a_chain_is_whoever_replaces_or_voids_one_of_it_or_is_replaced_by_one() -> None:
    longest = 0
    for seed in range(500):
        facts = list(drawn(Random(seed)))
        episode = episode_of(facts)
        for number in NUMBERS:
            chain = [one.fact.claim for one in chain_of(episode, number)]
            assert len(chain) == len(set(chain))
            assert set(chain) == plain_chain(facts, number), (seed, number)
            longest = max(longest, len(chain))
    assert longest > 4


def test_what_many_claims_cost_grows_with_their_number_alone() -> None:
    """Each claim was held against each other one, and each answer looked at for each: 10,000 were beyond the budget."""
    many, asked = 1_000, 0
    facts = [submitted(f"C-{number}") for number in range(many)]
    facts += [submitted(f"R-{number}", f"K-{number}") for number in range(many)]
    facts += [acknowledged(f"C-{number}", f"K-{number}") for number in range(many)]
    episode, of = episode_of(facts), OwnNumbers.of

    def counted(self: OwnNumbers, named: str) -> str:
        nonlocal asked
        asked += 1
        return of(self, named)

    with patch.object(OwnNumbers, "of", counted):
        days = settle_days(episode, paid_days(episode), {})
    assert len(days) == 4 * many
    assert {day.day.claim[0] for day in days if day.is_live} == {"R"}
    assert many < asked < 10 * many
