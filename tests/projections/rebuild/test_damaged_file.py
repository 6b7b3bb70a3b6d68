"""A read model whose file is damaged: ``rebuild`` builds another, and every other command says so."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from projections.read_model.generations import Places
from projections.read_model.trouble import DamagedViews, NotViews
from projections.rebuild.rebuild import certificates
from tests.command_line import House
from tests.read_models import Site
from tests.stores import examples

NOISE = Random(20261128)

FILES: dict[str, Callable[[bytes], bytes]] = {
    "garbage": lambda whole: NOISE.randbytes(len(whole)),
    "no database": lambda whole: b"a letter to nobody\n",
    "cut off in the middle": lambda whole: whole[: len(whole) // 2],
    "cut off in its first page": lambda whole: whole[:1000],
    "a damaged middle": lambda whole: whole[:4096] + b"\xff" * (len(whole) - 4096),
    "zeros in the middle": lambda whole: whole[:4096] + bytes(len(whole) - 4096),
    "damaged tables of tables": lambda whole: whole[:100] + b"\xff" * 3996 + whole[4096:],
}


def damaged(views: Path, how: Callable[[bytes], bytes]) -> None:
    live = views.resolve()
    live.write_bytes(how(live.read_bytes()))
    for log in live.parent.glob(f"{live.name}-*"):
        log.unlink()


@pytest.mark.parametrize("how", FILES)
def test_a_damaged_read_model_is_healed_by_rebuild_and_that_is_said(house: House, how: str) -> None:
    before = house.run("days").out
    damaged(house.views, FILES[how])
    told = house.run("rebuild", tty=True)
    assert told.status == 0, told.err
    assert "compared with nothing: the file of the read model is damaged" in told.out.decode()
    assert house.run("days").out == before
    (made,) = certificates(Places(house.views))
    assert (made.outcome, made.switched, bool(made.not_compared)) == ("first", True, True)
    again = house.run("rebuild", "--check").rows[0]
    assert (again["outcome"], again["not_compared"]) == ("equal", None)


@pytest.mark.parametrize("how", ["garbage", "a damaged middle"])
def test_what_every_other_command_says_of_a_damaged_read_model_names_rebuild(house: House, how: str) -> None:
    damaged(house.views, FILES[how])
    for args in (["days"], ["rebuild", "--check"]):
        ended = house.run(*args)
        assert ended.status == 3, args
        assert "damaged" in ended.err
        assert "hint: 'episode-ledger rebuild' builds another" in ended.err
    looked = house.run("doctor")
    (row,) = [row for row in looked.rows if row["check"] == "read model"]
    assert (looked.status, row["state"]) == (1, "wrong")
    assert "'episode-ledger rebuild'" in row["do"]


def test_an_empty_file_is_a_read_model_of_nothing_yet(house: House) -> None:
    before = house.run("days").out
    damaged(house.views, lambda whole: b"")
    assert house.run("rebuild").rows[0]["switched"]
    assert house.run("days").out == before


def test_nobody_goes_back_to_a_damaged_read_model(site: Site) -> None:
    site.rebuild()
    good = site.places.previous()
    damaged(site.places.live, FILES["garbage"])
    site.rebuild()
    assert site.places.previous() == good


def test_a_database_of_another_program_is_left_as_it_is(site: Site) -> None:
    live = site.places.live.resolve()
    live.unlink()
    with sqlite3.connect(live) as other:
        other.execute("CREATE TABLE photographs (name TEXT)")
    other.close()
    before = live.read_bytes()
    with pytest.raises(NotViews):
        site.rebuild()
    assert live.read_bytes() == before


def test_only_comparing_a_damaged_read_model_builds_nothing(site: Site) -> None:
    damaged(site.places.live, FILES["a damaged middle"])
    names = site.names()
    with pytest.raises(DamagedViews):
        site.rebuild(check=True)
    assert site.names() == names


@pytest.mark.parametrize("seed", [1])
def test_wherever_a_read_model_is_damaged_rebuild_heals_it(site: Site, seed: int) -> None:
    """A few bytes anywhere; also where they still make a database, whose rows are then compared and replaced."""
    rng = Random(seed)
    before, good = site.rows(), site.places.live.resolve().read_bytes()
    for _ in range(examples(20)):
        torn = bytearray(good)
        for _ in range(rng.choice((1, 3, 60))):
            torn[rng.randrange(len(torn))] = rng.randrange(256)
        damaged(site.places.live, lambda _, torn=bytes(torn): torn)  # type: ignore[misc]
        made = site.rebuild()
        assert made.switched, made
        assert site.rows() == before
