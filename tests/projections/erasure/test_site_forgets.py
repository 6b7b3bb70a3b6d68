"""What a running site keeps in its process goes when a patient is forgotten: no text of theirs can be reached."""

from __future__ import annotations

import functools
import gc
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from commands.desk.uploads import Uploads
from commands.web.guard.security import OpaqueIds
from commands.web.report import Monday
from commands.web.site import Site
from projections.reading import turn
from tests.act_forms import form_at, multipart
from tests.command_line import told
from tests.encrypted_house import Locked
from tests.forgetting import EP, MARK, PATIENT, everybody, forget
from tests.in_process_site import InProcess, Visitor

pytestmark = pytest.mark.sqlite_file

PAGES: Final = (
    "/", "/claims", "/claims/plan", "/findings", "/report", "/report/page", "/pictures", "/report/table/unanswered",
)  # fmt: skip
CACHE: Final = type(functools.lru_cache(lambda: None))
NO_DATA: Final = (types.ModuleType, type, types.FunctionType, types.CodeType, types.FrameType)


@pytest.fixture
def house(tmp_path: Path) -> Locked:
    house = Locked(tmp_path)
    line = {"code": "S9325", "from": "2026-02-02", "to": "2026-02-02", "units": 1, "charge_cents": 100}
    claim = {"type": "ClaimSubmitted", "claim": f"{MARK} claim", "payer": "prairie-blue", "frequency": "1"}
    told_of = [*everybody(), told("c", claim | {"lines": [line]})]
    assert house.tell(*told_of, options=("--no-effect",)).status == 0
    return house


def looked_around(house: Locked) -> tuple[InProcess, Visitor]:
    """A site of which everything was asked for that it keeps: lists, the report, searches, files that were sent."""
    site = InProcess(house.ledger, house.book, master=house.master)
    visitor = site.visitor()
    shown = [visitor.get(path).text for path in (*PAGES, visitor.address_of(EP))]
    assert sum(MARK in each for each in shown) > 3
    assert visitor.post("/looks", patient=PATIENT).status == 303
    assert multipart(form_at(visitor, "/import"), {"file": ("t.csv", f"Episode\n{MARK}\n")}).status in (200, 409)
    assert MARK in texts_kept(site.site)
    return site, visitor


def texts_kept(site: Site) -> str:
    """Every text with the mark that can be reached from a site, or is in a cache of the program's."""
    found = (each for each in gc.get_objects() if isinstance(each, CACHE))
    caches = [each for each in found if each.__module__.partition(".")[0] in ("commands", "ledger", "projections")]
    return " ".join(_marked([site, *caches]))


def _marked(begun: list[Any]) -> Iterator[str]:
    seen, waiting = set[int](), begun
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, NO_DATA):
            continue
        seen.add(id(each))
        text = each.decode("utf-8", "replace") if isinstance(each, bytes | bytearray) else each
        if isinstance(text, str):
            if MARK in text:
                yield text[:200]
        elif isinstance(each, msgspec.Struct):  # those without the collector tell it nothing
            waiting += [getattr(each, name) for name in each.__struct_fields__]
        else:
            waiting += gc.get_referents(each)


@pytest.mark.parametrize("asked", ["/proof", "/health", "/report/page"])
def test_with_the_next_request_nothing_of_theirs_is_kept(house: Locked, asked: str) -> None:
    site, visitor = looked_around(house)
    assert forget(house).status == 0
    assert MARK not in visitor.get(asked).text
    assert texts_kept(site.site) == ""


DROPS: Final[dict[str, tuple[object, str]]] = {
    "everything": (Site, "_let_go"), "lists": (Site, "_let_go_of_lists"), "the report": (Monday, "kept"),
    "files that were sent": (Uploads, "let_go"), "searches": (OpaqueIds, "let_go"),
}  # fmt: skip


@pytest.mark.parametrize("drop", DROPS)
def test_what_is_not_dropped_is_found(house: Locked, monkeypatch: pytest.MonkeyPatch, drop: str) -> None:
    site, visitor = looked_around(house)
    owner, name = DROPS[drop]
    monkeypatch.setattr(owner, name, lambda self, *args, **more: getattr(self, "made", None))
    assert forget(house).status == 0
    visitor.get("/proof")
    assert MARK in texts_kept(site.site)


def test_a_report_that_gets_ready_while_a_page_is_made_is_held_against_the_forgetting(
    house: Locked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was begun before, and is there after the page's look at who was forgotten."""
    site, visitor = looked_around(house)
    before = site.site.monday.made
    assert forget(house).status == 0
    inner = Site._let_go

    def late(self: Site, forgotten_at: int) -> None:
        inner(self, forgotten_at)
        self.monday.made = before

    monkeypatch.setattr(Site, "_let_go", late)
    for path in ("/report/page", "/report/table/unanswered", "/pictures", "/report"):
        assert MARK not in visitor.get(path).text, path


def test_a_list_that_was_read_before_is_not_kept_after(house: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that began before somebody was forgotten ends after another one has let go of everything."""
    monkeypatch.setattr(turn, "PATIENCE_SECONDS", 0.01)  # the other waits for the turn of this one
    site, visitor = looked_around(house)
    with site.site.reading() as reading:
        assert forget(house).status == 0
        visitor.get("/proof")
        made: Callable[[], str] = lambda: MARK  # noqa: E731
        assert site.site.kept(reading, "claims", made) == MARK
    assert texts_kept(site.site) == ""
