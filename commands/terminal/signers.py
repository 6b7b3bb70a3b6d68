"""Checkpoint files, and whose signature on them counts."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import click
from msgspec import Struct

from commands.terminal.options import Setup
from commands.terminal.progress import progress
from ledger.proof.checkpoint import LARGEST_NOTE_BYTES, CheckpointError, Note, VerifierKey, parse_note, parse_vkey
from ledger.proof.merkle import consistency_of
from ledger.proof.seals import leaf_of
from ledger.proof.signing import SigningKey, load_key
from ledger.proof.walk import ProofReport
from ledger.recorders.by_name.proving import prove_entries
from projections.bundle import verify_bundle
from projections.bundle.verify_bundle import ed25519_verify
from projections.words import utc_text

Signature = Literal["good", "bad", "unknown_key", "not_checked"]


class Shown(Struct, frozen=True):
    """A checkpoint that was brought along: in which file, what it says, and whether the signer signed it; which of the
    witnesses that were asked for did, and when, and why not each of the others."""

    file: str
    note: Note
    signature: Signature
    witnesses: tuple[str, ...] = ()
    unwitnessed: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether the ledger is to be held to it: nobody's word is no proof against a ledger."""
        return self.signature in ("good", "not_checked")


def public_half(key: Path) -> Path:
    """Where the verifier key is kept, beside its signing key."""
    return key.with_name(key.name + ".pub")


def signer_of(named: str | None, key: Path) -> VerifierKey | None:
    """The signer that was named, by its verifier key or a file with it; else one's own, if there is a key."""
    if named is not None:
        return _named_signer(named)
    if public_half(key).is_file():
        return _read_vkey(public_half(key))
    return parse_vkey(load_key(key).vkey) if key.is_file() else None


def _named_signer(named: str) -> VerifierKey:
    try:
        return parse_vkey(named.strip())
    except CheckpointError:
        if "\0" in named or not Path(named).is_file():
            raise CheckpointError("--signer names neither a verifier key nor a file with one") from None
    return _read_vkey(Path(named))


def _read_vkey(path: Path) -> VerifierKey:
    try:
        with path.open("rb") as file:
            return parse_vkey(file.read(LARGEST_NOTE_BYTES).decode().strip())
    except UnicodeDecodeError:
        raise CheckpointError(f"{path}: not a verifier key") from None
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None


def witnesses_of(named: Sequence[str]) -> list[str]:
    """The verifier keys of witnesses, each given or in a file; UsageError for what is none."""
    try:
        return [verify_bundle.key_named(each, verify_bundle.WITNESS) for each in named]
    except verify_bundle.Wrong as wrong:
        raise click.UsageError(f"--witness: {wrong}") from None


def read_checkpoint(path: Path, signer: VerifierKey | None, witnesses: Sequence[str] = ()) -> Shown:
    """A checkpoint's file; CheckpointError if there is none in it."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_NOTE_BYTES + 1)
        note = parse_note(text)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    there, missing = list[str](), list[str]()
    for witness in witnesses:
        try:
            there.append(f"{witness.split('+')[0]} {_moment(int(verify_bundle.check_witness(text, witness)))}")
        except verify_bundle.Wrong as wrong:
            missing.append(str(wrong))
    return Shown(str(path), note, _signature(note, signer), tuple(there), tuple(missing))


def _moment(seconds: int) -> str:
    """When a witness says that it was, which may be no time that there is."""
    try:
        return utc_text(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):
        return f"{seconds} seconds since 1970"


def _signature(note: Note, signer: VerifierKey | None) -> Signature:
    if signer is None:
        return "not_checked"
    theirs = [each for each in note.signatures if (each.name, each.key_id) == (signer.name, signer.key_id)]
    if not theirs:
        return "unknown_key"
    text = note.text.encode()
    return "good" if all(ed25519_verify(signer.public, text, each.signature) for each in theirs) else "bad"


CONSISTENCY: Final = "episode-ledger-consistency/1"


def earlier_checkpoint(path: Path, signing: SigningKey) -> Shown:
    """The checkpoint that a new one is to go on from; UsageError unless this key signed it."""
    shown = read_checkpoint(path, parse_vkey(signing.vkey))
    if not shown.counts:
        raise click.UsageError(f"{path}: not signed by this key, or its signature does not hold")
    return shown


def consistency_proof(setup: Setup, report: ProofReport, earlier: Note, first: bytes, then: bytes) -> bytes:
    """Both checkpoints, and the proof that what the earlier stood for is the beginning of the later."""
    size, hashes = earlier.checkpoint.size, list[bytes]()
    if 0 < size < report.entries:
        with progress("Proving", "entries") as tell:
            proven = prove_entries(setup.ledger_name, report.ledger, report.entries, [size], tell)
        position, episode, version, tag, text = proven.rows[size]
        leaf = leaf_of(position, episode.encode(), version, tag.encode(), text.encode())
        hashes = consistency_of(size, leaf, proven.proofs[size])
    said = {
        "schema": CONSISTENCY, "from": first.decode(), "to": then.decode(),
        "proof": [base64.b64encode(each).decode() for each in hashes],
    }  # fmt: skip
    return json.dumps(said, indent=1, ensure_ascii=False).encode() + b"\n"
