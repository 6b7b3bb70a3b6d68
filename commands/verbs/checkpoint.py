"""``checkpoint``: what the ledger is now, signed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from commands.outside import utc_now
from commands.terminal.options import Setup
from commands.terminal.output import Output, OutputPath, out_option
from commands.terminal.progress import progress
from commands.terminal.show import printable, say
from commands.terminal.signers import consistency_proof, earlier_checkpoint, public_half
from commands.verbs.proof import CLOSED, key_option, say_faults
from ledger.files import READABLE
from ledger.proof.checkpoint import Checkpoint, note_of, origin_of, text_of
from ledger.proof.signing import SigningKey, create_key, load_key, sign
from ledger.proof.walk import ProofReport
from ledger.recorders.by_name.naming import folder_of
from ledger.recorders.by_name.proving import prove

KEY_NAME = "episode-ledger"


@click.command()
@out_option("FILE", "Where to; a file that was not there.")
@click.option(
    "--since",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="An earlier checkpoint of this key: prove that all it stood for is still there.",
)
@click.option("--proof", type=OutputPath(), metavar="FILE.json", help="With --since: where that goes.")
@click.option("--init-key", is_flag=True, help="Make the signing key, print its verifier key, and sign nothing yet.")
@click.option("--name", metavar="NAME", help=f"With --init-key: the name to sign with. Default: {KEY_NAME}.")
@key_option
@click.pass_obj
def checkpoint(
    setup: Setup, /, out: Output | None, since: Path | None, proof: Path | None, init_key: bool, name: str | None,
    key: Path,
) -> None:  # fmt: skip
    """Sign what the ledger is now, to be kept away from it.

    The whole ledger is walked first, and only one that holds is signed. Whoever keeps the checkpoint can show later,
    with verify, that nothing it stood for was changed, removed or exchanged. The signing key stays outside the ledger's
    folder; hand out its verifier key. An encrypted ledger is signed without its master key, too: what is signed are the
    stored envelopes. With --since and --proof whoever has verify_bundle.py and the verifier key is shown, without the
    ledger, that the new checkpoint goes on from the earlier one.

    \b
    Examples:
      episode-ledger checkpoint --init-key --name pharmacy.example/ledger
      episode-ledger checkpoint --out 2026-11-23.checkpoint
      episode-ledger checkpoint --since 2026-11-23.checkpoint --proof since.json --out new.checkpoint
      episode-ledger verify --checkpoint 2026-11-23.checkpoint
    """
    folder = folder_of(setup.ledger_name)
    if init_key:
        if out is not None or since is not None:
            raise click.UsageError("--init-key only makes the key; give --out to the next checkpoint")
        click.echo(_make_key(setup, key, KEY_NAME if name is None else name, folder))
        return
    if name is not None:
        raise click.UsageError("--name belongs to --init-key; a key that was made keeps its name")
    if (since is None) != (proof is None):
        raise click.UsageError("--since and --proof belong together: from which checkpoint, and where the proof goes")
    proving = None if proof is None else Output.of(proof)
    signing = load_key(key, away_from=folder)
    with progress("Verifying", "entries") as tell:
        earlier = earlier_checkpoint(since, signing) if since is not None else None
        report = prove(setup.ledger_name, [earlier.note.checkpoint] if earlier else (), tell, setup.master)
    if not report.holds:
        say_faults(report, "Nothing was signed: ")
        sys.exit(1)
    if report.closed:
        say(CLOSED)
    note = _signed(report, signing)
    if earlier is not None and since is not None and proving is not None:
        proving.write(consistency_proof(setup, report, earlier.note, since.read_bytes(), note), READABLE)
    _give(note, out)
    if out is not None:
        say(printable(f"Signed {report.entries:,} entries into {out.path}; keep it away from the ledger."))


def _make_key(setup: Setup, key: Path, name: str, folder: Path | None) -> str:
    public = Output(setup, public_half(key), key=True)
    if not os.path.lexists(key):  # else the making of it refuses
        public.check()
    Output(setup, key, key=True).check_place()
    vkey = create_key(key, name, away_from=folder)
    public.write(f"{vkey}\n".encode(), READABLE)
    say(printable(f"The signing key is in {key}: keep a copy of it safe. This is its verifier key, to hand out:"))
    return vkey


def _signed(report: ProofReport, key: SigningKey) -> bytes:
    at = utc_now().replace(microsecond=0)
    text = text_of(Checkpoint(origin_of(report.ledger), report.ledger, report.entries, report.root, report.head, at))
    return note_of(text, sign(text, key))


def _give(note: bytes, out: Output | None) -> None:
    if out is not None:
        out.write(note, READABLE)
    else:
        sys.stdout.buffer.write(note)
        sys.stdout.buffer.flush()
