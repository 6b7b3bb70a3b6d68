"""The addresses of what is looked at, and of what is decided there."""

from __future__ import annotations

from typing import Final

from commands.web.app import Addresses
from commands.web.forms import SHORT, Bounds
from commands.web.looking.claims import assign_answer, assign_form, claims_page, plan_page, unmatched_page
from commands.web.looking.deciding import assign_work, decide_together, note_work, put_work_away
from commands.web.looking.episode import history_page, printed_page
from commands.web.looking.episode_tables import episode_table
from commands.web.looking.found import findings_list, found_page, holds_page, search
from commands.web.looking.looks import ask_for_looks, looks_form, looks_page
from commands.web.looking.monday import report_charts, report_page
from commands.web.looking.monday_tables import report_table
from commands.web.looking.pictures import pictures_page
from commands.web.looking.proof import choose_zone, proof_page
from commands.web.looking.tables import listed
from commands.web.looking.worklist import work_page, worklist_page

NOTE: Final = Bounds(16 * 1024, 8)
"""A note of a thousand characters, each of them written as twelve."""
ROWS: Final = Bounds(32 * 1024, 80)
"""The ticked rows of a page, and a note."""
LOOKING: Final = Addresses(
    pages={
        "/": listed(worklist_page),
        "/open-work/{id}": work_page,
        "/episode/{id}/history": history_page,
        "/episode/{id}/print": printed_page,
        "/episode/{id}/table/{name}": listed(episode_table),
        "/found/{id}": listed(found_page),
        "/holds": listed(holds_page),
        "/findings": listed(findings_list),
        "/claims": listed(claims_page),
        "/claims/plan": listed(plan_page),
        "/payments/unmatched": listed(unmatched_page),
        "/payments/unmatched/{id}": assign_form,
        "/report": report_page,
        "/report/page": report_charts,
        "/report/table/{name}": listed(report_table),
        "/pictures": listed(pictures_page),
        "/looks": looks_form,
        "/looks/{id}": listed(looks_page),
        "/proof": proof_page,
    },
    forms={
        "/search": (search, SHORT),
        "/open-work": (decide_together, ROWS),
        "/open-work/{id}/assign": (assign_work, SHORT),
        "/open-work/{id}/note": (note_work, NOTE),
        "/open-work/{id}/done-until": (put_work_away, SHORT),
        "/payments/unmatched/{id}": (assign_answer, SHORT),
        "/looks": (ask_for_looks, SHORT),
        "/zone": (choose_zone, SHORT),
    },
)
