"""The bundle has the papers of a claim: file and hash, acknowledgement, remittance; and its check holds them against
the proven entries."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from projections.bundle.verify_bundle import Wrong, check_bundle
from tests import GOLDENS
from tests.answered import CORRECTED, PAID, TAKEN_IN
from tests.command_line import lines_of
from tests.projections.bundle.bundles import Members, Sender, changed, rows


@pytest.fixture
def sender(tmp_path: Path) -> Sender:
    """The open example: its claim written by this program, taken in, paid, taken back and paid anew."""
    made = Sender(tmp_path)
    shutil.rmtree(made.house.book)
    shutil.copytree(GOLDENS / "claims" / "book", made.house.book)
    told = [json.loads(each) for each in (GOLDENS / "claims" / "intake.jsonl").read_text().splitlines()]
    assert made.house.tell(*told, options=("--identity-in-the-open",)).status == 0
    assert made.house.run("claims", "write", "--out", tmp_path / "out").status == 0
    assert made.house.run("ack", TAKEN_IN).status in (0, 1)
    assert made.house.run("remit", PAID, CORRECTED).status in (0, 1)
    return made


@pytest.fixture
def members(sender: Sender) -> Members:
    return sender.members("EP-O1")


def test_the_claim_its_file_and_what_came_back_are_there_and_are_checked(sender: Sender, members: Members) -> None:
    (paper,) = rows(members["papers/1.jsonl"])
    (file,) = (sender.folder / "out").glob("*.837")
    assert (paper["file"], paper["file_sha256"]) == (file.name, hashlib.sha256(file.read_bytes()).hexdigest())
    assert [each["status"] for each in paper["acknowledgements"]] == ["accepted"]
    assert [each["paid_cents"] for each in paper["remittances"]] == [122400, -122400, 131200]
    assert (paper["state"], paper["paid_cents"]) == ("paid", 131200)
    assert "EP-O1: 1 claim, 1 acknowledgement, 3 remittances, each as its entry says" in list(
        check_bundle(members, sender.vkey)
    )
    page = members["report/1.html"].decode()
    assert paper["file_sha256"] in page
    assert "$1,312.00 paid" in page


def test_nothing_in_it_says_who_the_patient_is(members: Members) -> None:
    who = next(
        line["fact"]
        for line in map(json.loads, (GOLDENS / "claims" / "intake.jsonl").read_text().splitlines())
        if line["fact"]["type"] == "PatientIdentified"
    )
    for name in ("last", "address", "birth_date"):
        assert not any(str(who[name]).encode() in content for content in members.values()), name


def _more(paper: dict[str, Any]) -> None:
    paper["remittances"][0]["paid_cents"] += 1


def _sum(paper: dict[str, Any]) -> None:
    paper["paid_cents"] += 1


def _charge(paper: dict[str, Any]) -> None:
    paper["charge_cents"] += 1


def _accepted(paper: dict[str, Any]) -> None:
    paper["acknowledgements"][0]["status"] = "rejected"


def _other(paper: dict[str, Any]) -> None:
    paper["remittances"][0]["version"] = 1


@pytest.mark.parametrize("change", [_more, _sum, _charge, _accepted, _other])
def test_papers_that_are_not_as_their_entries_say_are_refused(sender: Sender, members: Members, change: Any) -> None:
    papers = rows(members["papers/1.jsonl"])
    change(papers[0])
    with pytest.raises(Wrong, match=r"papers/1\.jsonl, line 1"):
        list(check_bundle(changed(members, "papers/1.jsonl", lines_of(papers)), sender.vkey))


def test_a_bundle_of_before_has_no_papers_and_is_checked_all_the_same(sender: Sender, members: Members) -> None:
    before = changed({name: each for name, each in members.items() if name != "papers/1.jsonl"}, "README.txt", b"old")
    assert any("versions 1 to" in line for line in check_bundle(before, sender.vkey))
