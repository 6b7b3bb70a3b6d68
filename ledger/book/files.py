"""The files of a book, read and checked: all mistakes of all files at once, by file and key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

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
    if not root.is_dir():
        raise BookError(f"{root}: no such folder; --book names a folder with payers/ and providers/")
    if not (root / "payers").is_dir():
        raise BookError(f"{root}: has no folder payers/; a book holds payers/*.toml and providers/*.toml")
    code_file = root / "codes.toml"
    wrong: list[str] = []
    codes = _read([code_file if code_file.exists() else PACKAGED / "codes.toml"], wrong)
    payers = _read((root / "payers").glob("*.toml"), wrong)
    providers = _read((root / "providers").glob("*.toml"), wrong)
    wrong += [*_without_a_file(providers, payers)] if not wrong else []  # the payer may be in a file that was not read
    wrong += [*_mistakes(codes, CodeTable), *_mistakes(payers, Payer), *_mistakes(providers, Provider)]
    wrong += _repeats(codes, payers, providers)
    if wrong:
        raise BookError("\n".join(sorted(wrong, key=_file_of)))
    return _made(codes, payers, providers)


def _file_of(mistake: str) -> str:
    return mistake.partition(": ")[0]


def _made(codes: Tables, payers: Tables, providers: Tables) -> Book:
    (table,) = msgspec.convert([*codes.values()], tuple[CodeTable])
    made_payers = msgspec.convert([*payers.values()], tuple[Payer, ...])
    return Book(table.codes, made_payers, msgspec.convert([*providers.values()], tuple[Provider, ...]))


def _read(paths: Iterable[Path], wrong: list[str]) -> Tables:
    """The files that can be read; what is wrong with the others is added to the mistakes."""
    found = {}
    for path in sorted(paths):
        try:
            found[path] = msgspec.toml.decode(path.read_bytes().decode("utf-8-sig"))
        except OSError as error:
            wrong.append(f"{path}: cannot be read ({error.strerror})")
        except UnicodeDecodeError:
            wrong.append(f"{path}: is not UTF-8; save it as UTF-8 text")
        except (ValueError, RecursionError) as error:
            says = str(error).replace("Cannot overwrite a value", "a key is given twice")
            wrong.append(f"{path}: is not TOML: {says}")
    return found


def _mistakes(tables: Tables, struct: type[Struct]) -> Iterator[str]:
    for path, table in tables.items():
        yield from (f"{path}: {mistake}" for mistake in mistakes_of(table, struct))


def _repeats(codes: Tables, payers: Tables, providers: Tables) -> Iterator[str]:
    """What is there twice, and what ends before it begins."""
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


def _without_a_file(providers: Tables, payers: Tables) -> Iterator[str]:
    """Agreements with a payer that the book does not have."""
    known = sorted(str(table["id"]) for table in payers.values() if "id" in table)
    for path, number, item in _items(providers, "agreements"):
        payer = item.get("payer")
        if isinstance(payer, str) and payer not in known:
            close = get_close_matches(payer, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known) or 'none'}"
            yield f"{path}: {item_name('agreements', number, item)}: payer: no file in payers/ has this id; {hint}"


def _items(tables: Tables, key: str) -> Iterator[tuple[Path, int, dict[str, Any]]]:
    """The tables of every file's list, with their number."""
    for path, table in tables.items():
        listed = table.get(key)
        for number, item in enumerate(listed if isinstance(listed, list) else (), 1):
            if isinstance(item, dict):
                yield path, number, item
