"""The patient's coverage: who pays, from when, under which number; what is taken back, and given again."""

from __future__ import annotations

from .book import PAYERS
from .clock import DAY, ISO
from .course import Course, Entry
from .facts import fact


def cover(c: Course) -> None:
    """The patient's coverage, in order of rank."""
    if "coverage_unverified" in c.wanted:
        c.biller_asleep = True
        c.trouble("coverage_unverified", [c.start], [], "hold coverage_unverified")
        return
    since = c.start - c.between(20, 500)
    if "payer_not_in_book" in c.wanted:
        c.biller_asleep = True
        entry = _verify(c, "unlisted-plan", since, None, 1)
        c.trouble("payer_not_in_book", [c.start], [entry], "hold no_terms")
        return
    if "medicare_only" in c.wanted:
        c.biller_asleep = True
        entry = _verify(c, "medicare", since, None, 1)
        c.trouble("medicare_only", [c.start], [entry], "not_billable payer_excludes_s_codes")
        return
    rank = 1
    if c.kind == "palliative" and c.chance(0.25):
        _verify(c, "medicare", since, None, 1)
        rank = 2
    gap = c.reserve(2, 12) if "coverage_gap" in c.wanted else None
    changed = c.reserve(1, 1) if "member_changed" in c.wanted and gap is None else None
    if changed is not None:
        _verify(c, c.payer.id, since, None, rank)
        change_member(c, changed[0], rank)
    elif gap is not None:
        spells = [_verify(c, c.payer.id, since, gap[0] - 1, rank), _verify(c, c.payer.id, gap[-1] + 1, None, rank)]
        c.blocked.update(gap)
        c.trouble("coverage_gap", gap, spells, _uncovered(rank))
    else:
        _verify(c, c.payer.id, since, c.end + c.between(5, 200) if c.chance(0.15) else None, rank)
    if "coverage_ended" in c.wanted and gap is None and changed is None:
        end_coverage(c, rank)
    elif "coverage_reinstated" in c.wanted and gap is None and changed is None:
        reinstate(c, since, rank)


def end_coverage(c: Course, rank: int) -> None:
    """The payer takes its coverage back weeks later; another steps in at rank 2, or nobody does."""
    gone = c.reserve(1, 1, margin=3)
    if gone is None:
        return
    day = gone[0]
    fields = {"payer": c.payer.id, "last_date": ISO[day]}
    at = (c.end + c.between(20, 60)) * DAY
    concerned = [c.add(at, "intake", "covend", c.staff["coordinator"], fact("CoverageEnded", fields))]
    effect = _uncovered(rank)
    if c.chance(0.75):
        other = next(p for p in (PAYERS[0], PAYERS[2], PAYERS[5]) if p is not c.payer and c.provider.agrees(p, c.start))
        concerned.append(_verify(c, other.id, c.start - 30, None, rank + 1))
        effect = f"payer becomes {other.id}"
    c.trouble("coverage_ended", range(day + 1, c.end + 1), concerned, effect)


def _uncovered(rank: int) -> str:
    """What a day without the payer is: Medicare alone takes no S codes."""
    return "not_billable not_covered" if rank == 1 else "not_billable payer_excludes_s_codes"


def change_member(c: Course, day: int, rank: int) -> None:
    """The payer gives the patient another number, from a date on."""
    member = f"M-{c.serial:07d}-B"
    entry = _verify(c, c.payer.id, day, None, rank, member, c.charted(day))
    c.trouble("member_changed", range(day, c.end + 1), [entry], f"member {member}")


def reinstate(c: Course, since: int, rank: int) -> None:
    """The payer ends its coverage, and weeks later verifies it once more for the whole time."""
    ended = c.reserve(1, 1, margin=3)
    if ended is None:
        return
    fields = {"payer": c.payer.id, "last_date": ISO[ended[0]]}
    at = (c.end + c.between(20, 60)) * DAY
    end = c.add(at, "intake", "covend", c.staff["coordinator"], fact("CoverageEnded", fields))
    again = _verify(c, c.payer.id, since, None, rank, at=at + c.between(3, 20) * DAY)
    c.trouble("coverage_reinstated", [since, ended[0]], [end, again], "finding coverage_reinstated")


def _verify(c: Course, payer: str, since: int, end: int | None, rank: int, member: str = "", at: int = 0) -> Entry:
    fields: dict[str, object] = {"payer": payer, "member": member or f"M-{c.serial:07d}", "from": ISO[since]}
    if end is not None:
        fields["to"] = ISO[end]
    if rank != 1:
        fields["rank"] = rank
    at = at or c.opened + c.between(0, 7_200)
    return c.add(at, "intake", "cov", c.staff["coordinator"], fact("CoverageVerified", fields))
