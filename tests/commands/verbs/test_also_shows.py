"""An episode that once named another patient is handed out and shown only when that was asked for by name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.command_line import Ended, House, Told, assert_plain, example, told
from tests.projections.bundle.bundles import Sender
from tests.running_site import running

ALICE: Final = "ZQALICEZQ"
OLD: Final = "ZQOLDZQ"
WHO: Final = {"EP-1": ALICE, "EP-3": OLD}


def opened_by_mistake(episode: str, once: str, now: str) -> list[Told]:
    """An episode opened for one patient by mistake, with notes about her, and corrected to be another's."""
    lines = example(episode, once)
    naming = {"target_source": "intake", "target_id": "1", "reason": "the wrong patient"}
    corrected = {"type": "FactCorrected", **naming, "fact": lines[0]["fact"] | {"patient": now}}
    note = {"type": "CoordinationNoted", "date": "2026-02-02", "note": f"spoke with {once}"}
    return [*lines, told("note", note, episode=episode), told("fix", corrected, episode=episode)]


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Sender:
    """EP-1 was ALICE's and is BOB's; EP-2 was always BOB's; EP-3 was opened for a name that was merged into another;
    EP-5 was given to the wrong patient and back."""
    sender = Sender(tmp_path_factory.mktemp("sender"))
    back = {"type": "FactRetracted", "target_source": "pump", "target_id": "fix", "reason": "she it is"}
    lines = [
        *opened_by_mistake("EP-1", ALICE, "BOB"), *example("EP-2", "BOB"), *example("EP-3", OLD),
        *example("EP-4", "NEW"), *opened_by_mistake("EP-5", "CAROL", "DORA"), told("back", back, episode="EP-5"),
    ]  # fmt: skip
    assert sender.house.tell(*lines).status == 0
    merged = sender.house.run("merge-patients", OLD, "NEW", "--reason", "one person", "--yes")
    assert merged.status == 0, merged
    return sender


class TestHandedOut:
    def made(self, sender: Sender, tmp_path: Path, verb: str, *args: object) -> tuple[Ended, bytes]:
        out = tmp_path / "out"
        ended = sender.bundle(*args, "--out", out) if verb == "bundle" else sender.house.run(verb, *args, "--out", out)
        return ended, out.read_bytes() if out.exists() else b""

    @pytest.mark.parametrize("verb", ["bundle", "page"])
    @pytest.mark.parametrize("episode", ["EP-1", "EP-3"])
    def test_another_patient_is_not_shown_until_named(
        self, sender: Sender, tmp_path: Path, verb: str, episode: str
    ) -> None:
        name = WHO[episode]
        ended, content = self.made(sender, tmp_path, verb, episode)
        assert_plain(ended, 2, f"episode {episode}", "--also-shows NAME")
        assert name not in ended.err
        assert content == b""
        ended, content = self.made(sender, tmp_path, verb, episode, "--also-shows", name)
        assert ended.status == 0, ended
        assert name.encode() in content

    @pytest.mark.parametrize("verb", ["bundle", "page"])
    def test_nobody_is_asked_for_where_nobody_else_is_named(self, sender: Sender, tmp_path: Path, verb: str) -> None:
        for episode in ("EP-2", "EP-4"):
            ended, content = self.made(sender, tmp_path, verb, episode)
            assert ended.status == 0, ended
            assert not [name for name in (ALICE, OLD) if name.encode() in content]
            (tmp_path / "out").unlink()

    @pytest.mark.parametrize("verb", ["bundle", "page"])
    @pytest.mark.parametrize("named", ["BOB", "NOBODY", "alice"])
    def test_a_name_that_is_not_shown_besides_is_a_slip(
        self, sender: Sender, tmp_path: Path, verb: str, named: str
    ) -> None:
        ended, content = self.made(sender, tmp_path, verb, "EP-1", "--also-shows", ALICE, "--also-shows", named)
        assert_plain(ended, 2, "--also-shows: ")
        assert (content, named in ended.err) == (b"", False)

    def test_a_correction_that_was_taken_back_named_another_all_the_same(self, sender: Sender, tmp_path: Path) -> None:
        assert self.made(sender, tmp_path, "page", "EP-5")[0].status == 2
        assert self.made(sender, tmp_path, "page", "EP-5", "--also-shows", "DORA")[0].status == 0

    def test_as_known_before_the_correction_it_is_the_wrong_patients_page(self, sender: Sender, tmp_path: Path) -> None:
        lines = [line | {"recorded_at": "2026-03-01T12:00:00Z"} for line in opened_by_mistake("EP-6", ALICE, "BOB")]
        lines[-1]["recorded_at"] = "2026-03-05T12:00:00Z"
        assert sender.house.tell(*lines, options=["--keep-recorded-at"]).status == 0
        then = ("EP-6", "--known-at", "2026-03-02T00:00Z")
        assert self.made(sender, tmp_path, "page", *then)[0].status == 2
        ended, content = self.made(sender, tmp_path, "page", *then, "--also-shows", ALICE)
        assert (ended.status, ALICE.encode() in content) == (0, True)

    def test_several_episodes_ask_for_every_name(self, sender: Sender, tmp_path: Path) -> None:
        of_one = ("EP-1", "EP-3", "--also-shows", ALICE)
        assert_plain(self.made(sender, tmp_path, "bundle", *of_one)[0], 2, "episode EP-3")
        assert self.made(sender, tmp_path, "bundle", *of_one, "--also-shows", OLD)[0].status == 0


@pytest.mark.process
class TestOnTheSite:
    def test_the_episode_is_shown_when_that_was_asked_for_and_to_that_session_alone(self, sender: Sender) -> None:
        with running(sender.house.ledger) as site:
            visitor, other = site.visitor(), site.visitor()
            address = visitor.address_of("EP-1")
            for path in (address, f"{address}?day=2026-02-02", f"{address}/why?day=2026-02-02",
                         f"{address}?known_at=2098-01-01T00:00Z"):  # fmt: skip
                asked = visitor.get(path)
                assert asked.status == 409, path
                assert "names another patient" in asked.text
                assert ALICE not in asked.text
            fields = dict(re.findall(r'type="hidden" name="([a-z]+)" value="([a-z0-9]+)"', asked.text))
            shown = visitor.post("/also-shows", **fields)
            assert (shown.status, shown.headers["location"]) == (303, address)
            assert visitor.get(address).status == 200
            assert visitor.get(f"{address}/why?day=2026-02-02").status == 200
            assert other.get(address).status == 409
            assert visitor.post("/also-shows", **(fields | {"also": "aaaa"})).status == 404

    def test_an_episode_that_names_nobody_else_is_shown_at_once(self, sender: Sender) -> None:
        with running(sender.house.ledger) as site:
            visitor = site.visitor()
            assert visitor.get(visitor.address_of("EP-2")).status == 200


def test_a_house_that_merged_nobody_is_asked_for_nothing(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.tell(*example("EP-1", "P-1")).status == 0
    assert house.run("page", "EP-1").status == 0
