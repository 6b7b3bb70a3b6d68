"""In an encrypted ledger who a patient is, and what a payer says of a claim that nobody knows, stand in no file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.answered import answer, house_with_claims, paid, written
from tests.encrypted_house import Locked, files_with, spelled


@pytest.mark.sqlite_file
def test_neither_identity_nor_an_unmatched_answer_is_in_the_open(tmp_path: Path) -> None:
    house = Locked(tmp_path)
    house_with_claims(tmp_path, made=house)
    files = tmp_path / "inbox"
    files.mkdir()
    one, other = answer("EP-O1-1", "1", 1576, 616), answer("ZZUNKNOWNZZ", "1", 300, 200, control="ZZCONTROLZZ")
    ended = house.run("remit", written(files, [one, other], 816, "T-1"))
    assert [row["outcome"] for row in ended.rows] == ["recorded", "unmatched"]
    assert house.run("assign-remittance", "T-1", "ZZCONTROLZZ", "EP-O1-1", "--by", "desk-1").status == 0
    assert paid(house) == 81600
    assert house.run("verify").status == 0
    secrets = [spelled(each) for each in (b"ZZCONTROLZZ", b"ZZUNKNOWNZZ", b"9 BIRCH STREET", b"1948-05-06")]
    for secret in secrets:
        assert {name for name in files_with(house.folder, secret) if not name.startswith("ledger.views")} == set()


@pytest.mark.sqlite_file
def test_an_answer_for_somebody_who_was_forgotten_waits_like_any_for_no_known_claim(tmp_path: Path) -> None:
    house = Locked(tmp_path)
    house_with_claims(tmp_path, made=house)
    gone = house.run("forget", "P-O1", "--reason", "asked", "--by", "desk-1", "--yes")
    assert gone.status == 0, gone
    files = tmp_path / "inbox"
    files.mkdir()
    ended = house.run("remit", written(files, [answer("EP-O1-1", "1", 1576, 616)], 616, "T-1"))
    assert [row["outcome"] for row in ended.rows] == ["unmatched"]
    assert house.run("payments").rows == house.run("claims", "list").rows == []
