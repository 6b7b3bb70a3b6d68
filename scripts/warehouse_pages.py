"""What dbt/ has from the declarations of the feed: a model over each export, its columns with types and meanings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from projections.export.shapes import CHANGES_OF, DATASETS
from projections.rows.columns import Column, Kind

TYPES: Final[dict[Kind, str]] = {
    "text": "VARCHAR",
    "word": "VARCHAR",
    "date": "DATE",
    "instant": "TIMESTAMP WITH TIME ZONE",
    "count": "BIGINT",
    "flag": "BOOLEAN",
    "money": "DECIMAL(18,2)",
    "number": "DECIMAL(38,8)",
    "texts": "VARCHAR[]",
    "dates": "DATE[]",
}
_MADE: Final = "Made from projections/export/ by scripts/reference; do not edit."


def columns_macros() -> str:
    """dbt/macros/columns.sql: what the models need to know of each dataset."""
    columns = {name: {each.name: TYPES[each.kind] for each in one.columns} for name, one in DATASETS.items()}
    keys = {name: list(one.key) for name, one in DATASETS.items()}
    changes = {of: name for name, of in CHANGES_OF.items()}
    macros = {
        "feed_columns(dataset)": (columns, "The columns of a dataset, with their types."),
        "feed_key(dataset)": (keys, "The columns that name one row of a dataset."),
        "changes_of(dataset)": (changes, "The dataset of its changes."),
    }
    parts = [f"{{# {_MADE} #}}\n"]
    for call, (table, says) in macros.items():
        text = "".join(f"        {json.dumps(name)}: {json.dumps(said)},\n" for name, said in table.items())
        parts.append(
            f"{{# {says} #}}\n{{% macro {call} %}}\n    {{{{ return({{\n{text}    }}[dataset]) }}}}\n{{% endmacro %}}\n"
        )
    return "\n".join(parts)


def feed_model(name: str) -> str:
    """A model over the files of an export."""
    return f"-- {_MADE}\n{{{{ feed('{name}') }}}}\n"


def feed_documented() -> str:
    """dbt/models/feed/feed.yml: what every model over an export is, and each of its columns."""
    return _models(f"feed_{name}" for name in DATASETS)


def kept_documented() -> str:
    """dbt/models/kept/kept.yml: likewise of the tables that are kept up to date, with their tests."""
    return _models(CHANGES_OF.values())


def _models(names: Iterable[str]) -> str:
    lines = [f"# {_MADE}", "version: 2", "models:"]
    for name in names:
        dataset = DATASETS[name.removeprefix("feed_")]
        lines += [f"  - name: {name}", f"    description: {json.dumps(dataset.about)}"]
        if name == dataset.name:
            key = json.dumps(list(dataset.key))
            lines += ["    data_tests:", f"      - names_one_row: {{arguments: {{columns: {key}}}}}"]
        lines += ["    columns:", *(line for column in dataset.columns for line in _column(column))]
    return "\n".join(lines) + "\n"


def _column(column: Column) -> list[str]:
    return [
        f"      - name: {json.dumps(column.name)}",
        f"        description: {json.dumps(column.meaning, ensure_ascii=False)}",
        f"        data_type: {TYPES[column.kind]}",
        "        quote: true",
    ]


PAGES: Final[dict[str, Callable[[], str]]] = {
    "../../dbt/macros/columns.sql": columns_macros,
    "../../dbt/models/feed/feed.yml": feed_documented,
    "../../dbt/models/kept/kept.yml": kept_documented,
    **{f"../../dbt/models/feed/feed_{name}.sql": partial(feed_model, name) for name in DATASETS},
}
"""What makes each file, by its place from docs/reference."""
