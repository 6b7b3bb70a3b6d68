"""The files of a book, read and checked: all mistakes of all files at once, by file and key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from ledger.book.claim_tables import DrugTable, PrescriberTable, ReasonTable
from ledger.book.doubts import doubts_of
from ledger.book.mistakes import item_name, mistakes_of
from ledger.book.reference import Book
from ledger.book.tables import CodeTable, Payer, Provider

PACKAGED: Final = Path(__file__).parents[1]
"""Where the example book and the code table are: ``codes.toml``, ``payers/``, ``providers/``."""

Tables = Mapping[Path, dict[str, Any]]
"""What the files of a folder say, by path."""


class BookError(Exception):
    """The book cannot be used; each line of the message names a file, the key and what is allowed there."""


def load_book(folder: Path | None = None) -> Book:
    """The book of a folder (``payers/``, ``providers/``, optionally ``codes.toml``), or the packaged example book.

    BookError with every mistake that was found.
    """
    root = PACKAGED if folder is None else folder
    read = _read_folder(root)
    if wrong := _mistakes_in_files(read):
        raise BookError("\n".join(wrong))
    return _made(read)


def check_book(folder: Path | None, today: date) -> tuple[list[str], list[str]]:
    """What of a folder keeps it from being a book, and what of it looks mistaken on a date: all of it at once.

    BookError if there is no such folder.
    """
    read = _read_folder(PACKAGED if folder is None else folder)
    doubts = [f"{path}: {doubt}" for path, table in read.tables() for doubt in doubts_of(table, today)]
    return _mistakes_in_files(read), sorted(doubts, key=_file_of)


def read_form(text: bytes, struct: type[Struct], name: str) -> dict[str, Any]:
    """A file of the book that is not in it yet, as its table; BookError with every mistake of it."""
    wrong: list[str] = []
    table = _decoded(Path(name), text, wrong)
    wrong += [f"{name}: {mistake}" for mistake in mistakes_of(table or {}, struct)] if not wrong else []
    wrong += [*_in_lists({Path(name): table or {}}, "terms", ("from", "published"))]
    wrong += [*_in_lists({Path(name): table or {}}, "agreements", ("payer", "from", "signed_on"))]
    if wrong or table is None:
        raise BookError("\n".join(wrong))
    return table


class _Read(NamedTuple):
    """What the files of a folder say; ``unread`` are those of payers that could not be read."""

    codes: Tables
    prescribers: Tables
    drugs: Tables
    reasons: Tables
    payers: Tables
    providers: Tables
    wrong: tuple[str, ...]
    unread: tuple[Path, ...]

    def tables(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Every file that was read."""
        return chain(
            self.codes.items(), self.prescribers.items(), self.drugs.items(), self.reasons.items(),
            self.payers.items(), self.providers.items(),
        )  # fmt: skip


def _read_folder(root: Path) -> _Read:
    if not root.is_dir():
        raise BookError(f"{root}: no such folder; --book names a folder with payers/ and providers/")
    if not (root / "payers").is_dir():
        raise BookError(f"{root}: has no folder payers/; a book holds payers/*.toml and providers/*.toml")
    wrong: list[str] = []
    codes = _read([_own_or_packaged(root, "codes.toml")], wrong)
    reasons = _read([_own_or_packaged(root, "reasons.toml")], wrong)
    prescribers, drugs = (_read(root.glob(name), wrong) for name in ("prescribers.toml", "drugs.toml"))
    files = sorted((root / "payers").glob("*.toml"))
    payers = _read(files, wrong)
    providers = _read((root / "providers").glob("*.toml"), wrong)
    unread = tuple(path for path in files if path not in payers)
    return _Read(codes, prescribers, drugs, reasons, payers, providers, tuple(wrong), unread)


def _own_or_packaged(root: Path, name: str) -> Path:
    own = root / name
    return own if own.exists() else PACKAGED / name


def _mistakes_in_files(read: _Read) -> list[str]:
    """Every mistake of every file, by file."""
    found = [
        *read.wrong, *_without_a_file(read),
        *_mistakes(read.codes, CodeTable), *_mistakes(read.payers, Payer), *_mistakes(read.providers, Provider),
        *_mistakes(read.prescribers, PrescriberTable), *_mistakes(read.drugs, DrugTable),
        *_mistakes(read.reasons, ReasonTable),
        *_repeats(read),
    ]  # fmt: skip
    return sorted(found, key=_file_of)


def _file_of(mistake: str) -> str:
    return mistake.partition(": ")[0]


def _made(read: _Read) -> Book:
    (table,) = msgspec.convert([*read.codes.values()], tuple[CodeTable])
    payers = msgspec.convert([*read.payers.values()], tuple[Payer, ...])
    providers = msgspec.convert([*read.providers.values()], tuple[Provider, ...])
    prescribers = msgspec.convert([*read.prescribers.values()], tuple[PrescriberTable, ...])
    drugs = msgspec.convert([*read.drugs.values()], tuple[DrugTable, ...])
    reasons = msgspec.convert([*read.reasons.values()], tuple[ReasonTable, ...])
    return Book(
        table.codes, payers, providers, None,
        [each for file in prescribers for each in file.prescribers],
        [each for file in drugs for each in file.drugs],
        [each for file in reasons for each in file.reasons],
    )  # fmt: skip


def _read(paths: Iterable[Path], wrong: list[str]) -> Tables:
    """The files that can be read; what is wrong with the others is added to the mistakes."""
    found = {}
    for path in sorted(paths):
        try:
            text = path.read_bytes()
        except OSError as error:
            wrong.append(f"{path}: cannot be read ({error.strerror})")
            continue
        if (table := _decoded(path, text, wrong)) is not None:
            found[path] = table
    return found


def _decoded(path: Path, text: bytes, wrong: list[str]) -> dict[str, Any] | None:
    try:
        table: dict[str, Any] = msgspec.toml.decode(text.decode("utf-8-sig"))
        return table
    except UnicodeDecodeError:
        wrong.append(f"{path}: is not UTF-8; save it as UTF-8 text")
    except (ValueError, RecursionError) as error:
        says = str(error).replace("Cannot overwrite a value", "a key is given twice")
        wrong.append(f"{path}: is not TOML: {says}")
    return None


def _mistakes(tables: Tables, struct: type[Struct]) -> Iterator[str]:
    for path, table in tables.items():
        yield from (f"{path}: {mistake}" for mistake in mistakes_of(table, struct))


def _repeats(read: _Read) -> Iterator[str]:
    """What is there twice, and what ends before it begins."""
    codes, payers, providers = read.codes, read.payers, read.providers
    yield from _in_lists(read.prescribers, "prescribers", ("npi",))
    yield from _in_lists(read.drugs, "drugs", ("ndc", "from"))
    yield from _in_lists(read.reasons, "reasons", ("code", "groups"))
    yield from _in_two_files(payers, "id")
    yield from _in_two_files(providers, "npi")
    yield from _in_lists(codes, "codes", ("code",))
    yield from _in_lists(payers, "terms", ("from", "published"))
    yield from _in_lists(providers, "agreements", ("payer", "from", "signed_on"))


def _in_two_files(tables: Tables, key: str) -> Iterator[str]:
    first: dict[Any, Path] = {}
    for path, table in tables.items():
        value = table.get(key)
        if isinstance(value, str) and first.setdefault(value, path) != path:
            yield f"{path}: {key}: {value} is in {first[value].name} already; keep one of the two files"


def _in_lists(tables: Tables, key: str, identity: tuple[str, ...]) -> Iterator[str]:
    first: dict[tuple[Path, str], int] = {}
    for path, number, item in _items(tables, key):
        where = f"{path}: {item_name(key, number, item)}: "
        told = [item.get(part) for part in identity]
        if None not in told and (same := first.setdefault((path, str(told)), number)) != number:
            yield f"{where}{', '.join(identity)}: the same as in [[{key}]] {same}; keep one of the two"
        first_date, last_date = item.get("from"), item.get("to")
        if type(first_date) is type(last_date) is date and last_date < first_date:
            yield f"{where}to: {last_date} is before its from, {first_date}"


def _without_a_file(read: _Read) -> Iterator[str]:
    """Agreements with a payer that the book does not have, nor a file of it that could not be read."""
    known = sorted(str(table["id"]) for table in read.payers.values() if "id" in table)
    for path, number, item in _items(read.providers, "agreements"):
        payer = item.get("payer")
        if isinstance(payer, str) and payer not in known and not any(_mentions(file, payer) for file in read.unread):
            close = get_close_matches(payer, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known) or 'none'}"
            yield f"{path}: {item_name('agreements', number, item)}: payer: no file in payers/ has this id; {hint}"


def _mentions(file: Path, payer: str) -> bool:
    """Whether a file that is no TOML may be this payer's all the same."""
    try:
        return payer == file.stem or payer in file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True  # nobody knows what it says


def _items(tables: Tables, key: str) -> Iterator[tuple[Path, int, dict[str, Any]]]:
    """The tables of every file's list, with their number."""
    for path, table in tables.items():
        listed = table.get(key)
        for number, item in enumerate(listed if isinstance(listed, list) else (), 1):
            if isinstance(item, dict):
                yield path, number, item
