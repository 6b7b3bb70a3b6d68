"""Patients with their one to three episodes: who they are, when they start, and which trouble they are in for."""

from __future__ import annotations

import random
from collections.abc import Iterator

from .acts import merge, register_twice
from .book import CAROLINA, GULF, HARBOR, LAKESHORE, MEDICAID, PAYERS, PRAIRIE, PROVIDERS, SUMMIT, Payer, Provider
from .changes import change, episode_voided, provider_changed
from .claims import claim_months, disturb_claims
from .clock import FIRST_DAY, ISO, LAST_DAY, ZONES
from .course import Course, Trouble
from .days import live
from .intake import begin
from .stays import finish, interrupt
from .troubles import disturb_days, exact_duplicate, resolve

# Share of episodes that are in for a kind of trouble; not every course has room for it.
SHARES = {
    "late_entry": 0.05,
    "exact_duplicate": 0.06,
    "respelled_duplicate": 0.03,
    "business_duplicate": 0.06,
    "retraction": 0.05,
    "retract_then_restore": 0.03,
    "correction": 0.05,
    "correction_chain": 0.03,
    "place_of_service": 0.006,
    "place_corrected": 0.02,
    "provider_corrected": 0.015,
    "own_per_diem_by_correction": 0.006,
    "patient_corrected": 0.006,
    "coverage_unverified": 0.005,
    "coverage_gap": 0.025,
    "coverage_ended": 0.025,
    "payer_not_in_book": 0.004,
    "medicare_only": 0.02,
    "no_agreement": 0.03,
    "hospital_stay": 0.08,
    "hospital_stay_open": 0.02,
    "discharge_before_admission": 0.015,
    "hold_and_resume": 0.06,
    "resume_before_hold": 0.015,
    "hospice_elected": 0.06,
    "facility_stay": 0.04,
    "backdated_discharge": 0.04,
    "activity_after_death": 0.04,
    "authorization_exhausted": 0.12,
    "authorization_missing": 0.08,
    "per_diem_by_other_provider": 0.035,
    "catheter_care": 0.04,
    "pharmacy_hours": 0.03,
    "bundled_item": 0.04,
    "orders_overlap": 0.05,
    "conflict_resolved_null": 0.03,
    "order_missing": 0.04,
    "dst_run": 0.3,
    "mode_switch": 0.05,
    "interval_too_long": 0.02,
    "plan_signed_late": 0.05,
    "plan_missing": 0.03,
    "pain_assessment_missing": 0.05,
    "diagnosis_missing": 0.025,
    "rate_missing": 0.04,
    "claim_replaced": 0.08,
    "claim_voided": 0.03,
    "claim_sent_twice": 0.025,
    "claim_reported_twice": 0.02,
    "claim_units_wrong": 0.02,
    "claim_number_reused": 0.03,
    "claimed_ahead": 0.02,
    "hospital_transfer": 0.04,
    "monthly_parts": 0.06,
    "stay_number_reused": 0.04,
    "stays_adjoin": 0.03,
    "hold_number_reused": 0.03,
    "order_renewed": 0.05,
    "order_signed_late": 0.04,
    "order_unsigned": 0.02,
    "authorization_extended": 0.06,
    "member_changed": 0.03,
    "coverage_reinstated": 0.02,
    "provider_changed": 0.03,
    "place_of_a_day": 0.03,
    "therapy_ranked": 0.06,
    "concurrent_unranked": 0.03,
    "told_ahead": 0.05,
    "decision_without_effect": 0.02,
    "supply_short": 0.03,
    "runs_disagree": 0.06,
    "year_typed_wrong": 0.01,
    "episode_voided": 0.01,
}
TWICE = 3  # one in so many patients with two episodes is registered twice; every other merge is taken back
ROUND = 2 * len(SHARES) - 1  # in every so many episodes each kind gets a turn, so that small runs have them all

STAY_DAYS = {
    "post_operative": (2, 3, 3, 3, 3, 3, 4),
    "chronic": (24, 38, 50, 60, 68, 75, 83, 94, 110, 132, 170),
    "palliative": (4, 7, 11, 15, 18, 21, 25, 31, 39, 51, 76),
}
PAYING = (
    (PRAIRIE, 0.22),
    (GULF, 0.15),
    (LAKESHORE, 0.17),
    (CAROLINA, 0.11),
    (SUMMIT, 0.13),
    (MEDICAID, 0.14),
    (HARBOR, 1),
)


def patients(episodes: int, seed: int) -> Iterator[tuple[int, list[Course], list[Trouble]]]:
    """All patients in order of their first day: that day, their episodes, and the trouble between those."""
    serial = group = pairs = 0
    span = LAST_DAY - 4 - FIRST_DAY
    while serial < episodes:
        rng = random.Random((seed << 40) + group)
        first = FIRST_DAY + serial * span // episodes
        drafts = _drafts(rng, group, serial, first, episodes - serial)
        twice = len(drafts) == 2 and pairs % TWICE == 0 and register_twice(drafts)
        yield first, drafts, _written(drafts, twice, parted=pairs // TWICE % 2 == 1)
        serial += len(drafts)
        pairs += len(drafts) == 2
        group += 1


def _drafts(rng: random.Random, group: int, serial: int, first: int, room: int) -> list[Course]:
    """The episodes of a patient, with nothing written yet."""
    roll = rng.random()
    count = min(room, 3 if roll < 0.02 else 2 if roll < 0.08 else 1)
    drafts = [_draft(rng, group, serial, first, None)]
    while len(drafts) < count:
        before = drafts[-1]
        start = _next_start(before)
        if not before.finished or start > LAST_DAY - 3:
            break
        before.last_of_patient = False
        drafts.append(_draft(rng, group, serial + len(drafts), start, before))
    return drafts


def _written(drafts: list[Course], twice: bool, parted: bool) -> list[Trouble]:
    """Write a patient's episodes; gives the trouble between them."""
    between: list[Trouble] = []
    previous: Course | None = None
    for course in drafts:
        course.alone = len(drafts) == 1
        overlap = range(course.start, min(previous.end, course.end) + 1) if previous else range(0)
        if overlap and course.chance(0.6):
            course.blocked.update(overlap)
        _write(course)
        if previous and twice:
            between += merge(previous, course, parted)
        same = previous and previous.patient == course.patient
        if previous and same and overlap and "episode_voided" not in previous.wanted | course.wanted:
            between.append(_overlapping(previous, course, overlap))
        previous = course
    return between


def _next_start(before: Course) -> int:
    """When the next episode of a patient starts: weeks later, or while the one before still runs."""
    if before.chance(0.5):
        return before.end + before.between(3, 60)
    reach = before.length - 1 if before.chance(0.15) else min(4, before.length - 1)
    return before.end - before.between(0, reach)


def _draft(rng: random.Random, group: int, serial: int, start: int, before: Course | None) -> Course:
    """An episode with nothing written yet."""
    draw = rng.random
    roll = draw()
    kind = "post_operative" if roll < 0.30 else "chronic" if roll < 0.55 else "palliative"
    days = _length(kind, draw())
    wanted = frozenset(_wanted(rng, serial))
    payer = before.payer if before and draw() < 0.8 else _payer(draw())
    if "rate_missing" in wanted and start > FIRST_DAY + 181 and draw() < 0.3:
        payer = HARBOR
    elif payer is HARBOR and start < FIRST_DAY + 150:
        payer = PRAIRIE
    if "therapy_ranked" in wanted and draw() < 0.5:
        payer = GULF  # the one that pays by rank
    provider = _provider(draw(), payer, start, "no_agreement" in wanted)
    zone = before.zone if before else ZONES[int(draw() * len(ZONES))]
    end = min(start + days - 1, LAST_DAY)
    course = Course(
        random=draw,
        serial=serial,
        patient=f"P-{group + 1:07d}",
        stranger=f"P-{max(group, 1):07d}",
        payer=payer,
        provider=provider,
        zone=zone,
        kind=kind,
        start=start,
        end=end,
        finished=end == start + days - 1,
        last_of_patient=True,
        alone=True,
        wanted=wanted,
        name=f"EP-{serial + 1:07d}",
    )
    course.style = _style(course)
    return course


def _length(kind: str, share: float) -> int:
    """Days of a course, from the quantiles of its kind."""
    table = STAY_DAYS[kind]
    if kind == "post_operative":
        return table[int(share * len(table))]
    place = share * (len(table) - 1)
    low = int(place)
    return table[low] + int((place - low) * (table[low + 1] - table[low]))


def _wanted(rng: random.Random, serial: int) -> Iterator[str]:
    turn = serial % ROUND
    for place, (kind, share) in enumerate(SHARES.items()):
        if rng.random() < share or turn == 2 * place:
            yield kind


def _payer(roll: float) -> Payer:
    for payer, share in PAYING:
        if roll < share:
            return payer
        roll -= share
    return PAYERS[0]


def _provider(roll: float, payer: Payer, start: int, without: bool) -> Provider:
    """A provider with an agreement, or one without where that is the trouble."""
    chosen = [one for one in PROVIDERS if one.agrees(payer, start) != without]
    if not chosen or (without and payer is HARBOR):
        chosen = [one for one in PROVIDERS if one.agrees(payer, start)]
    return chosen[int(roll * len(chosen))]


def _style(c: Course) -> str:
    """How the days are told: by a daily feed, by pump logs, by both, or dose by dose days apart."""
    roll = c.random()
    if c.counting == "rolling_24h":
        return "runs" if roll < 0.3 else "both" if roll < 0.6 else "daily"
    if roll < (0.22 if c.counts_access else 0.05) and c.length > 5:
        return "spaced"
    return "both" if roll > 0.66 else "runs" if roll > 0.62 else "spans" if roll > 0.56 else "daily"


def _write(c: Course) -> None:
    """Write an episode from opening to the last word about its claims."""
    begin(c)
    if "episode_voided" in c.wanted:
        episode_voided(c)
        return
    if not c.provider.agrees(c.payer, c.start) and c.payer is not HARBOR:
        c.biller_asleep = True
        c.trouble("no_agreement", [c.start], [c.entries[0]], "hold no_agreement")
    interrupt(c)
    if "provider_changed" in c.wanted:
        provider_changed(c)
    if "late_entry" in c.wanted and c.style in ("daily", "both"):
        c.late.update(c.reserve(1, 3, margin=1) or ())
    live(c)
    finish(c)
    disturb_days(c)
    change(c)
    claim_months(c)
    disturb_claims(c)
    if "exact_duplicate" in c.wanted:
        exact_duplicate(c)


def _overlapping(one: Course, other: Course, days: range) -> Trouble:
    """Two episodes of a patient on the same days; at times the later one yields."""
    if other.chance(0.3):
        acts = [resolve(other, day, None, day + 15) for day in days if day in other.served][:5]
        if acts:
            served = [day for day in days if day in other.served][:5]
            other.trouble("conflict_resolved_null", served, acts, "not_billable conflict_resolved")
    openings = [(course.name, course.entries[0]) for course in (one, other)]
    dates = [ISO[day] for day in days]
    effect = "conflict duplicate_per_diem, pain_code_exclusion or specific_pair where both are served"
    return Trouble("overlapping_episodes", one.patient, [one.name, other.name], dates, openings, effect)
