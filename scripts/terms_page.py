"""The page docs/reference/terms.md: every key of the book's files, made from the structs that read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import inspect

from ledger.book import Agreement, Billing, Code, Drug, Edi, Payer, Prescriber, Provider, Reason, Terms
from ledger.book.meanings import MEANS
from ledger.facts.forms import LARGEST_INTEGER

_INTRODUCTION: Final = """\
# Terms and the other files of the book

Made from `ledger/book/tables.py` by `scripts/reference`; do not edit.

The book is a folder: `payers/*.toml`, `providers/*.toml`, `prescribers.toml` and `drugs.toml` for claims, and `codes.toml` or
`reasons.toml` if they replace the packaged ones. Dates are TOML dates,
money is whole cents: 133.00 is `13300`. Misspelt keys, values that are not listed, text that is not in Unicode NFC and whatever is
there twice are refused, all mistakes at once, with file, key and what is allowed.

How to write one: [add a payer](../how-to/add-a-payer.md). The rules that read it: [rulebook](rulebook.md), section 3.
"""
_FILES: Final = (
    ("payers/*.toml", Payer),
    ("[[terms]] of a payer", Terms),
    ("providers/*.toml", Provider),
    ("[[agreements]] of a provider", Agreement),
    ("[edi] of a payer", Edi),
    ("[billing] of a provider", Billing),
    ("[[codes]] of codes.toml", Code),
    ("[[prescribers]] of prescribers.toml", Prescriber),
    ("[[drugs]] of drugs.toml", Drug),
    ("[[reasons]] of reasons.toml", Reason),
)


def terms_page() -> str:
    """docs/reference/terms.md."""
    parts = [_INTRODUCTION]
    for title, struct in _FILES:
        parts.append(f"## {title}\n")
        head = ["| Key | Values | Default | Meaning |", "| --- | --- | --- | --- |"]
        parts.append("\n".join([*head, *_rows(struct)]) + "\n")
    return "\n".join(parts)


def _rows(struct: type[msgspec.Struct]) -> Iterator[str]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    for field in info.fields:
        means = MEANS[struct][field.encode_name]
        yield f"| `{field.encode_name}` | {_values(field.type)} | {_default(field)} | {means} |"


def _default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    return "none" if default is None or default is msgspec.UNSET else f"`{json.dumps(default)}`"


def _values(kind: Any) -> str:
    """What may stand there, in words."""
    match kind:
        case inspect.Metadata():
            return _values(kind.type)
        case inspect.LiteralType():
            return ", ".join(f"`{each}`" for each in sorted(kind.values))
        case inspect.UnionType():
            return " or ".join(_values(each) for each in kind.types if not isinstance(each, inspect.NoneType))
        case inspect.VarTupleType():
            return "tables" if isinstance(kind.item_type, inspect.StructType) else f"list of {_values(kind.item_type)}"
        case inspect.StructType():
            return "a table, below"
        case inspect.DictType():
            key = "code" if isinstance(kind.value_type, inspect.Metadata) and _is_number(kind.value_type) else "place"
            return f"table of {key} = {_values(kind.value_type)}"
        case inspect.IntType():
            return _whole_number(kind)
    return {inspect.DateType: "date", inspect.BoolType: "`true`, `false`", inspect.StrType: "text"}[type(kind)]


def _is_number(kind: inspect.Metadata) -> bool:
    return isinstance(kind.type, inspect.IntType)


def _whole_number(kind: inspect.IntType) -> str:
    bounds = [f"at least {kind.ge}"] if kind.ge is not None else []
    bounds += [f"at most {kind.le}"] if kind.le is not None and kind.le < LARGEST_INTEGER else []
    return "whole number" + "".join(f", {bound}" for bound in bounds)
