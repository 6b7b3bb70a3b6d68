"""The addresses of what is looked at, and of what is decided there."""

from __future__ import annotations

from typing import Final

from commands.web.app import Addresses
from commands.web.looking.episode import history_page, lines_csv, printed_page
from commands.web.looking.proof import choose_zone, proof_page
from commands.web.looking.worklist import assign_work, note_work, put_work_away, work_page, worklist_page

LOOKING: Final = Addresses(
    pages={
        "/": worklist_page,
        "/work/{id}": work_page,
        "/episode/{id}/history": history_page,
        "/episode/{id}/print": printed_page,
        "/episode/{id}/lines": lines_csv,
        "/proof": proof_page,
    },
    forms={
        "/work/{id}/assign": assign_work,
        "/work/{id}/note": note_work,
        "/work/{id}/done-until": put_work_away,
        "/zone": choose_zone,
    },
)
