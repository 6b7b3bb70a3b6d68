"""What of a bundle somebody vouches for; that a later checkpoint goes on from an earlier one; who else has seen it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.proof.checkpoint import note_of
from ledger.proof.merkle import consistency_of, proofs_of, root_of
from ledger.proof.signing import load_key, sign
from projections.bundle import verify_bundle
from projections.bundle.zip import zip_of
from tests.command_line import assert_plain, example
from tests.projections.bundle.bundles import LATER, Members, Sender, as_folder, changed, members_in, of_ep_1, rows, tell
from tests.witness import cosigned

Check = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Sender:
    sender = Sender(tmp_path_factory.mktemp("vouched"))
    tell(sender.house, of_ep_1(), LATER)
    return sender


@pytest.fixture(scope="module")
def members(sender: Sender) -> Members:
    return sender.members("EP-1")


@pytest.fixture
def check(sender: Sender, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    def checked(what: Members | bytes, *options: str, signer: str | None = sender.vkey) -> tuple[int, str]:
        place = tmp_path / "checked"
        place.write_bytes(zip_of(what) if isinstance(what, dict) else what)
        status = verify_bundle.main([str(place), *(["--signer", signer] if signer else []), *options])
        return status, capsys.readouterr().out

    return checked


def rewritten(members: Members) -> Members:
    """What a middleman makes of it: other verdicts, with hashes that fit."""
    days = [row | {"status": "not_billable"} for row in rows(members["verdicts/1.jsonl"])]
    return changed(members, "verdicts/1.jsonl", b"".join(json.dumps(row).encode() + b"\n" for row in days))


class TestTheManifest:
    def test_is_signed_and_what_is_stated_is_the_signers_word(self, members: Members, check: Check) -> None:
        status, said = check(members)
        assert (status, said.splitlines()[-1]) == (0, "PROVEN")
        assert "ok      manifest: signed by house.example/l, who vouches for all that is listed in it" in said
        assert "as the signer states them" in said

    def test_of_a_rewritten_bundle_nobody_vouches_for_more_than_the_entries(
        self, members: Members, check: Check
    ) -> None:
        status, said = check(rewritten(members))
        assert status == 3
        assert said.splitlines()[-1].startswith("PROVEN ARE THE ENTRIES ALONE: nobody signed the manifest")
        assert "as the sender states them" in said

    def test_with_the_signature_of_what_it_was_it_is_refused(self, members: Members, check: Check) -> None:
        status, said = check(rewritten(members) | {"manifest.note": members["manifest.note"]})
        assert (status, "it is not that of this manifest" in said) == (1, True)

    def test_signed_by_another_it_is_refused(self, members: Members, check: Check, tmp_path: Path) -> None:
        other = Sender(tmp_path, "house.example/l")
        text = members["manifest.note"].decode().partition("\n\n")[0] + "\n"
        forged = note_of(text, sign(text, load_key(other.key)))
        status, said = check(members | {"manifest.note": forged})
        assert (status, "the manifest is not signed by this key" in said) == (1, True)

    def test_a_checkpoints_signature_is_none_for_a_manifest(self, members: Members, check: Check) -> None:
        status, said = check(members | {"manifest.note": members["checkpoint.txt"]})
        assert (status, "manifest.note" in said) == (1, True)

    @pytest.mark.parametrize("note", [b"", b"\n", b"\xff", b"x\n\n\xe2\x80\x94 a b\n"])
    def test_what_is_no_note_is_refused(self, members: Members, check: Check, note: bytes) -> None:
        status, said = check(members | {"manifest.note": note})
        assert (status, said.splitlines()[-1].startswith("REFUSED: manifest.note")) == (1, True)

    def test_in_a_folder_it_is_the_same(self, members: Members, sender: Sender, tmp_path: Path) -> None:
        folder = as_folder(members, tmp_path / "unpacked")
        assert verify_bundle.main([str(folder), "--signer", sender.vkey]) == 0

    def test_against_a_checkpoint_kept_elsewhere_it_is_signed_where_its_key_is_at_hand(
        self, sender: Sender, check: Check, tmp_path: Path
    ) -> None:
        kept = tmp_path / "kept.checkpoint"
        assert sender.house.run("checkpoint", "--key", sender.key, "--out", kept).status == 0
        brought = ("EP-1", "--checkpoint", kept, "--signer", sender.vkey, "--out")
        assert sender.bundle(*brought, tmp_path / "with.zip").status == 0
        without = sender.house.run("bundle", *brought, tmp_path / "without.zip", "--key", tmp_path / "no.key")
        assert without.status == 0, without
        assert check((tmp_path / "with.zip").read_bytes())[0] == 0
        assert check((tmp_path / "without.zip").read_bytes())[0] == 3


def leaves(count: int) -> list[bytes]:
    return [hashlib.sha256(bytes([number])).digest() for number in range(count)]


class TestGoingOn:
    def test_of_every_size_the_proof_leads_to_both_roots(self) -> None:
        for later in range(1, 40):
            for earlier in range(1, later + 1):
                proof: list[bytes] = []
                if earlier < later:
                    _, proofs = proofs_of(leaves(later), [earlier - 1])
                    proof = consistency_of(earlier, leaves(later)[earlier - 1], proofs[earlier - 1])
                roots = root_of(leaves(earlier)), root_of(leaves(later))
                assert verify_bundle.are_consistent(earlier, later, roots, proof)
                for wrong in _wrong(proof, roots):
                    assert not verify_bundle.are_consistent(earlier, later, *wrong), (earlier, later)
                if earlier < later:
                    assert not verify_bundle.are_consistent(later, earlier, roots[::-1], proof)

    @pytest.fixture
    def grown(self, tmp_path: Path) -> tuple[Sender, Path, dict[str, Any]]:
        """A ledger with a checkpoint of eleven entries, more entries, and the proof of the next."""
        (tmp_path / "s").mkdir()
        sender, first, proof = Sender(tmp_path / "s"), tmp_path / "first", tmp_path / "goes-on.json"
        assert sender.house.tell(*example()).status == 0
        assert sender.house.run("checkpoint", "--key", sender.key, "--out", first).status == 0
        assert sender.house.tell(*example("EP-2", "P-2")).status == 0
        ended = self.signed(sender, first, proof, tmp_path / "then")
        assert ended.status == 0, ended
        return sender, proof, json.loads(proof.read_bytes())

    def signed(self, sender: Sender, since: Path, proof: Path, out: Path) -> Any:
        return sender.house.run("checkpoint", "--key", sender.key, "--since", since, "--proof", proof, "--out", out)

    def test_it_is_proven_without_the_ledger(self, grown: Any, check: Check) -> None:
        sender, proof, _ = grown
        status, said = check(proof.read_bytes(), signer=sender.vkey)
        assert (status, said.splitlines()[-1]) == (0, "PROVEN")
        assert "entries of the later are those of the earlier, to the letter" in said
        assert check(proof.read_bytes(), signer=None)[0] == 2

    def test_another_proof_order_or_ledger_is_refused(self, grown: Any, check: Check, tmp_path: Path) -> None:
        sender, _, table = grown
        other = Sender(tmp_path)
        assert other.house.tell(*example("EP-9", "P-9")).status == 0
        theirs = other.house.run("checkpoint", "--key", sender.key).out.decode()
        turned = [table["proof"][0][::-1], *table["proof"][1:]]
        for change in (
            {"proof": turned}, {"proof": table["proof"][1:]}, {"proof": [*table["proof"], table["proof"][0]]},
            {"proof": [7]}, {"proof": "x"}, {"from": table["to"], "to": table["from"]}, {"to": theirs},
            {"from": table["from"].replace("\nhead ", "\nhead A")}, {"schema": "other"}, {"more": 1},
        ):  # fmt: skip
            status, said = check(json.dumps(table | change).encode(), signer=sender.vkey)
            assert (status, said.splitlines()[-1].startswith("REFUSED: ")) == (1, True), (change, said)

    def test_a_ledger_that_does_not_go_on_is_not_signed(self, grown: Any, tmp_path: Path) -> None:
        sender, _, _ = grown
        (tmp_path / "o").mkdir()
        stranger = Sender(tmp_path / "o")
        assert stranger.house.tell(*example()).status == 0
        ended = self.signed(stranger, tmp_path / "first", tmp_path / "p2", tmp_path / "t2")
        assert_plain(ended, 2, "not signed by this key")
        stranger.key = sender.key
        ended = self.signed(stranger, tmp_path / "first", tmp_path / "p2", tmp_path / "t2")
        assert ended.status == 1
        assert "Nothing was signed" in ended.err
        assert not (tmp_path / "p2").exists()

    def test_one_option_without_the_other_is_a_slip(self, grown: Any, tmp_path: Path) -> None:
        sender, _, _ = grown
        for options in (("--since", tmp_path / "first"), ("--proof", tmp_path / "p")):
            assert_plain(sender.house.run("checkpoint", "--key", sender.key, *options), 2, "belong together")


def _wrong(proof: list[bytes], roots: tuple[bytes, bytes]) -> list[tuple[tuple[bytes, bytes], list[bytes]]]:
    other = hashlib.sha256(b"other").digest()
    found = [((other, roots[1]), proof), ((roots[0], other), proof), (roots, [*proof, other])]
    return found + [(roots, [*proof[:at], other, *proof[at + 1 :]]) for at in range(len(proof))]


class TestWitnesses:
    """Cosignatures as C2SP's tlog-cosignature has them."""

    @pytest.fixture
    def bundled(self, sender: Sender, tmp_path: Path) -> tuple[bytes, str]:
        """A bundle against a checkpoint that a witness cosigned, and the witness's key."""
        kept = tmp_path / "kept.checkpoint"
        assert sender.house.run("checkpoint", "--key", sender.key, "--out", kept).status == 0
        note, witness = cosigned(kept.read_bytes())
        kept.write_bytes(note)
        assert sender.house.run("verify", "--checkpoint", kept, "--signer", sender.vkey).status == 0
        assert sender.bundle("EP-1", "--checkpoint", kept, "--signer", sender.vkey, "--out", tmp_path / "w").status == 0
        return (tmp_path / "w").read_bytes(), witness

    def test_one_that_is_there_is_told(self, bundled: tuple[bytes, str], check: Check) -> None:
        whole, witness = bundled
        status, said = check(whole, "--witness", witness)
        assert (status, "witness: witness.example/w cosigned it at 1795000000" in said) == (0, True), said
        assert check(whole)[0] == 0

    def test_one_that_is_not_there_or_does_not_hold_is_refused(
        self, bundled: tuple[bytes, str], members: Members, check: Check
    ) -> None:
        whole, witness = bundled
        assert "does not bear the cosignature" in check(members, "--witness", witness)[1]
        _, stranger = cosigned(members_in(whole)["checkpoint.txt"], "other.example/w")
        assert check(whole, "--witness", witness, "--witness", stranger)[0] == 1
        note = members_in(whole)["checkpoint.txt"]
        head, _, line = note.decode().removesuffix("\n").rpartition(" ")
        raw = bytearray(base64.b64decode(line))
        raw[11] ^= 1  # the time it was seen
        forged = changed(members_in(whole), "checkpoint.txt", f"{head} {base64.b64encode(raw).decode()}\n".encode())
        status, said = check(forged, "--witness", witness)
        assert (status, "does not hold" in said) == (1, True), said

    def test_a_signers_key_is_no_witness_and_the_other_way_round(
        self, bundled: tuple[bytes, str], sender: Sender, check: Check
    ) -> None:
        whole, witness = bundled
        assert check(whole, "--witness", sender.vkey)[0] == 2
        assert check(whole, signer=witness)[0] == 2
