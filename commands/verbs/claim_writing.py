"""``claims prepare``, ``write`` and ``again``: what would go out, and the files that claims go out in."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import click
from msgspec import Struct, field

from commands.outside import utc_now
from commands.recording.claim_run import ClaimRow, ClaimRun, Run, ToLookAt, find_batch, opened_to_write
from commands.recording.effect import clock_option
from commands.terminal.handing_out import giving
from commands.terminal.options import Setup, filters, format_option
from commands.terminal.output import Output, out_option
from commands.terminal.show import chosen_form, printable, say, show_rows, show_text
from commands.terminal.who import named
from commands.verbs.claim_list import whose_claims
from commands.verbs.read import live_views, tell_set_aside
from ledger.store import EpisodeLedger
from projections.answers.stopped import ON_ANOTHER, PAID_ALREADY
from projections.claims_out.again import NotAgain, claims_in, made_again
from projections.claims_out.drafts import (
    CORRECTION,
    NOT_BILLABLE,
    NOT_COME,
    NOT_COVERED,
    DraftClaim,
    KeptOff,
)
from projections.claims_out.prepare import prepared, to_look_at
from projections.read_model.queries import Filters, finding_rows, line_rows
from projections.words import amount, counted, date_runs

_CLAIMED_WRONG: Final = "claimed_not_billable"
"""The finding that a claim asks for what is not billable: it may have to be put right."""


class PreparedRow(Struct, frozen=True):
    """A claim that would go out; ``missing`` is what keeps it from that."""

    episode: str
    payer: str
    frequency: str
    replaces: str | None
    from_: str = field(name="from")
    to: str
    days: int
    charge_cents: int
    ready: bool
    missing: tuple[str, ...]


@click.command()
@whose_claims
@format_option
@click.pass_obj
def prepare(setup: Setup, /, form: str | None, **options: Any) -> None:
    """Show the claims that would go out, and what is missing on those that cannot.

    Billable days that are on no live claim make claims of one payer and one episode, of at most 50 lines; drugs and
    nurses' visits go with them where the payer's terms say so. Days that a hard finding touches stay off, and are told.

    \b
    Examples:
      episode-ledger claims prepare
      episode-ledger claims prepare --payer prairie-blue --format csv
    """
    wanted = filters(options)
    with setup.open() as ledger:
        upto, patients = _look(setup, ledger, wanted)
        found, kept = list[PreparedRow](), list[KeptOff]()
        for claims_, off in prepared(ledger, setup.book, patients, upto, utc_now()):
            found += [_prepared_row(each.draft) for each in claims_ if _is_wanted(each.draft, wanted)]
            kept += [each for each in off if _is_wanted(each, wanted)]
    show_rows(found, PreparedRow, form, nothing="Nothing to claim.", payers=setup.payer_names)
    _tell_kept_off(kept, in_full=chosen_form(form) == "table")


def _prepared_row(draft: DraftClaim) -> PreparedRow:
    return PreparedRow(
        draft.episode, draft.payer, draft.frequency, draft.replaces, draft.first.isoformat(), draft.last.isoformat(),
        draft.days, draft.charge_cents, not draft.missing, draft.missing,
    )  # fmt: skip


def _is_wanted(each: DraftClaim | KeptOff, wanted: Filters) -> bool:
    return each.episode == (wanted.episode or each.episode) and each.payer == (wanted.payer or each.payer)


def _look(setup: Setup, ledger: EpisodeLedger, wanted: Filters) -> ToLookAt:
    """The read model caught up, and out of it who may have something to claim."""
    with closing(setup.views()) as views, live_views(setup, ledger, views):
        tell_set_aside(views)
        upto = int(views.noted()["position"])
        patients = to_look_at(ledger, setup.book, line_rows(views, wanted), upto)
        claimed = finding_rows(views, wanted._replace(rule=_CLAIMED_WRONG))
        return ToLookAt(upto, list(patients | dict.fromkeys(row.patient for row in claimed)))


@click.command()
@out_option("DIR", "Into which folder; it is made if it is not there.", required=True, folder=True)
@click.option("--dry-run", is_flag=True, help="Only say what would be written: nothing is recorded, no file made.")
@click.option("--by", metavar="NAME", help="Who sends them. Default: the name you are logged in by.")
@clock_option
@format_option
@click.pass_obj
def write(setup: Setup, /, out: Output, dry_run: bool, by: str | None, clock_is_right: bool, form: str | None) -> None:
    """Write what can be claimed into files of claims (837P), and record each claim.

    A file is of one house and one receiver, at most 5,000 claims. Every claim passes the gate ('claims check') or is
    held, and why is said. A file's claims and its number and SHA-256 are recorded in one transaction, then it gets its
    name; cut off in between, the next run finishes it. Run again, nothing goes out twice. Exits with 1 if a claim is
    held or a hard finding keeps days off.

    \b
    Examples:
      episode-ledger claims write --out outbox --dry-run
      episode-ledger claims write --out outbox
    """
    who = named(by, "sends them")
    with opened_to_write(setup, clock_is_right=clock_is_right) as ledger:
        if not dry_run:
            _make_folder(out.path)
        run = ClaimRun(setup, ledger, out.path, who, lambda: _look(setup, ledger, Filters())).done(dry=dry_run)
    show_rows(run.rows, ClaimRow, form, nothing="Nothing to claim.", payers=setup.payer_names)
    _tell_run(run, dry=dry_run, in_full=chosen_form(form) == "table")
    if run.held or any(_is_stopped(each) for each in run.kept_off):
        sys.exit(1)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"--out {folder}: no folder can be made there ({error.strerror})") from None


def _tell_run(run: Run, *, dry: bool, in_full: bool) -> None:
    written = [row for row in run.rows if row.outcome == "written"]
    files = len({row.file for row in written})
    asked = amount(sum(row.charge_cents for row in written))
    if written:
        would = "Nothing was written; it would be: " if dry else "Wrote "
        say(f"{would}{counted(len(written), 'claim')}, {asked} dollars, in {counted(files, 'file')}.")
    for held in run.held:
        draft = held.draft
        where = f"{draft.episode} {draft.payer} {draft.first} to {draft.last}"
        say(printable(f"Held: {where}: {'; '.join(held.reasons)}."))
    for rule, count in sorted(Counter(each.rule for each in run.soft).items()):
        say(f"Warned: {counted(count, 'finding')} of {rule}; 'episode-ledger claims check' tells them.")
    _tell_kept_off(run.kept_off, in_full=in_full)


def _is_stopped(each: KeptOff) -> bool:
    """Whether a hard finding, another claim of the patient or money that came already keeps it off."""
    return each.reason not in (NOT_COME, NOT_BILLABLE, NOT_COVERED, CORRECTION)


_WHY: Final = {
    NOT_COME: "not come yet",
    NOT_BILLABLE: "no day that it touches is billable",
    CORRECTION: "inside the span of a claim that is to be corrected",
    ON_ANOTHER: "a live claim of another of the patient's episodes asks for the date",
    PAID_ALREADY: "it was paid on a claim that was turned back; ask the payer which of the two stands",
    NOT_COVERED: "the payer of its first billable day does not cover all of its days",
}


def _tell_kept_off(kept: Sequence[KeptOff], *, in_full: bool) -> None:
    """What cannot go out and why: to a person by episode, below the table; beside the output without a name."""
    counts, cents = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for each in kept:
        what = each.what if each.what in ("drug", "visit") else "day"
        counts[what, each.reason] += len(each.dates) if what == "day" else 1
        cents[what, each.reason] += each.cents
        if in_full:
            spans = ", ".join(first if first == last else f"{first} to {last}" for first, last in date_runs(each.dates))
            show_text(f"Left out: {each.episode} {each.what} {spans}: {_why(each.reason)}.")
    for (what, reason), count in sorted(counts.items()):
        say(f"Left out: {counted(count, what)}, {amount(cents[what, reason])} dollars: {_why(reason)}.")


def _why(reason: str) -> str:
    return _WHY.get(reason, f"'episode-ledger findings --rule {reason}' says why")


@click.command()
@click.argument("control")
@out_option("FILE", "Where to write it; a file that was not there.", required=True, forceable=True)
@click.pass_obj
def again(setup: Setup, /, control: str, out: Output) -> None:
    """Write the file that a claim was written in once more: the same bytes, from the ledger alone.

    CONTROL is the number of a claim in it, or of the file (B1).

    \b
    Examples:
      episode-ledger claims again EP-1-1 --out B1-again.837
    """
    with setup.open() as ledger, giving(setup, ledger, "claims again", out.path) as notes:
        try:
            batch = find_batch(ledger, control)
            content = made_again(ledger, batch)
        except NotAgain as error:
            raise click.UsageError(str(error)) from None
        episodes = sorted({entry.episode for entry in claims_in(ledger, batch)})
        notes.content(content, episodes)
        out.write(content)
    say(printable(f"Wrote {batch.act.batch} again into {out.path}, SHA-256 {batch.act.sha256}."))
