"""``claims check`` and ``claims read``: files of claims looked at, ours or others'."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click
from msgspec import Struct, field

from commands.recording.claim_lookup import KnownClaims, intake_line, ledger_if_any
from commands.terminal.options import Setup, format_option
from commands.terminal.show import say, show_rows
from ledger.book import Book
from ledger.x12.claim_reader import ReadClaim, ReadFile, read_claims
from ledger.x12.gate import Level, cents_of, day_of, gate, units_of
from ledger.x12.gate_rules import RULES
from ledger.x12.segments import Unreadable
from ledger.x12.structure import NoJudge, structure_faults
from projections.claims_out.members import Members

_files = click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
_STRUCTURE: Final = "structure"


class CheckRow(Struct, frozen=True):
    """Something that is wrong in a file; ``line`` is empty for a claim as a whole, ``claim`` for the file."""

    file: str
    claim: str
    line: str
    rule: str
    level: Level
    message: str


def readable(paths: Iterable[Path]) -> Iterator[tuple[Path, bytes, list[ReadFile]]]:
    """Files of claims with what is in them; UsageError for one that cannot be read."""
    for path in paths:
        content = path.read_bytes()
        try:
            yield path, content, read_claims(content)
        except Unreadable as error:
            raise click.UsageError(f"{path} cannot be read as a file of claims: {error}") from None


@click.command()
@_files
@click.option("--structure", is_flag=True, help="Have pyx12 judge the structure, too; needs the extra x12.")
@format_option
@click.pass_obj
def check(setup: Setup, /, files: tuple[Path, ...], structure: bool, form: str | None) -> None:
    """Hold files of claims against the gate: what would be sent back, or bring trouble, and where.

    The book says what payers, codes and terms are; where the ledger knows a claim by its number, the patient's other
    claims, coverage, diagnoses and authorizations are looked at, too. 'episode-ledger help gate' lists the rules.
    Exits with 1 if anything found is hard, with 2 if a file cannot be read.

    \b
    Examples:
      episode-ledger claims check outbox/B1.837
      episode-ledger claims check --structure outbox/*.837
    """
    found, looked = list[CheckRow](), list(readable(files))
    with ledger_if_any(setup) as ledger:
        known = KnownClaims(ledger, setup.book)
        for path, content, read_files in looked:
            for file in read_files:
                rows = gate(file, RULES, setup.book, known.beside)
                found += [CheckRow(path.name, row.claim, row.line, row.rule, row.level, row.message) for row in rows]
            if structure:
                found += _structure(path, content)
    show_rows(found, CheckRow, form, nothing="Nothing was found.")
    if any(row.level == "hard" for row in found):
        sys.exit(1)


def _structure(path: Path, content: bytes) -> Iterator[CheckRow]:
    try:
        faults = structure_faults(content)
    except NoJudge:
        raise click.UsageError("--structure needs pyx12; install episode-ledger[x12]") from None
    return (CheckRow(path.name, "", "", _STRUCTURE, "hard", fault.says) for fault in faults)


class ReadRow(Struct, frozen=True):
    """A line of a claim in a file; what cannot be read is empty."""

    claim: str
    payer: str
    frequency: str
    replaces: str | None
    code: str
    modifiers: tuple[str, ...]
    from_: str | None = field(name="from")
    to: str | None
    units: Any
    charge_cents: int | None
    authorization: str | None
    ndc: str | None


@click.command()
@_files
@click.option("--as-intake", is_flag=True, help="Print what 'record' takes: a ClaimSubmitted for each claim.")
@format_option
@click.pass_obj
def read(setup: Setup, /, files: tuple[Path, ...], as_intake: bool, form: str | None) -> None:
    """Show the lines of the claims in files of claims (837P), whoever wrote them; no name of a patient is shown.

    With --as-intake claims of before are brought over: each becomes a ClaimSubmitted under the episode that its payer
    and member number belong to on its dates. Exits with 1 if a claim belongs to none, or to several, or cannot be
    told; nothing is recorded until 'record' gets the lines.

    \b
    Examples:
      episode-ledger claims read outbox/B1.837
      episode-ledger claims read --as-intake old/*.837 > claims.jsonl
    """
    book = setup.book
    claims = [claim for _, _, each in list(readable(files)) for file in each for claim in file.claims]
    if as_intake:
        if left := _print_intake(setup, claims):
            say(f"{left} of {len(claims)} claims belong to no episode, or to several, or cannot be told as they are.")
            sys.exit(1)
        return
    rows = (row for claim in claims for row in _read_rows(claim, book))
    show_rows(rows, ReadRow, form, nothing="No claims.", payers=setup.payer_names)


def payer_of(book: Book) -> Callable[[ReadClaim], str]:
    """Names the payer of a claim: the book's, else as the file has it."""
    payers = {payer.edi.payer_id: payer.id for payer in book.payers.values() if payer.edi}
    return lambda claim: payers.get(claim.payer.id, claim.payer.id)


def _read_rows(claim: ReadClaim, book: Book) -> Iterator[ReadRow]:
    payer = payer_of(book)(claim)
    for line in claim.lines:
        first, last, units = day_of(line.from_), day_of(line.to), units_of(line.units)
        plain = None if units is None else int(units) if units == int(units) else str(units)
        yield ReadRow(
            claim.control, payer, claim.frequency, claim.payer_number or None, line.code, line.modifiers,
            first.isoformat() if first else None, last.isoformat() if last else None, plain, cents_of(line.charge),
            line.authorization or claim.authorization or None, line.ndc or None,
        )  # fmt: skip


def _print_intake(setup: Setup, claims: Sequence[ReadClaim]) -> int:
    """Print the claims that belong to an episode as lines of intake; gives how many are left out."""
    payer_named, left = payer_of(setup.book), 0
    with setup.open() as ledger:
        members = Members(ledger)
        for claim in claims:
            payer = payer_named(claim)
            episode = members.episode(payer, claim)
            line = intake_line(claim, episode, payer) if episode is not None else None
            if line is None:
                left += 1
            else:
                click.echo(json.dumps(line, ensure_ascii=False))
    return left
