"""The book checked, written, shown and compared, without a ledger."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commands.verbs import book as command
from ledger.book import load_book
from tests.command_line import BOOK, LIVE, Ended, assert_plain, run

PAYER = """\
id = "alpha"
name = "Alpha Health"
kind = "commercial"

[[terms]]
from = 2026-01-01
published = 2025-11-01
checked = 2026-11-28
source = "Fee schedule 2026, page 14"
accepts_s_codes = true
pain_code = "general"
day_counting = "access"
rate_cents = { S9325 = 13300 }
"""
PROVIDER = """\
npi = "1234567893"
name = "Northside"
taxonomy = "3336H0001X"

[[agreements]]
payer = "alpha"
signed_on = 2025-12-01
from = 2026-01-01
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "utc_now", lambda: datetime(2026, 11, 28, tzinfo=UTC))
    (tmp_path / "book" / "payers").mkdir(parents=True)
    (tmp_path / "book" / "providers").mkdir()
    (tmp_path / "book" / "payers" / "alpha.toml").write_text(PAYER)
    (tmp_path / "book" / "providers" / "northside.toml").write_text(PROVIDER)
    return tmp_path / "book"


def changed(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path.write_text(text)


def check(*args: object) -> Ended:
    return run("book", "check", *args)


# check


def test_a_book_in_order_is_said_to_be(folder: Path) -> None:
    assert check(folder) == Ended(0, b"The book is in order.\n", "")


def test_nine_mistakes_come_in_one_run(folder: Path) -> None:
    changed(
        folder / "payers" / "alpha.toml",
        ('"commercial"', '"PPO"'),
        ('"general"', '"generic"'),
        ("13300", "133.00"),
        ('source = "Fee schedule 2026, page 14"', 'source = ""'),
        ("accepts_s_codes", "accepts_s_code"),
    )
    changed(
        folder / "providers" / "northside.toml",
        ('npi = "1234567893"', 'npi = "1234567894"'),
        ('payer = "alpha"', 'payer = "alhpa"'),
        ("from = 2026-01-01", "from = 2026-01-01\nto = 2026-06-30\nrate_cents = { S9325 = 133 }"),
    )
    (folder / "payers" / "beta.toml").write_text("id = \n")
    ended = check(folder)
    said = ended.out.decode()
    for words in (
        "kind: 'PPO' is not one of commercial, medicaid, medicare",
        "pain_code: 'generic' is not one of general, specific",
        "rate in whole cents: 133.00 is 13300",
        "source: is empty",
        "accepts_s_code: no key of this name; did you mean accepts_s_codes?",
        "123456789 ends in 3",
        "payer: no file in payers/ has this id; did you mean alpha?",
        "rate_cents.S9325: 133 is 1.33 dollars a day; expected 10 to 1,000 dollars; rate in whole cents: 133.00 is",
        "beta.toml: is not TOML",
        "to: ran out on 2026-06-30",
    ):
        assert words in said, words
    assert ended.status == 1
    assert ended.err == "11 mistakes; 9 of them must be corrected before it can be used.\n"
    assert len(said.splitlines()) == 11, "accepts_s_codes is missing, too"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("13300", "999", "rate_cents.S9325: 999 is 9.99 dollars a day; expected 10 to 1,000 dollars"),
        ("13300", "100001", "rate_cents.S9325: 100001 is 1,000.01 dollars a day"),
        ('"Fee schedule 2026, page 14"', '"TODO: look for it"', "source: cites nothing"),
        ('"Fee schedule 2026, page 14"', '"n/a"', "source: cites nothing"),
        ('"Fee schedule 2026, page 14"', '" "', "source: cites nothing"),
        ("checked = 2026-11-28", "checked = 2025-10-01", "checked: 2025-10-01 is before it was published, 2025-11-01"),
    ],
)
def test_what_looks_mistaken_is_said_and_the_book_can_be_used(
    folder: Path, before: str, after: str, words: str
) -> None:
    changed(folder / "payers" / "alpha.toml", (before, after))
    ended = check(folder)
    assert (ended.status, ended.err) == (1, "1 mistake; it can be used.\n")
    assert words in ended.out.decode()
    assert load_book(folder)


@pytest.mark.parametrize(
    "change",
    [("13300", "1000"), ("13300", "100000"), ('"Fee schedule 2026, page 14"', '"Todos los Santos Plan, rates 2026"')],
)
def test_it_stays_quiet_at_the_bounds(folder: Path, change: tuple[str, str]) -> None:
    changed(folder / "payers" / "alpha.toml", change)
    assert check(folder).status == 0


def test_editions_out_of_order_are_told(folder: Path) -> None:
    edition = PAYER[PAYER.index("[[terms]]") :]
    later = edition.replace("2026-01-01", "2026-07-01").replace("2025-11-01", "2026-05-01")
    path = folder / "payers" / "alpha.toml"
    path.write_text(PAYER + "\n" + later)
    assert check(folder).status == 0
    path.write_text(PAYER.replace(edition, later) + "\n" + edition)
    assert (
        "[[terms]] 2 (from 2026-01-01): from: out of order: it stands after the edition from 2026-07-01"
        in check(folder).out.decode()
    )


def test_an_agreement_that_is_followed_did_not_run_out(folder: Path) -> None:
    path = folder / "providers" / "northside.toml"
    ended = PROVIDER + "to = 2026-06-30\n"
    path.write_text(ended)
    assert "[[agreements]] (payer alpha): to: ran out on 2026-06-30" in check(folder).out.decode()
    path.write_text(ended + PROVIDER[PROVIDER.index("[[agreements]]") :].replace("2026-01-01", "2026-07-01"))
    assert check(folder).status == 0


def test_without_a_folder_it_is_the_book_that_is_named(folder: Path) -> None:
    changed(folder / "payers" / "alpha.toml", ("13300", "999"))
    assert run("--book", folder, "book", "check").status == 1
    assert run("book", "check", env={"EPISODE_BOOK": str(folder)}).status == 1
    assert not (folder.parent / "ledger.db").exists()


def test_a_folder_that_is_no_book(folder: Path) -> None:
    assert_plain(check(folder / "nothing"), 2, "no such folder")


# show


def test_the_terms_of_a_day_are_shown(folder: Path) -> None:
    row = {row["key"]: row for row in run("--book", folder, "book", "show", "alpha", "--on", "2026-03-01").rows}
    assert (row["from"]["value"], row["rate"]["value"], row["day_counting"]["value"]) == (
        "2026-01-01", "S9325 133.00", "access",
    )  # fmt: skip
    assert (row["rate"]["said"], row["line_max_days"]["said"], row["line_max_days"]["value"]) == (True, False, "31")
    assert row["agreement"]["value"] == "Northside (1234567893), from 2026-01-01"
    table = run("--book", folder, "book", "show", "alpha", "--on", "2026-03-01", "--format", "table").out.decode()
    assert table.startswith("Alpha Health on 2026-03-01: terms from 2026-01-01, published 2025-11-01")


def test_before_the_first_edition_no_terms_are_in_force(folder: Path) -> None:
    rows = run("--book", folder, "book", "show", "alpha", "--on", "2025-03-01").rows
    assert [row["key"] for row in rows] == ["id", "name", "kind"]


def test_a_payer_that_is_not_there_has_a_neighbour(folder: Path) -> None:
    assert_plain(run("--book", folder, "book", "show", "alhpa"), 2, "did you mean alpha?")


# diff


def test_two_books_that_say_the_same(folder: Path) -> None:
    same = run("book", "diff", folder, folder, "--format", "table")
    assert (same.status, same.out.decode()) == (0, "The two books say the same.\n")


def test_what_two_books_say_otherwise(folder: Path) -> None:
    other = folder.parent / "other"
    shutil.copytree(folder, other)
    changed(other / "payers" / "alpha.toml", ("13300", "14000"), ("Alpha Health", "Alpha"))
    (other / "payers" / "beta.toml").write_text(PAYER.replace("alpha", "beta"))
    changed(other / "providers" / "northside.toml", ("from = 2026-01-01", "from = 2026-02-01"))
    rows = [tuple(row.values()) for row in run("book", "diff", folder, other).rows]
    assert rows == [
        ("payer alpha", "", "name", "Alpha Health", "Alpha"),
        ("payer alpha", "terms from 2026-01-01, published 2025-11-01", "rate", "S9325 133.00", "S9325 140.00"),
        ("payer beta", "", "", "–", "there"),
        ("provider 1234567893", "agreement with alpha from 2026-01-01, signed 2025-12-01", "", "there", "–"),
        ("provider 1234567893", "agreement with alpha from 2026-02-01, signed 2025-12-01", "", "–", "there"),
    ]


# new


def test_a_filled_form_becomes_a_file_that_says_the_same(folder: Path) -> None:
    form = PAYER.replace('"alpha"', '"gamma plan/1"')
    ended = run("book", "new", "payer", folder, "--form", "-", stdin=form.encode())
    assert ended.status == 0, ended
    written = folder / "payers" / "gamma-plan-1.toml"
    book = load_book(folder)
    assert book.payers["gamma plan/1"].terms == book.payers["alpha"].terms
    assert "## which dates count as served" in written.read_text()
    assert max(map(len, written.read_text().splitlines())) <= 120


def test_every_payer_and_provider_is_written_as_it_was(folder: Path) -> None:
    for kind, subfolder in (("payer", "payers"), ("provider", "providers")):
        for path in sorted((BOOK / subfolder).glob("*.toml")):
            assert run("book", "new", kind, folder.parent / "copy", "--form", path).status == 0
    assert load_book(folder.parent / "copy").hash == load_book(BOOK).hash


def test_a_file_that_is_there_is_never_overwritten(folder: Path) -> None:
    before = (folder / "payers" / "alpha.toml").read_bytes()
    ended = run("book", "new", "payer", folder, "--form", "-", stdin=PAYER.replace("13300", "9000").encode())
    assert_plain(ended, 2, "alpha.toml is there already")
    assert (folder / "payers" / "alpha.toml").read_bytes() == before


@pytest.mark.parametrize("kind", ["payer", "provider"])
def test_a_blank_form_says_what_is_missing(folder: Path, kind: str) -> None:
    form = run("book", "new", kind, "--blank").out
    ended = run("book", "new", kind, folder, "--form", "-", stdin=form)
    assert ended.status == 2
    assert "is missing; expected" in ended.err
    assert "name" in ended.err
    assert sorted(path.name for path in folder.rglob("*.toml")) == ["alpha.toml", "northside.toml"]


def test_a_form_with_mistakes_writes_nothing(folder: Path) -> None:
    form = PAYER.replace('"alpha"', '"beta"').replace("13300", "133.00").replace('"general"', '"all"')
    ended = run("book", "new", "payer", folder, "--form", "-", stdin=form.encode())
    assert ended.status == 2
    assert "133.00 is 13300" in ended.err
    assert "'all' is not one of general, specific" in ended.err
    assert not (folder / "payers" / "beta.toml").exists()


def test_in_a_pipe_nobody_is_asked(folder: Path) -> None:
    assert_plain(run("book", "new", "payer", folder), 2, "nobody can be asked here", "--blank")


def on_a_terminal(folder: Path, kind: str, answers: str) -> str:
    """What a person sees who is asked, and gives these answers."""
    ours, theirs = pty.openpty()
    asked = [*LIVE, "book", "new", kind, str(folder)]
    process = subprocess.Popen(asked, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, answers.encode())
    shown = b""
    try:
        while part := os.read(ours, 10_000):
            shown += part
    except OSError:  # Linux says so when the other side is closed
        pass
    os.close(ours)
    assert process.wait() == 0, shown.decode()
    return shown.decode()


@pytest.mark.skipif(sys.platform != "linux", reason="a terminal of Linux")
def test_on_a_terminal_each_answer_is_looked_at_at_once(folder: Path) -> None:
    answers = [
        "delta",
        "Delta Plan",
        "PPO",
        "commercial",
        "2026-01-01",
        "2025-12-01",
        "",
        "2026-01-05",
        "",
        "",
        "access",
    ]
    shown = on_a_terminal(folder, "payer", "\n".join([*answers, "yes", "90", "about 90", "$133.00", ""]))
    assert "'PPO' is not one of commercial, medicaid, medicare" in shown
    assert "expected dollars such as 133.00" in shown
    (terms,) = load_book(folder).payers["delta"].terms
    assert (terms.rate_cents, terms.auth_required, terms.timely_filing_days) == ({"S9325": 13300}, True, 90)
    assert "source: cites nothing" in run("book", "check", folder).out.decode(), "it is still to be cited"


@pytest.mark.skipif(sys.platform != "linux", reason="a terminal of Linux")
def test_a_provider_is_asked_for_its_agreements(folder: Path) -> None:
    (folder / "providers" / "northside.toml").unlink()
    answers = ["1234567894", "1234567893", "Lakeside", "", "y", "alpha", "2025-12-01", "2026-01-01", "", "n", ""]
    assert "123456789 ends in 3" in on_a_terminal(folder, "provider", "\n".join(answers))
    assert load_book(folder).agreements("1234567893", "alpha") != []
