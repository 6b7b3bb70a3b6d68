"""``verify``: whether the ledger still is what it was."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import click
from msgspec import Struct

from commands.recording.accepting import accept_rollbacks
from commands.terminal.options import Command, Setup, format_option
from commands.terminal.progress import progress
from commands.terminal.rollbacks import stored_rollbacks, tell_rollbacks
from commands.terminal.show import printable, say, show_rows
from commands.terminal.signers import (
    Shown,
    Signature,
    read_checkpoint,
    signer_of,
    witnesses_of,
)
from commands.terminal.variable import VariableOption
from commands.terminal.who import given_reason, named
from ledger.proof.walk import ProofReport
from ledger.recorders.by_name.proving import prove
from projections.words import capital, utc_text

HINT = "keep this file as it is, and compare it with a backup; 'episode-ledger help seals' explains each sentence"
UNSEEN = (
    "Without a checkpoint kept elsewhere, a ledger rewritten and sealed anew as a whole, or an older copy put back,"
    " cannot be told."
)
CLOSED = (
    "The envelopes were not opened: name the master key with --master-key to have what is in them held to what stands"
    " on them."
)
UNSIGNED = "The checkpoints' signatures were not checked: name the signer with --signer."

Result = Literal["holds", "wrong", "fails", "other_ledger", "not_compared"]


class ProvedRow(Struct, frozen=True):
    """What was proved of the ledger, or of one checkpoint; hashes are written as checkpoints write them."""

    subject: str
    result: Result
    signature: Signature | None
    ledger: str
    entries: int
    head: str
    root: str
    time: str | None
    position: int | None = None
    message: str | None = None
    witnesses: tuple[str, ...] = ()
    """Who cosigned a checkpoint, of those that were asked for, each with the time by their own clock."""


def key_option(command: Command) -> Command:
    """``--key``: the signing key, by default in the user's own folder of settings."""
    return click.option(
        "--key",
        cls=VariableOption,
        envvar="EPISODE_LEDGER_KEY",
        type=click.Path(path_type=Path),
        default=lambda: Path(click.get_app_dir("episode-ledger")) / "signing.key",
        metavar="FILE",
        help="The signing key. Also: EPISODE_LEDGER_KEY. Default: signing.key in your own folder of settings.",
    )(command)


@click.command()
@click.option(
    "--checkpoint",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A checkpoint kept elsewhere; may be given several times.",
)
@click.option("--signer", metavar="VKEY-or-FILE", help="Whose signature counts. Default: that of one's own key.")
@click.option(
    "--witness",
    "witnesses",
    multiple=True,
    metavar="VKEY-or-FILE",
    help="Whose cosignature each checkpoint must bear, too; may be given several times.",
)
@key_option
@click.option(
    "--accept-rollback",
    "reason",
    metavar="REASON",
    help="If it holds: record that it was put back to an earlier state on purpose.",
)
@click.option(
    "--by", metavar="NAME", help="With --accept-rollback: who says so. Default: the name you are logged in by."
)
@format_option
@click.pass_obj
def verify(
    setup: Setup, /, files: Sequence[Path], signer: str | None, witnesses: Sequence[str], key: Path,
    reason: str | None, by: str | None, form: str | None,
) -> None:  # fmt: skip
    """Walk the whole ledger and name the first position that is wrong.

    Each entry is sealed to the one before it; a seal that does not fit is found without anything else. Somebody who
    seals everything anew is only found with a checkpoint that was kept elsewhere. Ends with 1 if anything is wrong.
    So is a ledger that was put back to an earlier state since a read model of it was made, until that is accepted. The
    envelopes of an encrypted ledger are opened if its master key is named, and what is in them is held to what
    stands on them; without it they are held to their columns alone.

    \b
    Examples:
      episode-ledger verify
      episode-ledger verify --checkpoint 2026-11-23.checkpoint
      episode-ledger verify --checkpoint 2026-11-23.checkpoint --witness witness.vkey
    """
    if witnesses and not files:
        raise click.UsageError("--witness belongs to --checkpoint: whose cosignature that must bear")
    if reason is None and by is not None:
        raise click.UsageError("--by belongs to --accept-rollback")
    whose = signer_of(signer, key) if files or signer is not None else None
    asked = witnesses_of(witnesses)
    shown = [read_checkpoint(file, whose, asked) for file in files]
    with progress("Verifying", "entries") as tell:
        report = prove(setup.ledger_name, [each.note.checkpoint for each in shown if each.counts], tell, setup.master)
    show_rows(_rows(report, shown), ProvedRow, form, hidden=("ledger", "message", "witnesses"))
    for each in shown:
        for witness in each.witnesses:
            say(printable(f"{each.file}: cosigned by {witness}, by the witness's own clock."))
    say_faults(report)
    if report.closed:
        say(CLOSED)
    disowned = [each for each in shown if not each.counts or each.unwitnessed]
    for each in disowned:
        for sentence in _disowned(each):
            say(printable(sentence))
    if any(each.signature == "not_checked" for each in shown):
        say(UNSIGNED)
    if not any(each.counts for each in shown):
        say(UNSEEN)
    back = stored_rollbacks(setup.ledger_name, setup.places) if report.holds else []
    if back and reason is None:
        tell_rollbacks(back)
    if disowned or not report.holds:
        say(f"hint: {HINT}")
    if disowned or not report.holds or (back and reason is None):
        sys.exit(1)
    if reason is not None:
        accept_rollbacks(setup, back, given_reason("--accept-rollback", reason), named(by, "accepts it"))


def _rows(report: ProofReport, shown: Sequence[Shown]) -> Iterator[ProvedRow]:
    first = report.faults[0] if report.faults else None
    yield ProvedRow(
        "ledger", "wrong" if first else "holds", None, report.ledger, report.entries,
        _base64(report.head), _base64(report.root), None, first and first.position, first and first.message,
    )  # fmt: skip
    outcomes = iter(report.outcomes)
    for each in shown:
        said = each.note.checkpoint
        yield ProvedRow(
            each.file, next(outcomes) if each.counts else "not_compared", each.signature, said.ledger, said.size,
            _base64(said.head), _base64(said.root), utc_text(said.at), witnesses=each.witnesses,
        )  # fmt: skip


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _disowned(shown: Shown) -> Iterator[str]:
    if shown.signature == "bad":
        yield f"{shown.file}: its signature does not hold: the checkpoint or the signature was changed."
    elif not shown.counts:
        yield f"{shown.file}: not signed by the key that counts; if another's does, name it with --signer."
    for because in shown.unwitnessed:
        yield f"{shown.file}: {because}."


def say_faults(report: ProofReport, before: str = "") -> None:
    """Say each fault of a ledger, and what to do."""
    for fault in report.faults:
        sentence = before + (fault.message if before else capital(fault.message))
        say(printable(f"{sentence}."))
