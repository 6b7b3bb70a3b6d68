"""Proving a ledger, wherever it is: the walk over the whole of it, and proofs of some of its entries."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ledger.keys.cipher import MasterKey
from ledger.progress import Progress, silent
from ledger.proof.checkpoint import Checkpoint
from ledger.proof.walk import ProofReport
from ledger.recorders.by_name.naming import in_postgres, postgres_module
from ledger.recorders.leaves import Proven
from ledger.recorders.sqlite import leaves as sqlite_leaves
from ledger.recorders.sqlite import prove as sqlite_proof


def prove(
    name: str,
    checkpoints: Sequence[Checkpoint] = (),
    tell: Progress = silent,
    master: MasterKey | None = None,
) -> ProofReport:
    """Walk the whole ledger so named, as it is at this moment, and say what holds.

    With the master key of an encrypted ledger, what is in the envelopes is held to what stands on them, too.
    What is wrong with it is in the report; NoLedger if there is none, StoreError if it could not be looked at.
    """
    store = postgres_module("prove") if in_postgres(name) else sqlite_proof
    report: ProofReport = store.prove(name, checkpoints, tell, master)
    return report


def prove_entries(name: str, ledger_id: str, size: int, wanted: Collection[int], tell: Progress = silent) -> Proven:
    """The entries at the wanted positions as they are stored, each with its proof in the tree of that size.

    Every seal on the way is made anew; StoreError where one does not fit, or the ledger is shorter.
    """
    store = postgres_module("prove") if in_postgres(name) else sqlite_leaves
    proven: Proven = store.prove_entries(name, ledger_id, size, wanted, tell)
    return proven
