"""``book``: the book looked at, written and compared; none of it needs a ledger."""

from __future__ import annotations

import re
import sys
from datetime import UTC, date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
from msgspec import Struct

from commands.book.asking import ask_dollars, ask_keys
from commands.outside import utc_now
from commands.terminal.options import SERVICE_DATE, Setup, format_option
from commands.terminal.output import Output, OutputPath
from commands.terminal.show import chosen_form, printable, say, show_prose, show_rows, show_text
from ledger.book import PER_DIEM, Agreement, Payer, Provider, Terms, check_book, load_book
from ledger.book.differences import BookDifference, differences, edition_name
from ledger.book.doubts import TO_BE_CITED, doubts_of
from ledger.book.files import read_form
from ledger.book.form import blank, filled
from ledger.book.in_force import KeyInForce, keys_in_force
from ledger.files import write_new
from projections.words import counted

PUBLIC: Final = 0o644
"""A book says nothing of a patient: whoever may read the folder may read it."""
DEFAULT_FOLDER: Final = Path("book")
_KINDS: Final[dict[str, tuple[type[Struct], str, str]]] = {
    "payer": (Payer, "payers", "id"),
    "provider": (Provider, "providers", "name"),
}
"""What can be written: its struct, its folder, and the key that names its file."""


@click.group()
def book() -> None:
    """Look at the book, write a file of it, or compare two: payers, terms, providers, agreements.

    \b
    Examples:
      episode-ledger book check
      episode-ledger book show prairie-blue --on 2026-11-02
      episode-ledger book new payer --blank
    """


@book.command()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@click.pass_obj
def check(setup: Setup, /, folder: Path | None) -> None:
    """Say everything that is wrong in a book at once, with what is allowed there.

    Beside what keeps a book from being used: terms that cite nothing, rates outside 10 to 1,000 dollars a day, editions
    out of order, agreements that ran out. Without DIR the book of --book. Exits with 1 if there is anything to say.

    \b
    Examples:
      episode-ledger book check book
    """
    wrong, doubts = check_book(folder or setup.book_folder, _today())
    shown = show_prose if sys.stdout.isatty() else show_text  # a pipe gets a line for each, to be searched
    shown("\n".join([*wrong, *doubts]))
    if not wrong and not doubts:
        click.echo("The book is in order.")
        return
    with_them = f"; {len(wrong)} of them must be corrected before it can be used" if wrong else "; it can be used"
    say(f"{counted(len(wrong) + len(doubts), 'mistake')}{with_them}.")
    sys.exit(1)


@book.command()
@click.argument("payer")
@click.option("--on", type=SERVICE_DATE, help="The service date. Default: today, UTC.")
@format_option
@click.pass_obj
def show(setup: Setup, /, payer: str, on: str | None, form: str | None) -> None:
    """Show the terms of a payer that are in force on a service date, key by key, and the agreements with it.

    What the book leaves at its default is shown, too, and marked so: said is no.

    \b
    Examples:
      episode-ledger book show prairie-blue
      episode-ledger book show prairie-blue --on 2026-06-30
    """
    book = load_book(setup.book_folder)
    found = book.payers.get(payer)
    if found is None:
        close = get_close_matches(payer, book.payers, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(book.payers))}"
        raise click.UsageError(f"the book has no such payer; {hint}")
    day = date.fromisoformat(on) if on else _today()
    terms = book.terms_on(payer, day)
    if chosen_form(form) == "table":
        in_force = f"{edition_name(terms)}, checked {terms.checked}" if terms else "no terms are in force"
        show_prose(f"{found.name} on {day}: {in_force}\n")
    show_rows(keys_in_force(book, found, day), KeyInForce, form, hidden=("means",))


@book.command()
@click.argument("folder_a", metavar="DIR_A", type=click.Path(path_type=Path))
@click.argument("folder_b", metavar="DIR_B", type=click.Path(path_type=Path))
@format_option
def diff(folder_a: Path, folder_b: Path, form: str | None) -> None:
    """Show what two books say otherwise, key by key; 'what-if' shows what it changes.

    \b
    Examples:
      episode-ledger book diff book-2026 book-2027
    """
    found = differences(load_book(folder_a), load_book(folder_b))
    show_rows(found, BookDifference, form, nothing="The two books say the same.")


@book.command()
@click.argument("kind", type=click.Choice(list(_KINDS)))
@click.argument("folder", metavar="[DIR]", type=OutputPath(), required=False)
@click.option(
    "--form", "form", type=click.File("rb"), help="A filled form (TOML); '-' reads stdin. Else you are asked."
)
@click.option("--blank", "is_blank", is_flag=True, help="Print a form to be filled in, and write nothing.")
@click.pass_obj
def new(setup: Setup, /, kind: str, folder: Path | None, form: BinaryIO | None, is_blank: bool) -> None:
    """Write a payer's or a provider's file into a book, with a comment on every key.

    On a terminal you are asked for what is needed; or give a filled form, as --blank prints it. DIR is the book's
    folder; without it that of --book, else 'book' in this folder. A file that is there is never overwritten.

    \b
    Examples:
      episode-ledger book new payer
      episode-ledger book new payer --blank > payer.toml
      episode-ledger book new payer my-book --form payer.toml
    """
    struct, subfolder, named_by = _KINDS[kind]
    if is_blank:
        show_text(blank(struct))
        return
    root = folder or setup.book_folder or DEFAULT_FOLDER
    if form is not None:
        table = read_form(form.read(), struct, str(getattr(form, "name", "the form")))
    elif sys.stdin.isatty():
        table = _asked_payer() if kind == "payer" else _asked_provider()
    else:
        raise click.UsageError(f"nobody can be asked here; 'book new {kind} --blank' prints a form for --form FILE")
    Output(setup, root).check_folder()
    _write(root / subfolder, str(table[named_by]), filled(struct, table))
    for doubt in doubts_of(table, _today()):
        say(printable(f"To be looked at: {doubt}"))


def _write(folder: Path, name: str, text: str) -> None:
    path = folder / f"{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-') or 'unnamed'}.toml"
    for needed in (folder.parent / "payers", folder.parent / "providers", folder):
        needed.mkdir(parents=True, exist_ok=True)
    try:
        write_new(path, text.encode(), PUBLIC)
    except FileExistsError:
        raise click.UsageError(f"{path} is there already, and is left as it is; an amendment is edited in") from None
    say(printable(f"Wrote {path}; 'episode-ledger book check {folder.parent}' looks at the whole book."))


def _asked_payer() -> dict[str, Any]:
    today = _today().isoformat()
    table = ask_keys(Payer, ("id", "name", "kind"), {})
    terms = ask_keys(Terms, ("from", "published"), {})
    terms |= ask_keys(Terms, ("source", "checked"), {"source": TO_BE_CITED, "checked": today})
    asked = ("accepts_s_codes", "pain_code", "day_counting", "auth_required", "timely_filing_days")
    usual = {"accepts_s_codes": "yes", "pain_code": "general", "auth_required": "no", "timely_filing_days": "180"}
    terms |= ask_keys(Terms, asked, usual)
    return table | {"terms": [terms | {"rate_cents": _asked_rates(str(terms["pain_code"]))}]}


def _asked_rates(pain_code: str) -> dict[str, int]:
    codes = sorted(PER_DIEM.values()) if pain_code == "specific" else ["S9325"]
    click.echo("\nwhat the payer pays for a day, in dollars; nothing where it has no rate", err=True)
    rates = {code: ask_dollars(code) for code in codes}
    return {code: cents for code, cents in rates.items() if cents is not None}


def _asked_provider() -> dict[str, Any]:
    table = ask_keys(Provider, ("npi", "name", "taxonomy"), {"taxonomy": "3336H0001X"})
    agreements: list[dict[str, Any]] = []
    while click.confirm("\nAdd an agreement with a payer?", default=not agreements, err=True):
        agreements.append(ask_keys(Agreement, ("payer", "signed_on", "from", "to"), {"to": ""}))
    return table | ({"agreements": agreements} if agreements else {})


def _today() -> date:
    return utc_now().astimezone(UTC).date()
