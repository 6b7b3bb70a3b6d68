"""The proof that a checkpoint goes on from an earlier one, for whoever has both and not the ledger."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Final

import click

from commands.terminal.options import Setup
from commands.terminal.progress import progress
from commands.terminal.signers import Shown, read_checkpoint
from ledger.proof.checkpoint import Note, parse_vkey
from ledger.proof.merkle import consistency_of
from ledger.proof.seals import leaf_of
from ledger.proof.signing import SigningKey
from ledger.proof.walk import ProofReport
from ledger.recorders.by_name.proving import prove_entries

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
