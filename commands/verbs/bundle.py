"""``bundle``: what one hands to a payer, in one file that can be checked without us."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import click

from commands.recording.holding import refuse_broken
from commands.terminal.handing_out import also_shows_option, giving, refuse_others
from commands.terminal.options import Setup, known_at_option
from commands.terminal.output import Output, out_option
from commands.terminal.progress import progress
from commands.terminal.show import printable, say
from commands.terminal.signers import read_checkpoint, signer_of
from commands.verbs.proof import key_option
from ledger.proof.checkpoint import Checkpoint, VerifierKey, key_id, note_of, origin_of, text_of
from ledger.proof.signing import SigningKey, load_key, sign
from ledger.recorders.by_name.naming import folder_of
from ledger.recorders.by_name.proving import prove_entries
from ledger.store import EpisodeLedger
from projections.bundle.bundle import Chosen, Proofs, bundle_of, choose, time_of
from projections.bundle.zip import Vouch, zip_of
from projections.words import counted

_MORE: Final = "'episode-ledger verify --checkpoint' says more"


@click.command()
@click.argument("episodes", metavar="EPISODE...", nargs=-1, required=True)
@out_option("FILE.zip", "Where to write it; a file that was not there.", required=True, forceable=True)
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Prove against this checkpoint, and leave out what was recorded after it. Default: a new one, signed now.",
)
@click.option("--signer", metavar="VKEY-or-FILE", help="Whose signature on it counts. Default: that of one's own key.")
@key_option
@also_shows_option
@known_at_option
@click.pass_obj
def bundle(
    setup: Setup,
    /,
    episodes: tuple[str, ...],
    out: Output,
    checkpoint: Path | None,
    signer: str | None,
    key: Path,
    also_shows: tuple[str, ...],
    known_at: datetime | None,
) -> None:
    """Put episodes into one zip that a payer can check without trusting us.

    It holds the episodes' entries with proofs that each stood in the ledger, the signed checkpoint, the terms, the
    verdicts with their steps, the claim comparison, a report for each episode, and verify_bundle.py, which checks it
    with Python alone. Only the data of the named episodes is inside; one whose entries name another patient, too, is
    refused until --also-shows names them. The same ledger, book and checkpoint give the same
    bytes. Whoever checks it needs your verifier key, from you and by another way than the bundle. Of an encrypted
    ledger it holds the texts in the open and the stored envelopes that bear their hashes, and no key: what was handed
    out is not forgotten with its patient.

    \b
    Examples:
      episode-ledger bundle EP-1 --out EP-1.zip
      episode-ledger bundle EP-1 --known-at 2026-02-10T00:00Z --out EP-1-as-known.zip
      episode-ledger bundle EP-1 --checkpoint 2026-11-23.checkpoint --out EP-1-as-signed.zip
      python3 verify_bundle.py EP-1.zip --signer VKEY
    """
    if signer is not None and checkpoint is None:
        raise click.UsageError("--signer belongs to --checkpoint; without it the bundle is signed with --key")
    with setup.open() as ledger, giving(setup, ledger, "bundle", out.path) as notes:
        if checkpoint is None:
            signed = _Signed(ledger.position(), key=load_key(key, away_from=folder_of(setup.ledger_name)))
        else:
            signed = _brought(ledger, checkpoint, signer_of(signer, key), _own_key(setup, key))
        chosen = choose(ledger, filter(None, episodes), signed.size, known_at)  # the house's acts bear an empty name
        _refuse_unknown(chosen, episodes)
        refuse_others(ledger, chosen.episodes, also_shows, known_at, signed.size)
        if signed.key is not None:
            refuse_broken(setup, "nothing was signed and no bundle made")
        with progress("Proving", "entries") as tell:
            proven = prove_entries(setup.ledger_name, ledger.id, signed.size, chosen.wanted, tell)
        note, says = signed.note(ledger, proven.root, proven.head)
        members = bundle_of(ledger, setup.book, chosen, Proofs(note, says, proven.rows, proven.proofs, signed.vouch))
        later = checkpoint is not None and any(ledger.entries_of(e, len(chosen.around[e])) for e in episodes)
        out.check()
        content = zip_of(members)
        notes.content(content, episodes)
        out.write(content)
    entries = counted(len(chosen.wanted), "entry", "entries")
    say(printable(f"Wrote {entries} of {counted(len(chosen.episodes), 'episode')} into {out.path}."))
    if later:
        say("Entries recorded after the checkpoint are left out.")


def _refuse_unknown(chosen: Chosen, episodes: tuple[str, ...]) -> None:
    if not all(episodes) or not all(map(chosen.entries_of, chosen.episodes)):
        several = len(episodes) > 1
        which = "one of these episodes" if several else "no such episode"
        by_then = " by then" if chosen.known_at else ""
        knows = "does not know" if several else "knows"
        raise click.UsageError(f"the ledger {knows} {which}{by_then}; 'episode-ledger days' lists those it knows")


class _Signed(NamedTuple):
    """The checkpoint that the proofs lead to: one that was brought along, or a new one to be signed with a key."""

    size: int
    brought: tuple[bytes, Checkpoint] | None = None
    key: SigningKey | None = None
    vouching: SigningKey | None = None

    @property
    def vouch(self) -> Vouch | None:
        """Signs the manifest with the key that signed the checkpoint, if that is at hand."""
        if (key := self.key or self.vouching) is None:
            return None
        return lambda text: note_of(text, sign(text, key))

    def note(self, ledger: EpisodeLedger, root: bytes, head: bytes) -> tuple[bytes, Checkpoint]:
        """The signed checkpoint over that root and head, and what it says."""
        if self.brought is not None:
            if (self.brought[1].root, self.brought[1].head) != (root, head):
                raise click.UsageError(f"the ledger is not what the checkpoint stands for; {_MORE}")
            return self.brought
        assert self.key is not None, "one of the two is there"
        made = Checkpoint(origin_of(ledger.id), ledger.id, self.size, root, head, time_of(ledger, self.size))
        text = text_of(made)
        return note_of(text, sign(text, self.key)), made


def _own_key(setup: Setup, key: Path) -> SigningKey | None:
    return load_key(key, away_from=folder_of(setup.ledger_name)) if key.is_file() else None


def _brought(ledger: EpisodeLedger, checkpoint: Path, signer: VerifierKey | None, own: SigningKey | None) -> _Signed:
    """A checkpoint that was brought along; it must be of this ledger, and signed by the one who counts."""
    shown = read_checkpoint(checkpoint, signer)
    said = shown.note.checkpoint
    if not shown.counts:
        raise click.UsageError(f"{checkpoint}: not signed by the key that counts, or its signature does not hold")
    if said.ledger != ledger.id:
        raise click.UsageError(f"{checkpoint}: a checkpoint of another ledger")
    if said.size > ledger.position():
        raise click.UsageError(f"the ledger is shorter than the checkpoint says; {_MORE}")
    signers = [(each.name, each.key_id) for each in shown.note.signatures]
    signed_it = own is not None and (own.name, key_id(own.name, own.public)) in signers
    return _Signed(said.size, brought=(checkpoint.read_bytes(), said), vouching=own if signed_it else None)
