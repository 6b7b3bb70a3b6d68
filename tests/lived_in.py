"""A site that much has happened at, and where somebody who looks at all of it begins."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from commands.web.guard.rights import MAY
from tests import kept
from tests.answered import answer, house_with_claims, written
from tests.command_line import ANYWAY, House, Told, example, told
from tests.watched_site import Watched, WatchedSite

ALICE, BOB, OLD, NEW, EVE = "ZQALICE", "ZQBOB", "ZQOLD", "ZQNEW", "ZQEVE"
WALKED: Final = {asked for asked in MAY if asked[0] == "GET"}


def lived_in(folder: Path) -> House:
    """Claims, answers, findings, held days and open work of several patients: one was opened under another's name, one
    was merged; a month is closed, and a piece of work has a note."""
    return kept.house(folder, "lived-in", _live)


def _live(house: House) -> None:
    house_with_claims(house.folder, made=house)
    nobodys = [answer("NOBODYS", "1", 1000, 300, control="RH9")]
    assert house.run("remit", written(house.folder, nobodys, 300, "T-1")).status == 1
    lines = [
        *opened_by_mistake("EP-1", ALICE, BOB), *example("EP-2", BOB), *example("EP-3", OLD), *example("EP-4", NEW),
        *example("EP-5", EVE),
    ]  # fmt: skip
    assert house.tell(*lines, options=("--no-effect",)).status == 0
    for command in (
        ("merge-patients", OLD, NEW, "--reason", "one person", "--yes"), ("close", "2026-02", *ANYWAY),
        ("worklist", "note", "EP-4", "no_terms", "call again"),
    ):  # fmt: skip
        ended = house.run(*command)
        assert ended.status == 0, (command, ended.err)


def opened_by_mistake(episode: str, once: str, now: str) -> list[Told]:
    """An episode opened for one patient, and corrected to be another's."""
    lines = example(episode, once)
    naming = {"target_source": "intake", "target_id": "1", "reason": "the wrong patient"}
    corrected = {"type": "FactCorrected", **naming, "fact": lines[0]["fact"] | {"patient": now}}
    return [*lines, told("fix", corrected, episode=episode)]


def begun(site: WatchedSite, visitor: Watched) -> list[str]:
    """Addresses to begin at that no link leads to: a search, access records, what is shown when that was asked for."""
    found = [visitor.post("/search", text=text).headers["location"] for text in ("EP", BOB)]
    found.append(visitor.post("/looks", patient=ALICE).headers["location"])
    asked = visitor.get(site.site.episode_href("EP-1"))
    assert asked.status == 409, "it names another patient, too"
    (also,) = re.findall(r'name="also" value="([a-z0-9]+)"', asked.text)
    assert visitor.post("/also-shows", also=also).status == 303
    return [*found, *(site.site.episode_href(f"EP-{number}") for number in (1, 5, 4)), "/?done=any", "/report?all=1"]
