"""The notation of ``tests/scenarios/*.toml``: what a biller reads and signs, turned into intake entries, a book and
expectations.

A line of ``facts`` is one fact (or, with several dates, one fact a date)::

    [@2026-11-03T10:00Z] [#pump:7] [by:rn-3] EP-1 DayServed order=RX-1 date=2026-11-02..2026-11-05 infused=false

``@`` gives ``recorded_at`` (absent: a minute after the line before, from 2026-10-01T00:00Z, but not before what the
line looks back on has happened), ``#`` gives source and id (absent: ``facts:1``, ``facts:2``… in order), ``by:`` who
told it. With several dates ``-DATE`` is appended to the id. Values are whole numbers where the field is one, ``true``,
``false`` and ``null``, comma lists for ``codes``, text otherwise. A value that opens with a bracket, brace or quote is
JSON, and so is every ``field:=value``. Further:

- ``target=pump:7`` is ``target_source`` and ``target_id``; a correction ends in ``-> Type field=value …``.
- ``line=S9325:2026-11-02..2026-11-04[:units[:cents[:MODIFIERS]]]`` adds a claim line (absent: a unit a day, 9000 cents
  a unit, no modifiers; several with a plus between).
- What a biller would not want to read is filled in: prescriber, an order's signature (2026-09-15), member, reason of a
  correction, frequency 1, score 4. ``field:=absent`` leaves a field out.

Acts of the house that merge or part patients stand among the facts, under the name ``house``::

    [@…] house PatientsMerged patient=P-2 into=P-1
    [@…] house PatientsParted patient=P-2

and so does what came with a check, as ``remit`` records it (absent: from the payer ``blue``)::

    [@…] house PaymentReceived payment=T-1 paid_on=2026-11-20 cents=9000 posted_cents=9000
      [adjustments:=[{"reason": "WO", "cents": 100}]]

Dates are ``2026-11-02``, ``A..B`` (every day), ``A..B/7`` (every seventh day), and comma lists of these.

Expectations, each a block of lines:

- ``days``: ``EP-1 DATES billable S9325 [auth=A-1] [payer=blue] [member=M-1] [rate=9000] [terms=2026-01-01]
  [provider=NPI] [place=12] [mod=SH]``, ``EP-1 DATES hold plan_missing``, ``EP-1 none``. Complete for every episode it
  names. The code follows the reason from the step on that finds it (``-`` for none); ``mod`` is a comma list, ``-`` for
  none.
- ``findings``: ``hard claimed_twice EP-1,EP-2 DATES S9325 [patient=P-2]`` (``-``: no code); ``each DATES`` for a
  finding a date; ``house`` for the episodes of one that is no patient's. Complete.
- ``lines``: ``EP-1 A..B S9325 8 x 9000 = 72000 [charge=96000] [auth=A-1] [payer=blue] [terms=2026-01-01]`` and as
  under days: units, rate and what the payer is expected to pay; the charge is the same unless it is said. Complete.
- ``outcomes``: for every line of ``facts`` and ``raw`` one of ``recorded``, ``duplicate``, ``refused CODE``; or one
  line ``all …``. Absent: all recorded.
- ``because``: ``EP-1 DATE starts pump:7``, ``EP-1 DATE includes pump:7 chart:1``, ``EP-1 DATE only pump:7``,
  ``EP-1 DATE excludes pump:7``, ``EP-1 DATE empty``.

Both clocks: a scenario may tell its facts once and say what follows at several moments, in ``[[scenario.then]]``
blocks. Each has its own ``known_at`` (absent: now, everything known) and its own ``days``, ``billable``, ``findings``,
``lines`` and ``because``; the scenario itself then has none of these. Every block runs as a scenario of its own, named
"SENTENCE, as known at INSTANT" or "SENTENCE, as known now". ``claimed`` in a block, and a ``[scenario.diff]`` table,
say what the command ``diff`` must show; ``test_hard_situations.py`` reads them and tells their notation.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

Entry = dict[str, Any]
Told = Entry | str | bytes
"""What the ledger is told: an intake entry, or a literal line of a file."""
Book = dict[str, Any]
Expected = dict[str, Any]

SCENARIOS: Final = Path(__file__).parent / "scenarios"
STANDARD: Final[dict[str, Any]] = tomllib.loads((SCENARIOS / "_standard.toml").read_text(encoding="utf-8"))

FIRST_CLOCK: Final = datetime(2026, 10, 1, tzinfo=UTC)
LAST_CLOCK: Final = datetime(2028, 12, 1, tzinfo=UTC)
WHOLE_NUMBERS: Final = frozenset(
    {
        *("rank", "interval_hours", "days_supply", "units", "score", "charge_cents", "quantity"),
        *("cents", "posted_cents", "paid_cents"),
    }
)
LOOKS_BACK: Final = {
    **dict.fromkeys(
        ("DayServed", "NursingVisited", "SupplyDispensed", "DrugDispensed", "PainAssessed", "ResponseNoted"), "date"
    ),
    **dict.fromkeys(("CoordinationNoted", "PatientDied", "TherapyResumed"), "date"),
    **dict.fromkeys(("HospitalAdmitted", "HospitalDischarged"), "at"),
    **dict.fromkeys(("TherapyOrdered", "PlanSigned"), "signed_on"),
    "DaysServed": "to",
    "InfusionLogged": "stopped_at",
}
"""The facts that tell of something past, each with the field that says when it was."""
CONSTANTS: Final = {"true": True, "false": False, "null": None}
UNREAD: Final[dict[str, dict[str, Any]]] = {
    "TherapyOrdered": {"prescriber": "1245319599", "signed_on": "2026-09-15"},
    "CoverageVerified": {"member": "M-1"},
    "PainAssessed": {"score": 4},
    "ClaimSubmitted": {"frequency": "1"},
    "ConflictResolved": {"reason": "looked into"},
    "FactRetracted": {"reason": "entered in error"},
    "FactCorrected": {"reason": "entered in error"},
    "PatientsMerged": {"reason": "one person"},
    "PatientsParted": {"reason": "two people"},
    "PaymentReceived": {"payer": "blue"},
}
KEYS: Final = frozenset(
    {
        *("name", "standard", "standard_facts", "without", "more_episodes", "known_at", "keep_recorded_at"),
        *("terms", "editions", "payers", "providers", "agreements", "codes", "facts", "raw"),
        *("days", "billable", "findings", "lines", "outcomes", "because"),
        *("then", "claimed", "diff"),
    }
)
AT_ONE_MOMENT: Final = frozenset({"known_at", "days", "billable", "findings", "lines", "because", "claimed"})

# The verdicts of rulebook section 4, a line a step. Two steps give the same conflicts; the first of them is meant here,
# and conflicts name their own code or none, so the notation makes them say which.
RULEBOOK: Final = """
    not_billable after_death
    not_billable after_discharge
    hold coverage_unverified
    not_billable not_covered
    not_billable payer_excludes_s_codes
    hold no_terms
    not_billable place_of_service
    hold no_agreement
    not_billable inpatient
    not_billable facility
    not_billable hospice
    not_billable held
    not_billable not_served, not_billable under_24_hours
    hold no_order
    not_billable interval_too_long
    hold order_unsigned
    hold no_diagnosis
    hold plan_missing, hold plan_unsigned
    hold pain_assessment_overdue
    not_billable conflict_resolved
    conflict pain_code_exclusion, conflict specific_pair
    conflict pain_code_exclusion, conflict duplicate_per_diem, conflict specific_pair
    hold auth_missing, hold auth_exhausted
    hold no_rate, not_billable concurrent_unpaid
"""
STEPS: Final = [line.strip().split(", ") for line in RULEBOOK.strip().splitlines()]
STEP_OF: Final = {
    verdict.split()[1]: number for number, verdicts in reversed([*enumerate(STEPS, 1)]) for verdict in verdicts
}
ALL_PASSED: Final = len(STEPS) + 1


class NotationError(Exception):
    """A scenario that does not read."""


@dataclass(frozen=True)
class Scenario:
    """One scenario: what was told, against which book, and what must follow from it."""

    name: str
    file: str
    prelude: list[Entry]
    told: list[tuple[int, Told]]
    book: Book
    known_at: str | None
    keep_recorded_at: bool
    days: dict[tuple[str, str], Expected] | None
    episodes: frozenset[str]
    billable: dict[str, int] | None
    findings: list[Expected] | None
    lines: list[Expected] | None
    outcomes: list[str] | None
    because: list[tuple[str, str, str, list[str]]]

    @property
    def id(self) -> str:
        """The name under which the test runs."""
        return f"{self.file}: {self.name}"

    @property
    def entries(self) -> list[Told]:
        """Everything told, in order."""
        return [*self.prelude, *(told for _, told in self.told)]

    @property
    def derives(self) -> bool:
        """Whether anything is expected beside the answers to each line."""
        return any(expected is not None for expected in (self.days, self.billable, self.findings, self.lines))

    def expected_outcomes(self) -> list[str]:
        """The outcome of each thing told after the prelude, blank lines left out."""
        blank = [isinstance(told, str) and not told.strip() for _, told in self.told]
        return [
            self.outcomes[line] if self.outcomes else "recorded"
            for (line, _), skipped in zip(self.told, blank, strict=True)
            if not skipped
        ]

    def accepted(self) -> list[Entry]:
        """The entries that the ledger keeps, for a model that knows no refusals."""
        heard = [told for _, told in self.told if not (isinstance(told, str) and not told.strip())]
        kept = (told for told, outcome in zip(heard, self.expected_outcomes(), strict=True) if outcome == "recorded")
        return [*self.prelude, *(told if isinstance(told, dict) else json.loads(told) for told in kept)]


# Dates


def dates_of(text: str) -> list[str]:
    """``2026-11-02``, ``A..B``, ``A..B/7`` and comma lists of these, as ISO dates in the order written."""
    dates: list[str] = []
    for part in text.split(","):
        ends, _, step = part.partition("/")
        first, _, last = ends.partition("..")
        day, end = date.fromisoformat(first), date.fromisoformat(last or first)
        if end < day:
            raise NotationError(f"dates run backwards: {part}")
        while day <= end:
            dates.append(day.isoformat())
            day += timedelta(days=int(step or 1))
    return dates


def _blocks(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


# Facts

_PREFIX = re.compile(r"(?:@(?P<at>\S+)|#(?P<source>[^:\s]+):(?P<id>\S+)|by:(?P<by>\S+))\s+")
_FIELD = re.compile(r"\s*([A-Za-z_0-9]+)(:?=)")
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")


def _value(name: str, text: str) -> Any:
    if text in CONSTANTS:
        return CONSTANTS[text]
    if name in WHOLE_NUMBERS and _WHOLE.match(text):
        return int(text)
    return text.split(",") if name == "codes" else text


def _fields(text: str) -> Iterator[tuple[str, Any]]:
    place = 0
    while place < len(text):
        match = _FIELD.match(text, place)
        if not match:
            raise NotationError(f"expected field=value at {text[place:]!r}")
        name, place = match[1], match.end()
        if text.startswith("absent", place) and match[2] == ":=":
            value, place = ..., place + len("absent")
        elif match[2] == ":=" or text[place : place + 1] in ("[", "{", '"'):
            value, place = json.JSONDecoder().raw_decode(text, place)
        else:
            word = re.compile(r"\S*").match(text, place)
            assert word
            value, place = _value(name, word[0]), word.end()
        yield name, value
        place += len(text[place:]) - len(text[place:].lstrip())


def _claim_line(text: str) -> dict[str, Any]:
    code, dates, *rest = text.split(":")
    modifiers = {"modifiers": rest.pop().split("+")} if len(rest) > 2 else {}
    first, _, last = dates.partition("..")
    days = (date.fromisoformat(last or first) - date.fromisoformat(first)).days + 1
    units = int(rest[0]) if rest and rest[0] else days
    cents = int(rest[1]) if len(rest) > 1 and rest[1] else units * 9000
    return {"code": code, "from": first, "to": last or first, "units": units, "charge_cents": cents} | modifiers


def fact_of(text: str) -> dict[str, Any]:
    """``DayServed order=RX-1 date=2026-11-02`` as the ``fact`` of an entry."""
    outer, arrow, inner = text.partition(" -> ")
    kind, _, rest = outer.partition(" ")
    fact: dict[str, Any] = {"type": kind}
    for name, value in _fields(rest.strip()):
        if name == "target":
            fact["target_source"], _, fact["target_id"] = value.partition(":")
        elif name == "line":
            fact.setdefault("lines", []).append(_claim_line(value))
        elif name in fact:
            raise NotationError(f"{name} is given twice in {text!r}")
        else:
            fact[name] = value
    for name, value in UNREAD.get(kind, {}).items():
        fact.setdefault(name, value)
    if arrow:
        fact["fact"] = fact_of(inner.strip())
    return {name: value for name, value in fact.items() if value is not ...}


def _has_happened(fact: dict[str, Any]) -> datetime | None:
    """When what a fact looks back on has happened wherever the patient lives; None for what may lie ahead."""
    kind = fact["type"]
    if kind == "FactCorrected":
        return _has_happened(fact["fact"]) if isinstance(fact.get("fact"), dict) else None
    if kind == "ClaimSubmitted":
        lines = fact.get("lines")
        ends = [line.get("to") for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
        told = fact.get("sent_on") or max((end for end in ends if isinstance(end, str)), default=None)
    else:
        told = fact.get(LOOKS_BACK.get(kind, ""))
    try:
        at = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None
    if at is None or at.tzinfo is not None:
        return at
    return at.replace(tzinfo=UTC) + timedelta(days=1, hours=6)


def _one_fact_a_date(fact: dict[str, Any]) -> list[dict[str, Any]]:
    dates = fact.get("date")
    if not isinstance(dates, str) or not re.search(r"\.\.|,", dates):
        return [fact]
    return [fact | {"date": day} for day in dates_of(dates)]


HOUSE: Final = "house"
"""Under this name a scenario tells what the house does; no episode of one bears it."""


class Teller:
    """Gives each fact its identity and its moment."""

    def __init__(self, source: str, clock: datetime = FIRST_CLOCK, *, dated: bool = True) -> None:
        self.source, self.clock, self.dated, self.count = source, clock, dated, 0

    def tell(self, line: str) -> list[Entry]:
        """The entries of one line of the notation."""
        given: dict[str, str] = {}
        while match := _PREFIX.match(line):
            given |= {name: value for name, value in match.groupdict().items() if value is not None}
            line = line[match.end() :]
        episode, _, rest = line.partition(" ")
        told = _one_fact_a_date(fact_of(rest.strip()))
        return [self._entry(episode, fact, given, len(told) > 1) for fact in told]

    def _entry(self, episode: str, fact: dict[str, Any], given: dict[str, str], several: bool) -> Entry:
        self.count += 1
        suffix = f"-{fact['date']}" if several else ""
        entry: Entry = {
            "episode": episode,
            "source": given.get("source", self.source),
            "id": given["id"] + suffix if "id" in given else str(self.count),
            "by": given.get("by", "biller-1"),
        }
        if self.dated or "at" in given:
            entry["recorded_at"] = self._moment(given.get("at"), _has_happened(fact))
        if episode == HOUSE:
            return entry | {"episode": "", "source": "house", "fact": fact}
        return entry | {"fact": fact}

    def _moment(self, given: str | None, happened: datetime | None) -> str:
        if given is None:
            if happened and self.clock < happened < LAST_CLOCK:
                self.clock = happened.astimezone(UTC)
            text = self.clock.strftime("%Y-%m-%dT%H:%MZ")
        else:
            text, self.clock = given, datetime.fromisoformat(given)
        self.clock += timedelta(minutes=1)
        return text


def raw_line(text: str) -> str | bytes:
    """A literal line: ``<<x*9>>`` repeats, ``<<fill:65536>>`` fills up with blanks, ``hex:`` gives the bytes."""
    if text.startswith("hex:"):
        return bytes.fromhex(text.removeprefix("hex:"))
    text = re.sub(r"<<(.)\*([0-9]+)>>", lambda match: match[1] * int(match[2]), text)
    if match := re.search(r"<<fill:([0-9]+)>>", text):
        rest = text.replace(match[0], "")
        text = text.replace(match[0], " " * (int(match[1]) - len(rest.encode())))
    return text


# The book


def _edition(overrides: dict[str, Any]) -> dict[str, Any]:
    keys = {**STANDARD["terms"], **overrides}
    return {name: value for name, value in keys.items() if value != "default"}


def _payer(given: dict[str, Any]) -> dict[str, Any]:
    defaults = {"name": f"{given['id']} (example)", "kind": "commercial"}
    return defaults | given | {"terms": [_edition(terms) for terms in given["terms"]]}


def book_of(given: dict[str, Any]) -> Book:
    """The book of a scenario, in the shape of the TOML files."""
    if not given.get("standard", True):
        names = ("codes", "payers", "providers")
        return {name: given.get(name, []) for name in names}
    editions = [given.get("terms", {}), *given.get("editions", [])]
    payers = [_payer({"id": "blue", "terms": editions}), *map(_payer, given.get("payers", []))]
    agreement = STANDARD["agreement"]
    agreements = given.get("agreements", [agreement | {"payer": payer["id"]} for payer in payers])
    providers = [STANDARD["provider"] | {"agreements": agreements}, *given.get("providers", [])]
    codes = {code["code"]: code for code in STANDARD["codes"]}
    for code in given.get("codes", []):
        codes[code["code"]] = codes.get(code["code"], {"family": "other", "label": "a test's code"}) | code
    return {"codes": list(codes.values()), "payers": payers, "providers": providers}


# The scenario


def _standard_facts(given: dict[str, Any], teller: Teller) -> list[Entry]:
    if not given.get("standard", True) or not given.get("standard_facts", True):
        return []
    entries: list[Entry] = []
    for episode, about in {"EP-1": {}, **given.get("more_episodes", {})}.items():
        words = STANDARD["episode"] | {"episode": episode} | about
        for line in _blocks(STANDARD["facts"].format(**words)):
            if line.split()[1] not in given.get("without", []):
                entries += teller.tell(line)
    return entries


def _attributes(words: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = dict(word.split("=", 1) for word in words)
    if "mod" in found:
        found["mod"] = [] if found["mod"] == "-" else found["mod"].split(",")
    return found


def _expected_day(line: str) -> tuple[str, list[str], Expected]:
    episode, dates, status, *rest = line.split()
    at = next((place for place, word in enumerate(rest) if "=" in word), len(rest))
    words, expected = rest[:at], _attributes(rest[at:])
    reason = None if status == "billable" else words.pop(0)
    if reason is not None and reason not in STEP_OF:
        raise NotationError(f"no such reason: {line}")
    early = reason is not None and STEP_OF[reason] < STEP_OF["specific_pair"]
    if early == bool(words) or len(words) > 1:
        raise NotationError(f"a code is named from the step on that finds it: {line}")
    code = None if early or words[0] == "-" else words[0]
    return episode, dates_of(dates), {"status": status, "reason": reason, "code": code, **expected}


def _days(text: str) -> tuple[dict[tuple[str, str], Expected], frozenset[str]]:
    days: dict[tuple[str, str], Expected] = {}
    episodes: set[str] = set()
    for line in _blocks(text):
        episodes.add(line.split()[0])
        if line.split()[1:] == ["none"]:
            continue
        episode, dates, expected = _expected_day(line)
        for day in dates:
            if (episode, day) in days:
                raise NotationError(f"{episode} {day} is expected twice")
            days[episode, day] = expected
    return days, frozenset(episodes)


def _findings(line: str) -> list[Expected]:
    level, rule, episodes, dates, codes, *rest = line.replace(" each ", " each:").split()
    found = {
        "rule": rule,
        "level": level,
        "patient": _attributes(rest).get("patient", "" if episodes == HOUSE else "P-1"),
        "episodes": [] if episodes == HOUSE else episodes.split(","),
        "codes": [] if codes == "-" else codes.split(","),
    }
    listed = dates_of(dates.removeprefix("each:"))
    return [found | {"dates": said} for said in ([[day] for day in listed] if "each:" in dates else [listed])]


def _all_findings(text: str | None) -> list[Expected] | None:
    return None if text is None else [found for line in _blocks(text) for found in _findings(line)]


_LINE = re.compile(r"(\S+) (\S+) (\S+) ([0-9]+) x ([0-9]+) = ([0-9]+)((?: \S+=\S+)*)\Z")


def _line(text: str) -> Expected:
    match = _LINE.match(text)
    if not match:
        raise NotationError(f"not a line: {text}")
    dates = dates_of(match[2])
    expected = {
        "episode": match[1],
        "code": match[3],
        "from": dates[0],
        "to": dates[-1],
        "units": int(match[4]),
        "rate_cents": int(match[5]),
        "expected_cents": int(match[6]),
        "charge": match[6],
        "auth": None,
        "payer": "blue",
        "mod": [],
    }
    return expected | _attributes(match[7].split())


def _outcomes(text: str | None, count: int) -> list[str] | None:
    if text is None:
        return None
    outcomes = _blocks(text)
    if outcomes[0].startswith("all "):
        outcomes = [outcomes[0].removeprefix("all ")] * count
    if len(outcomes) != count:
        raise NotationError(f"{len(outcomes)} outcomes for {count} lines")
    return outcomes


def _because(text: str) -> list[tuple[str, str, str, list[str]]]:
    rows = [line.split() for line in _blocks(text)]
    return [(episode, day, word, labels) for episode, day, word, *labels in rows]


def scenario_of(given: dict[str, Any], file: str) -> Scenario:
    """One ``[[scenario]]`` table, read."""
    if unknown := given.keys() - KEYS:
        raise NotationError(f"{given.get('name')}: no such key {sorted(unknown)}")
    dated = given.get("keep_recorded_at", True)
    prelude_teller = Teller("standard", dated=dated)
    prelude = _standard_facts(given, prelude_teller)
    teller = Teller("facts", prelude_teller.clock, dated=dated)
    fact_lines, raw = _blocks(given.get("facts", "")), given.get("raw", [])
    told: list[tuple[int, Told]] = [
        (number, entry) for number, line in enumerate(fact_lines) for entry in teller.tell(line)
    ]
    heard = [line for line in raw if line.strip()]
    numbers = iter(range(len(fact_lines), len(fact_lines) + len(heard)))
    told += [(next(numbers) if line.strip() else -1, raw_line(line)) for line in raw]
    days, episodes = _days(given["days"]) if "days" in given else (None, frozenset())
    return Scenario(
        name=given["name"],
        file=file,
        prelude=prelude,
        told=told,
        book=book_of(given),
        known_at=given.get("known_at"),
        keep_recorded_at=dated,
        days=days,
        episodes=frozenset(episodes),
        billable=given.get("billable"),
        findings=_all_findings(given.get("findings")),
        lines=[_line(line) for line in _blocks(given["lines"])] if "lines" in given else None,
        outcomes=_outcomes(given.get("outcomes"), len(fact_lines) + len(heard)),
        because=_because(given.get("because", "")),
    )


def moments(given: dict[str, Any]) -> list[dict[str, Any]]:
    """A ``[[scenario]]`` table once for each moment that its ``then`` blocks speak of, or as it is."""
    if "then" not in given:
        return [given]
    if given.keys() & AT_ONE_MOMENT:
        raise NotationError("what follows is said in the then blocks, and only there")
    shared = {name: value for name, value in given.items() if name != "then"}
    found = []
    for then in given["then"]:
        if unknown := then.keys() - AT_ONE_MOMENT:
            raise NotationError(f"no such key in a then block: {sorted(unknown)}")
        moment = f"at {then['known_at']}" if "known_at" in then else "now"
        found.append(shared | then | {"name": f"{given['name']}, as known {moment}"})
    return found


def tables(file: str) -> list[dict[str, Any]]:
    """The ``[[scenario]]`` tables of one file, unread."""
    found: list[dict[str, Any]] = tomllib.loads((SCENARIOS / f"{file}.toml").read_text(encoding="utf-8"))["scenario"]
    return found


def scenarios() -> list[Scenario]:
    """Every scenario of every file at each of its moments, in the order of the files."""
    found: list[Scenario] = []
    for path in sorted(SCENARIOS.glob("[!_]*.toml")):
        for given in tables(path.stem):
            try:
                found += [scenario_of(each, path.stem) for each in moments(given)]
            except (NotationError, ValueError, KeyError) as error:
                raise NotationError(f"{path.name}, {given.get('name')!r}: {error!r}") from error
    return found
