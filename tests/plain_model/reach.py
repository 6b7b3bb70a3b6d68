"""How often the random histories reach each verdict and each finding of the rulebook, by the plain model alone.

    python -m tests.plain_model.reach [--seeds N] [--from SEED]

Exit status 1 if one is never reached.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable
from random import Random

from tests.histories import history

from . import derive

VERDICTS = (
    ("billable", None),
    *(
        ("not_billable", reason)
        for reason in ("after_death", "after_discharge", "not_covered", "payer_excludes_s_codes")
    ),
    *(("not_billable", reason) for reason in ("place_of_service", "inpatient", "facility", "hospice", "held")),
    *(("not_billable", reason) for reason in ("not_served", "under_24_hours", "interval_too_long")),
    *(("not_billable", reason) for reason in ("conflict_resolved", "concurrent_unpaid")),
    *(("hold", reason) for reason in ("coverage_unverified", "no_terms", "no_agreement", "no_order", "order_unsigned")),
    *(("hold", reason) for reason in ("no_diagnosis", "plan_missing", "plan_unsigned", "pain_assessment_overdue")),
    *(("hold", reason) for reason in ("auth_missing", "auth_exhausted", "no_rate")),
    *(("conflict", reason) for reason in ("pain_code_exclusion", "duplicate_per_diem", "specific_pair")),
    *(("conflict at step 21", reason) for reason in ("pain_code_exclusion", "specific_pair")),
)
"""Every verdict of section 4; a conflict within an episode (step 21: no code yet) apart from one across (step 22)."""
FINDINGS = (
    *("pain_code_exclusion", "duplicate_per_diem", "specific_pair", "catheter_care_with_per_diem"),
    *("pharmacy_hours_with_per_diem", "bundled_item_billed", "served_after_death", "served_after_discharge"),
    *("served_while_inpatient", "mixed_pain_codes", "claimed_not_billable", "billable_not_claimed"),
    *("claimed_before_signature", "claimed_ahead", "claimed_twice", "claim_units", "replaces_unknown"),
    *("number_reused", "unmatched", "stays_adjoin", "stay_stretched", "stay_open", "voided_with_facts"),
    *("evidence_gap", "coverage_overlap", "coverage_reinstated", "runs_disagree", "served_beyond_supply"),
    *("concurrent_unranked", "decision_without_effect", "correction_window"),
)
"""Every rule of section 5."""

Reached = Counter[tuple[str, str | None]]


def reached_by(seeds: Iterable[int]) -> Reached:
    """How many days have each verdict, and how many findings each rule (under `finding`), over these seeds."""
    reached: Reached = Counter()
    for seed in seeds:
        entries, book = history(Random(seed), house=True)
        derived = derive(entries, book)
        for row in derived.days:
            inside = row["status"] == "conflict" and row["code"] is None
            reached["conflict at step 21" if inside else row["status"], row["reason"]] += 1
        reached.update(("finding", row["rule"]) for row in derived.findings)
    return reached


def expected() -> list[tuple[str, str | None]]:
    """What has to be reached."""
    return [*VERDICTS, *(("finding", rule) for rule in FINDINGS)]


def main() -> int:
    """Print the counts."""
    parser = argparse.ArgumentParser(description="How often each verdict and finding is reached.")
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--from", type=int, default=0, dest="first")
    chosen = parser.parse_args()
    begun = time.perf_counter()
    reached = reached_by(range(chosen.first, chosen.first + chosen.seeds))
    spent = (time.perf_counter() - begun) / chosen.seeds * 1000
    for status, reason in sorted(expected(), key=lambda key: reached[key]):
        print(f"{reached[status, reason]:9}  {status} {reason or ''}")
    never = [key for key in expected() if not reached[key]]
    unexpected = sorted(str(key) for key in reached.keys() - set(expected()))
    print(
        f"{chosen.seeds} histories, {spent:.1f} ms each; never reached: {len(never)}; unknown: {unexpected or 'none'}"
    )
    return 1 if never or unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
