"""``import``: the month comes in without code, again is quiet, and what is told otherwise is proposed."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import LIVE, Ended, House, assert_plain, lines_of, told
from tests.month import MAP, MONTH, SAME, Month, rows_of


@pytest.fixture
def month(tmp_path: Path) -> Month:
    return Month(tmp_path)


@pytest.fixture
def known(month: Month) -> Month:
    """The month, imported once."""
    assert month.bring_in().status == 0
    return month


def outcomes(ended: Ended) -> Counter[str]:
    return Counter(row["outcome"] for row in ended.rows if "outcome" in row)


def proposed(ended: Ended) -> list[dict[str, Any]]:
    return [row for row in ended.rows if "proposed" in row]


def entries_of(house: House, episode: str) -> list[dict[str, Any]]:
    return [row for row in house.run("replay", episode).rows if row["episode"] == episode]


# The month


def test_the_month_comes_in_at_once(month: Month) -> None:
    ended = month.bring_in()
    assert ended.status == 0
    assert outcomes(ended) == {"recorded": 175}
    assert "117 rows: 175 recorded, 0 duplicate, 0 refused" in ended.err


@pytest.mark.parametrize("asked", ["days", "lines", "findings"])
def test_the_month_is_judged_as_when_a_program_told_it(known: Month, tmp_path: Path, asked: str) -> None:
    """But for a ticket: one DaysServed here, there a DayServed on each date, which ended with the month."""
    (tmp_path / "program").mkdir()
    program = Month(tmp_path / "program")
    assert program.run("record", SAME).status == 0
    ours, theirs = (house.run(asked, "--to", "2026-10-31").rows for house in (known, program))
    for row in [*ours, *theirs]:
        row.pop("because", None)
    assert ours == theirs
    assert ours or asked == "findings"


def test_importing_again_is_quiet(known: Month) -> None:
    ended = known.bring_in()
    assert (ended.status, outcomes(ended), proposed(ended)) == (0, {"duplicate": 175}, [])
    assert "Rows that are gone from an export are left alone" in ended.err


def test_importing_again_under_another_name_is_quiet(month: Month) -> None:
    text = MAP.read_text(encoding="utf-8").replace('by = "jm"\n', "")
    (month.folder / "map.toml").write_text(text, encoding="utf-8")
    for name, found in (("ann", "recorded"), ("bob", "duplicate")):
        ended = month.run("import", month.sheet("patients"), "--map", month.folder / "map.toml", "--by", name)
        assert outcomes(ended).keys() == {found}


def test_sheets_are_read_in_the_order_of_the_mapping(month: Month) -> None:
    """Patients first, whatever the order in which the files are named: their rows open the episodes."""
    ended = month.bring_in("delivery_tickets", "patients", "orders")
    assert (ended.status, ended.rows[0]["file"]) == (0, "patients.csv")


def test_a_ticket_that_is_not_confirmed_has_not_happened(known: Month) -> None:
    told = str(entries_of(known, "E-100424"))
    assert "DT-88225" in told
    assert "DT-88225/days" not in told


# Told again


def test_a_ticket_that_got_shorter_is_proposed_as_a_correction(known: Month) -> None:
    known.change("delivery_tickets", "10/08/2026,10/14/2026", "10/08/2026,10/12/2026")
    ended = known.bring_in("delivery_tickets")
    assert ended.status == 1
    (row,) = proposed(ended)
    assert row["entry"] == "pharmacy:DT-88140/days"
    assert (row["proposed"], row["file"], row["row"]) == ("corrected", "delivery_tickets.csv", 3)
    assert row["differences"] == [{"field": "to", "stands": "2026-10-14", "told": "2026-10-12"}]
    assert row["reason"] == "told otherwise in delivery_tickets.csv, row 3"
    assert "None of it was recorded; --yes records it." in ended.err
    assert proposed(known.bring_in("delivery_tickets")) == proposed(ended)


def test_a_correction_that_is_agreed_to_is_recorded_with_its_reason(known: Month) -> None:
    known.change("delivery_tickets", "10/08/2026,10/14/2026", "10/08/2026,10/12/2026")
    ended = known.bring_in("delivery_tickets", options=("--yes", "--reason", "pharmacy shortened it"))
    assert ended.status == 0
    assert "1 of 1 recorded" in ended.err
    assert (
        "pharmacy:DT-88140/days~1 (FactCorrected of pharmacy:DT-88140/days)"
        in known.run("replay", "E-100411", "--format", "table").out.decode()
    )
    again = known.bring_in("delivery_tickets")
    assert (again.status, outcomes(again).keys()) == (0, {"duplicate"})


def test_nothing_is_recorded_where_a_person_says_no(known: Month) -> None:
    known.change("delivery_tickets", "10/08/2026,10/14/2026", "10/08/2026,10/12/2026")
    before = known.run("status").rows[0]["position"]
    assert known.bring_in("delivery_tickets").status == 1
    assert known.run("status").rows[0]["position"] == before


@pytest.mark.sqlite_file
@pytest.mark.process
@pytest.mark.parametrize(("answer", "recorded"), [(b"y\n", True), (b"n\n", False), (b"\n", False)])
def test_in_a_terminal_a_correction_is_asked_for(known: Month, answer: bytes, recorded: bool) -> None:
    known.change("delivery_tickets", "10/08/2026,10/14/2026", "10/08/2026,10/12/2026")
    ours, theirs = pty.openpty()
    command = [*LIVE, *known.named, "import", str(known.sheet("delivery_tickets")), "--map", str(MAP)]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        os.write(ours, answer)
        _, err = running.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert err.count(b"Record these corrections? [y/N]") == 1
    assert (b"1 of 1 recorded" in err, b"None of it was recorded" in err) == (recorded, not recorded)
    assert running.returncode == (0 if recorded else 1)
    assert ("FactCorrected" in {row["type"] for row in entries_of(known, "E-100411")}) == recorded


def test_what_changes_back_is_told_otherwise_again(known: Month) -> None:
    for before, after in (("10/14", "10/12"), ("10/12", "10/14")):
        known.change("delivery_tickets", f"10/08/2026,{before}/2026", f"10/08/2026,{after}/2026")
        assert known.bring_in("delivery_tickets", options=["--yes"]).status == 0
    assert "~2" in str(entries_of(known, "E-100411"))
    assert outcomes(known.bring_in("delivery_tickets")).keys() == {"duplicate"}


def test_a_ticket_that_was_confirmed_and_is_no_more_is_proposed_as_a_retraction(known: Month) -> None:
    known.change("delivery_tickets", "3,EA,CONFIRMED", "3,EA,RETURNED")
    (row,) = proposed(known.bring_in("delivery_tickets", options=["--yes"]))
    assert (row["proposed"], row["entry"]) == ("retracted", "pharmacy:DT-88220/days")
    assert proposed(known.bring_in("delivery_tickets")) == []
    known.change("delivery_tickets", "3,EA,RETURNED", "3,EA,CONFIRMED")
    (row,) = proposed(known.bring_in("delivery_tickets", options=["--yes"]))
    assert (row["proposed"], row["entry"]) == ("restored", "pharmacy:DT-88220/days")
    ended = known.bring_in("delivery_tickets")
    assert (outcomes(ended).keys(), proposed(ended)) == ({"duplicate"}, [])


def test_a_list_that_got_shorter_tells_no_more_what_stood_beyond_its_end(known: Month) -> None:
    known.change("patients", "C25.9;G89.3,", "C25.9,")
    (row,) = proposed(known.bring_in("patients"))
    assert (row["proposed"], row["entry"]) == ("retracted", "pharmacy:dx2")


def test_an_opening_is_corrected_like_any_fact(known: Month) -> None:
    text = MAP.read_text(encoding="utf-8").replace('"MRN{MRN}"', '"P{MRN}"')
    (known.folder / "map.toml").write_text(text, encoding="utf-8")
    ended = known.run("import", known.sheet("patients"), "--map", known.folder / "map.toml", "--yes")
    assert ended.status == 0
    assert Counter(row["proposed"] for row in proposed(ended)) == {"corrected": 12}
    assert {row["patient"] for row in known.run("days").rows} >= {"P100411"}


def test_what_a_person_mended_since_stands(known: Month) -> None:
    """The export tells what it told; a person knew better. It is neither doubled nor undone."""
    right = {"type": "DaysServed", "order": "RX-7001", "from": "2026-10-08", "to": "2026-10-13"}
    mended = {"type": "FactCorrected", "target_source": "pharmacy", "target_id": "DT-88140/days", "reason": "r",
              "fact": right}  # fmt: skip
    gone = {"type": "FactRetracted", "target_source": "pharmacy", "target_id": "DT-88177/days", "reason": "r"}
    for number, fact in enumerate((mended, gone)):
        line = told(f"fix-{number}", fact, episode="E-100411", source="desk")
        assert known.run("record", "-", stdin=lines_of([line])).status == 0
    ended = known.bring_in("delivery_tickets")
    assert (ended.status, proposed(ended), outcomes(ended)["left_alone"]) == (0, [], 1)
    assert "1 left as somebody mended it" in ended.err


def test_a_change_that_goes_over_what_a_person_mended_says_so(known: Month) -> None:
    right = {"type": "DaysServed", "order": "RX-7001", "from": "2026-10-08", "to": "2026-10-13"}
    fact = {"type": "FactCorrected", "target_source": "pharmacy", "target_id": "DT-88140/days", "reason": "r",
            "fact": right}  # fmt: skip
    known.run("record", "-", stdin=lines_of([told("fix", fact, episode="E-100411", source="desk")]))
    known.change("delivery_tickets", "10/08/2026,10/14/2026", "10/08/2026,10/11/2026")
    (row,) = proposed(known.bring_in("delivery_tickets"))
    assert row["by_hand"]


def test_on_a_terminal_a_proposal_is_one_sentence(known: Month) -> None:
    known.change("delivery_tickets", "10/08/2026,10/14/2026", "10/08/2026,10/12/2026")
    known.change("delivery_tickets", "3,EA,CONFIRMED", "3,EA,RETURNED")
    said = known.bring_in("delivery_tickets", tty=True).out.decode()
    assert said.splitlines()[1:] == [
        "E-100411 pharmacy:DT-88140/days (DaysServed) corrected: to 2026-10-14 → 2026-10-12",
        "  (delivery_tickets.csv, row 3)",
        "E-100411 pharmacy:DT-88220/days (DaysServed) retracted (delivery_tickets.csv, row 5)",
    ]


# Rehearsed


def effect_of(ended: Ended) -> list[str]:
    lines = ended.err.splitlines()
    return lines[next(number for number, line in enumerate(lines) if line.endswith("days change:")) :]


def test_a_dry_run_says_what_the_real_run_says_and_records_nothing(month: Month) -> None:
    rehearsed = month.bring_in(options=["--dry-run"])
    assert rehearsed.err.startswith("Nothing was recorded; it would be: 117 rows: 175 recorded")
    assert month.run("status").status == 2
    real = month.bring_in()
    assert (rehearsed.out, effect_of(rehearsed)) == (real.out, effect_of(real))
    assert "  E-100412 2026-10-05 to 2026-10-09: no day → billable S9325, +665.00" in effect_of(real)


def test_a_dry_run_shows_the_effect_of_corrections_with_yes_and_records_none(known: Month) -> None:
    known.change("delivery_tickets", "10/08/2026,10/14/2026", "10/08/2026,10/12/2026")
    before = known.run("status").rows[0]["position"]
    ended = known.bring_in("delivery_tickets", options=["--dry-run"])
    assert "With --yes it would be recorded; --dry-run --yes shows the effect with it." in ended.err
    assert "days change" not in ended.err
    ended = known.bring_in("delivery_tickets", options=["--dry-run", "--yes"])
    assert "1 of 1 would be recorded" in ended.err
    assert "  E-100411 2026-10-13 to 2026-10-14: billable S9325 → not billable: not served, -266.00" in effect_of(ended)
    assert known.run("status").rows[0]["position"] == before


# Gone


def test_a_row_that_is_gone_is_left_alone_unless_the_export_is_complete(known: Month) -> None:
    known.change("pain_scores", "100411,10/8/2026,5,rn1\r\n", "")
    assert proposed(known.bring_in("pain_scores")) == []
    (row,) = proposed(known.bring_in("pain_scores", options=["--complete"]))
    assert (row["proposed"], row["entry"], row["row"]) == ("retracted", "chart:pain-2026-10-08", None)
    assert row["reason"] == "gone from the complete export pain_scores.csv"
    assert known.bring_in("pain_scores", options=["--complete", "--yes"]).status == 0
    assert proposed(known.bring_in("pain_scores", options=["--complete"])) == []


def test_a_row_that_comes_back_is_restored(known: Month) -> None:
    whole = known.sheet("pain_scores").read_bytes()
    known.change("pain_scores", "100411,10/8/2026,5,rn1\r\n", "")
    assert known.bring_in("pain_scores", options=["--complete", "--yes"]).status == 0
    known.sheet("pain_scores").write_bytes(whole)
    (row,) = proposed(known.bring_in("pain_scores", options=["--yes"]))
    assert row["proposed"] == "restored"
    assert outcomes(known.bring_in("pain_scores")).keys() == {"duplicate"}


def test_a_complete_export_says_nothing_of_dates_outside_its_own(known: Month) -> None:
    rows = known.sheet("pain_scores").read_bytes().splitlines(keepends=True)
    early = [row for row in rows if b"/2026" not in row or any(f",10/{day}/".encode() in row for day in range(8, 16))]
    known.sheet("pain_scores").write_bytes(b"".join(early))
    assert proposed(known.bring_in("pain_scores", options=["--complete"])) == []
    options = ("--complete", "--from", "2026-10-01", "--to", "2026-10-15")
    gone = proposed(known.bring_in("pain_scores", options=options))
    assert gone
    assert all(row["entry"] < "chart:pain-2026-10-08" for row in gone)


def test_facts_of_another_source_or_kind_are_not_gone(known: Month) -> None:
    fact = {"type": "PainAssessed", "date": "2026-10-09", "score": 3}
    for source, id in (("desk", "pain-2026-10-09"), ("chart", "by-hand")):
        known.run("record", "-", stdin=lines_of([told(id, fact, episode="E-100411", source=source)]))
    assert proposed(known.bring_in("pain_scores", options=["--complete"])) == []


def test_an_export_with_refused_rows_is_not_complete(known: Month) -> None:
    known.change("pain_scores", "100411,10/8/2026,5,rn1", "100411,10/8/2026,much,rn1")
    ended = known.bring_in("pain_scores", options=["--complete", "--yes"])
    assert (ended.status, proposed(ended)) == (1, [])
    assert "What is gone is not looked for: rows were refused." in ended.err


# Two rows under one id


def test_two_rows_that_tell_one_fact_differently_are_no_correction(month: Month) -> None:
    month.change("pain_scores", "100411,10/8/2026,5,rn1\r\n", "100411,10/8/2026,5,rn1\r\n100411,10/08/2026,7,rn1\r\n")
    for _ in range(2):
        ended = month.bring_in("patients", "pain_scores", options=["--yes"])
        assert (ended.status, proposed(ended)) == (1, [])
        assert "pain_scores.csv, row 4: tells otherwise what row 3 tells under the same id" in ended.err


def test_a_row_for_each_status_of_a_ticket_is_no_contradiction(month: Month) -> None:
    line = "DT-88101,100411,RX-7001,10/01/2026,10/07/2026,hydromorphone 10 mg/mL 100 mL cassette,00409-1234-01,2,EA,"
    month.change("delivery_tickets", f"{line}CONFIRMED\r\n", f"{line}SHIPPED\r\n{line}CONFIRMED\r\n")
    for _ in range(2):
        ended = month.bring_in("patients", "delivery_tickets", options=["--yes"])
        assert (ended.status, proposed(ended)) == (0, [])


# Refused rows


def test_a_refusal_names_file_row_and_column_and_not_what_stands_there(month: Month) -> None:
    month.change("delivery_tickets", "00409-1234-01,2,EA", "0040912340,many,BOX")
    ended = month.bring_in("patients", "delivery_tickets")
    (row,) = [row for row in ended.rows if row["outcome"] == "refused"]
    assert row["code"] == "malformed"
    assert row["message"].split(". ") == [
        'delivery_tickets.csv, row 2: "NDC": expected an NDC with its hyphens: ten digits alone do not say where the '
        "zero goes, which is in front of the first part of 4-4-2, in front of the second part of 5-3-2, in front of "
        "the last part of 5-4-1",
        '"Qty": expected a number above 0 with at most 3 decimal places, such as 2 or 1.5',
        '"UM": expected one of EA, ML; or add what stands here to [tables.units] of the mapping',
        "Correct the row and import it again.",
    ]


def test_what_the_door_refuses_is_told_of_the_columns(month: Month) -> None:
    month.change("plans", "10/01/2026,10/01/2026,11/29/2026", "10/01/2026,10/01/2026,09/29/2026")
    month.change("plans", "POC-100412,10/05/2026", "POC-100412,10/05/2027")
    ended = month.bring_in("patients", "plans")
    first, second = [row["message"] for row in ended.rows if row["outcome"] == "refused"]
    assert first.startswith('plans.csv, row 2: "End": expected a date not before from. Correct the row and import')
    assert second.startswith('plans.csv, row 3: "Signed": expected a date that has come')


def test_rows_of_an_episode_that_is_not_open_say_what_to_import_first(month: Month) -> None:
    ended = month.bring_in("orders")
    assert {row["code"] for row in ended.rows} == {"not_opened"}
    assert (
        'row 2: "MRN": expected an episode that was opened before. Import the patients first'
        in ended.rows[0]["message"]
    )


def test_refused_rows_are_written_to_be_mended_and_sent_again(month: Month) -> None:
    month.change("pain_scores", "100411,10/8/2026,5", "100411,10/8/2026,=high")
    mend = month.folder / "mend"
    ended = month.bring_in("patients", "pain_scores", options=["--refused", mend])
    assert ended.status == 1
    assert f"Refused rows are in {mend / 'pain_scores.csv'}" in ended.err
    (row,) = rows_of(mend / "pain_scores.csv")
    assert (row["MRN"], row["Score (0-10)"], row["Row"]) == ("100411", "'=high", "3")
    assert row["Why refused"].startswith('"Score (0-10)": expected a whole number')
    assert (mend / "pain_scores.csv").stat().st_mode & 0o777 == 0o600
    text = (mend / "pain_scores.csv").read_text(encoding="utf-8")
    (mend / "pain_scores.csv").write_text(text.replace("'=high", "5"), encoding="utf-8")
    again = month.run("import", mend / "pain_scores.csv", "--map", MAP)
    assert (again.status, outcomes(again)) == (0, {"recorded": 1})


def test_refused_rows_never_replace_a_file_unless_that_is_said(month: Month) -> None:
    month.change("pain_scores", "100411,10/8/2026,5", "100411,10/8/2026,x")
    mend = month.folder / "mend"
    mend.mkdir()
    (mend / "pain_scores.csv").write_text("mine")
    assert_plain(month.bring_in("pain_scores", options=["--refused", mend]), 2, "--force replaces it")
    assert (mend / "pain_scores.csv").read_text() == "mine"
    assert month.bring_in("pain_scores", options=["--refused", mend, "--force"]).status == 1
    assert "mine" not in (mend / "pain_scores.csv").read_text()
    assert [path.name for path in mend.iterdir()] == ["pain_scores.csv"]


# The command


def test_a_column_that_is_not_there_is_told_before_anything_is_read(month: Month) -> None:
    month.change("delivery_tickets", "Svc From,Svc To", "Service From,Svc Till")
    ended = month.bring_in("delivery_tickets")
    assert ended.status == 2
    assert 'delivery_tickets.csv: has no column "Svc From"; did you mean "Service From"?' in ended.err
    assert 'has no column "Svc To"; did you mean "Svc Till"?' in ended.err
    assert ended.out == b""


def test_a_file_that_the_mapping_does_not_speak_of_is_told(month: Month) -> None:
    (month.folder / "remits.csv").write_text("A,B\n1,2\n")
    ended = month.run("import", month.folder / "remits.csv", month.sheet("patients"), "--map", MAP)
    assert_plain(ended, 2, "remits.csv: no [[sheets]] of the mapping is of this name")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--map", MAP), "name the FILES to import"),
        ((MONTH / "orders.csv",), "name a mapping with --map; ready ones are patients"),
        ((MONTH / "orders.csv", "--map", "ordrs"), "ordrs: cannot be read"),
        ((MONTH / "orders.csv", "--map", MAP, "--from", "2026-10-01"), "give --complete, too"),
        ((MONTH / "orders.csv", "--map", MAP, "--reason", " "), "--reason: expected 1 to 1,000 characters"),
    ],
)
def test_what_is_asked_wrongly_is_refused(month: Month, words: tuple[object, ...], says: str) -> None:
    assert_plain(month.run("import", *words), 2, says)


def test_on_a_terminal_only_refused_rows_are_listed(month: Month) -> None:
    assert month.bring_in(tty=True).out.decode() == "No row was refused.\n"


def test_every_line_it_prints_is_json_in_a_pipe(known: Month) -> None:
    known.change("delivery_tickets", "10/08/2026,10/14/2026", "10/08/2026,10/12/2026")
    for line in known.bring_in("delivery_tickets").out.splitlines():
        assert isinstance(json.loads(line), dict)
