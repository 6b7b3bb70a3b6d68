"""An entry that says who the patient is goes into a bundle as its hash: it is in the tree, and not to be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from projections.bundle.verify_bundle import Wrong, check_bundle
from tests.command_line import OPENING, SERVED, told
from tests.intake_samples import full
from tests.projections.bundle.bundles import Entries, Members, Sender, rows, with_entries


@pytest.fixture
def sender(tmp_path: Path) -> Sender:
    """A house that knows who its patient is."""
    made = Sender(tmp_path)
    who = told("who", full("PatientIdentified"))
    mended = {"target_source": "pump", "target_id": "who", "reason": "misspelt", "fact": full("PatientIdentified")}
    lines = [told("open", OPENING), who, told("mended", {"type": "FactCorrected", **mended}), told("day", SERVED)]
    assert made.house.tell(*lines, options=("--identity-in-the-open",)).status == 0
    return made


@pytest.fixture
def members(sender: Sender) -> Members:
    return sender.members("EP-1")


def test_it_is_shown_by_its_hash_and_proven_all_the_same(sender: Sender, members: Members) -> None:
    entries = rows(members["entries/1.jsonl"])
    assert [set(entry) - {"content"} for entry in entries] == [
        {"position", "episode", "version", "topic", "state", "proof"} - ({"state"} if hidden else set())
        | ({"leaf"} if hidden else set())
        for hidden in (False, True, True, False)
    ]
    assert not any(b"Birch" in content for content in members.values())
    said = list(check_bundle(members, sender.vkey))
    assert any("2 of them are shown by their hashes alone" in line for line in said)


def _another_leaf(entries: Entries) -> Entries:
    entries[1]["leaf"] = "0" * 64
    return entries


def _no_leaf(entries: Entries) -> Entries:
    entries[1]["leaf"] = "not a hash"
    return entries


def _leaf_and_text(entries: Entries) -> Entries:
    entries[1]["state"] = "{}"
    return entries


@pytest.mark.parametrize("change", [_another_leaf, _no_leaf, _leaf_and_text])
def test_a_hash_that_is_not_in_the_tree_is_refused(sender: Sender, members: Members, change: object) -> None:
    assert callable(change)
    with pytest.raises(Wrong):
        list(check_bundle(with_entries(members, change), sender.vkey))
