"""The pages docs/reference/feed.md and docs/why/deidentified.md, made from the declarations of what is exported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from projections.export.as_parquet import TYPES
from projections.export.columns import Dataset
from projections.export.manifest import ExportedFile, ExportManifest
from projections.export.shapes import DATASETS, SCHEMA_VERSION
from projections.rows.columns import Column

_JSON: Final = {
    "text": "string", "word": "string", "date": "string `YYYY-MM-DD`", "instant": "string, as in CSV", "count": "integer",
    "flag": "`true`, `false`", "money": 'string `"90.00"`', "number": 'string `"0.5"`',
    "texts": "array of strings", "dates": "array of strings `YYYY-MM-DD`",
}  # fmt: skip
_CSV: Final = {
    "text": "text", "word": "text", "date": "`YYYY-MM-DD`", "instant": "`2026-11-02T16:00:00Z`",
    "count": "digits", "flag": "`true`, `false`", "money": "`90.00`", "number": "`0.5`",
    "texts": "JSON array", "dates": "JSON array",
}  # fmt: skip
_MEANS: Final = {
    "ledger": "the ledger's id", "position": "the last position that counts", "seal": "the ledger's seal there",
    "recorded_until": "when the last entry up to there was recorded (UTC)",
    "since": "of changes and events: the position they begin after; else null",
    "known_at": "the instant of `--known-at`; else null",
    "book_hash": "SHA-256 of the book that gave the verdicts or rates; null for events",
    "code_version": "the version of the program that judged them", "dataset": "`days`, `lines`, `findings`, `changes`, `claimed`, `episodes`, `authorizations`, `claims`, `payments`, `remittances`, `remittance_lines`, `remittance_adjustments`, `providers`, `rates` or `events`",
    "format": "`parquet`, `csv`, `jsonl` or `cloudevents`", "schema_version": "the version of this page",
    "deidentified": "whether it is de-identified", "patients_set_aside": "patients left out because an entry of theirs cannot be read",
    "columns": "the columns, in order", "rows": "rows in all files", "totals": "sums over all rows",
    "files": "each file, see below", "path": "its place in the export", "bytes": "its length",
    "sha256": "SHA-256 of its bytes, in hex",
}  # fmt: skip

_FEED: Final = """\
# The feed: what programs downstream can rely on

Made from `projections/export/` by `scripts/reference`; do not edit. This is version {version} of the contract.

Within a version columns are only ever added, at the end; none is removed, renamed, moved or given another type. A
test holds `tests/golden/export/v{version}` against the code and fails on anything else. What changes otherwise gets a
new version, which every manifest names as `schema_version`.

How to use it: [feed programs downstream](../how-to/feed-downstream.md).

## Getting it

    episode-ledger export days --format parquet --out feed      # also as csv, jsonl
    episode-ledger export changes --since 1200 --format parquet --out feed
    episode-ledger export events --format cloudevents --out feed
    episode-ledger follow --since 1200 | your-loader            # changes as they come

`feed/days` is a link to a folder that is never touched again: `service_month=YYYY-MM/part-0.parquet` for each month
that has rows, and `manifest.json`; beside CSV a Frictionless `datapackage.json`, too. The next export is written beside
it, finished on disk, and takes its place in one step; the previous one is kept until the one after. A reader that
opens several files resolves the link first (`realpath feed/days`) and reads below that. One folder holds a dataset in
one format. Without rows there are no files, and the manifest says so. Files are readable by their owner alone (0600).

The month is that of `date`; of a line or a claim that of `from`; of an answer, its lines and adjustments that of `paid_on`; of a finding that of its first date; of an authorization that
of the episode's last day, `last_day`: to find those that run out while therapy goes on, the last months are enough. `providers` and `rates` are reference data and have no months, nor has `episodes`: one file, `feed/rates/part-0.parquet`. Within a month rows
are ordered by {order} as code points; those of `claimed` for one date in the order in which the claims were recorded. Equal ledgers, books and programs give equal bytes.

| | Parquet | CSV | JSON Lines |
| --- | --- | --- | --- |
| form | zstd, row groups of 32,768 | UTF-8, RFC 4180, a header in every file | UTF-8, an object a line |
| money | `decimal128(18, 2)`, dollars | `90.00` | `"90.00"`, a string: a JSON number would be read as a binary fraction |
| instant | `timestamp[us, UTC]` | `2026-11-02T16:00:00Z`, up to six decimals | the same, a string |
| number | `decimal128(38, 8)` | `0.5` | `"0.5"`, a string |
| yes or no | `bool` | `true`, `false` | `true`, `false` |
| null | null | empty; no text is ever empty | `null` |
| list | list | a JSON array | an array |

The numbers are the same in every format, and whole cents: no format rounds. In CSV a text that begins with `=`, `+`,
`-`, `@`, a tab, a carriage return or an apostrophe gets an apostrophe before it, so that no spreadsheet takes it for a
formula: remove one leading apostrophe to get the text.

Every Parquet file bears in its metadata what it is made of, under the manifest's names: `ledger`, `position`, `seal`, `book_hash`,
`code_version`, `schema_version` and the rest of them.

## Keeping a copy up to date

1. Load `days` and keep the `position` of its manifest.
2. Ask for `changes` with `--since` that position, or `follow` from there. In one transaction, for each row: remove the
   day with its `patient`, `episode` and `date` (if there is one), insert the new values (unless it is a
   `retract`), and keep the rows' `position`. With no rows, nothing changed.
3. That gives exactly what `export days` gives at that position: every column, `because` included.

`lines`, `findings`, `claimed` and `payments` are kept up to date the same way, from `line_changes`, `finding_changes`, `claimed_changes` and
`payment_changes`, asked for again and again (`follow` has the changes of days alone): what
names a row are the columns without `old_` or `new_` that are its key (of lines `patient`, `episode`, `from`; of findings `finding`; of claimed
days `patient`, `episode`, `date`, `nth`). They have no `cause`: these rows name the entries they rest on, and `changes` says what made
a day another. Nobody keeps the rows of an earlier position: whoever has entries since then is read once and judged twice, and after another book
that is everybody.

- A `restate` whose verdict is the same differs in something else: its rate, its terms, its causes.
- A day that went to another patient is a `retract` there and an `insert` here.
- Positions count the ledger's entries, and the administrative acts between them. A change of the book is such an act:
  `export` and `follow` record a book the first time something judged by it is exported, so it has a position of its own
  and its changes have the cause `book`. A position is judged by the book adopted last by then (before the first: by
  the first).
- `cause` names what changed the day since then, the latest first; `cause_position` is the position of the first in that
  list. For a patient who was not known at `--since` it names the entries the verdict rests on, and `cause_position` is
  null.
- A position beyond the ledger's last is an error (exit status 4): the ledger was restored, or it is another one. So is a
  `--seal` that the ledger does not have there, and a `--code-version` that makes other rows. Start again from
  `--since 0`. Where somebody was forgotten since, the exit status is 5: remove what you have first.
- **Another `code_version`**: the changes compare what this version says of then and of now. If the program was changed
  since you loaded (`code_version` differs), load `days` again.
- `follow` begins with a line that says what is followed, from where: `ledger`, `position`, `seal`, `code_version`, `book_hash`,
  `schema_version`, as in a manifest. Then it prints each row as it comes, as in JSON Lines, with one more key: `"last": true` on the
  last row that leads to a position, which has the `seal` of that position, too. Commit only then; if the stream ends before, roll back and ask again. It ends with 0 when it is
  stopped (Ctrl-C) or its reader is gone.
- `patient` is an empty text in rows that are no patient's: what stays of those who were forgotten, and findings on payers' checks. In CSV that is an
  empty cell, the one text that is.
- A patient set aside by a quarantine is missing from every dataset that has a patient (the
  manifest says how many are set aside), and stops all changes with exit status 3: what cannot be read cannot be compared.
- A patient who is **too large to read** within the budget (`--patient-mb`) stops nobody. They are named on stderr and counted in the
  manifest, their rows come as `retract` (of days with the cause `left_out`), and `days`, `lines`, `findings` and `claimed` have none of theirs either. That stands in the ledger
  as an administrative act, so nothing is lost: the first run with room for them has every row of theirs as an `insert`, from whatever position it is asked. Load anew after
  the budget was made *smaller*.
"""


def _table(head: list[str], rows: Iterator[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def _columns(dataset: Dataset) -> Iterator[list[str]]:
    for column in dataset.columns:
        null = "yes" if column.nullable else ""
        forms = [f"`{_arrow(column)}`", _CSV[column.kind], _JSON[column.kind]]
        yield [f"`{column.name}`", *forms, null, column.meaning]


def _arrow(column: Column) -> str:
    named = {
        "text": "string",
        "word": "dictionary<string>",
        "texts": "list<string>",
        "dates": "list<date32>",
        "instant": "timestamp[us, UTC]",
    }
    return named.get(column.kind, str(TYPES[column.kind]).removesuffix("[day]"))


def _fields(struct: type[msgspec.Struct]) -> Iterator[list[str]]:
    for field in msgspec.structs.fields(struct):
        meaning = "rows in it" if (struct, field.name) == (ExportedFile, "rows") else _MEANS[field.encode_name]
        yield [f"`{field.encode_name}`", meaning]


def feed_page() -> str:
    """docs/reference/feed.md."""
    order = "; ".join(f"`{', '.join(each.order)}` ({each.name})" for each in DATASETS.values())
    parts = [_FEED.format(version=SCHEMA_VERSION, order=order)]
    head = ["Column", "Parquet", "CSV", "JSON Lines", "May be null", "Meaning"]
    for dataset in DATASETS.values():
        parts += [f"## {dataset.name}\n", dataset.about + "\n", _table(head, _columns(dataset))]
        parts += [_ABOUT[dataset.name]] if dataset.name in _ABOUT else []
    parts += [_EVENTS, "## manifest.json\n", _table(["Key", "Meaning"], _fields(ExportManifest))]
    parts += ["Each of `files`:\n", _table(["Key", "Meaning"], _fields(ExportedFile)), _TOTALS]
    return "\n".join(parts)


_ABOUT: Final = {
    "claimed": """\
These are the rows of `episode-ledger diff --claimed --all --every`, with dollars in place of cents: `claimed_cents` is
`claimed_charge` here, `now_cents` is `now_rate`, `exposure_cents` is `exposure`,
`paid_cents` is `paid`. A date has a row for every line of a
live claim that names it: sums of `now_rate` over them would count the day more than once, sums of `claimed_charge`
and `exposure` do not.
""",
    "claims": """\
These are the rows of `episode-ledger claims list`, with the patient, and with dates. Claims are not deleted: one that was turned back,
replaced or voided stays, and `state` says so. With `--known-at` a claim stands where it was known to stand then; so do the datasets below.
""",
    "payments": """\
These are the rows of `episode-ledger payments`, `patient_cents` being `patient_owes` here: a row for each date and code of a live claim, and
of others as long as something was answered for it. A line's money is spread over its days in equal shares, to the cent: the sum of `paid` over
a claim's days is the sum of its answers, and `claims.paid`. Sums of `expected` count a day once for every claim it stands on.
`claims` has the row of `patient`, `episode`, `claim`; `days` that of `patient`, `episode`, `date`, where it is a day of the episode still.
""",
    "remittances": """\
Every answer that was matched to a claim, as it was sent: one that takes another back (`status` 22) is a row of its own, below zero, so that
sums of `paid` are what came. `claims` has the row of `patient`, `episode`, `claim`. Answers for no known claim wait in `payments --unmatched`
until somebody assigns them; what a payer kept from a whole check is no answer to a claim. Neither is here.
""",
    "remittance_lines": """\
`remittances` has the row of `patient`, `episode`, `answer`. An answer without lines has none: its money is of the claim as a whole.
""",
    "remittance_adjustments": """\
`remittances` has the row of `patient`, `episode`, `answer`; `remittance_lines` that with `line_number` as `number`, unless it is null. `charge`
less the sum of `amount` is `paid`, for each line and each answer that is `balanced`.
""",
    "providers": """\
`branch` is a key of the book's `providers/*.toml`. Which branch a day or a line is of, this says by their `provider`; of claimed days
the days say it, by `patient`, `episode` and `date`. It stands here and not in `days`, for a branch is the book's and no verdict: days that a
consumer keeps up to date from `changes` stay exactly those of `export days`.
""",
    "episodes": """\
One row an episode, whoever it belongs to now, voided ones included; one file, without months. With `--known-at` as known then.
""",
    "authorizations": """\
With `--known-at` an authorization is there if it was recorded by then, with the units drawn as known then.
""",
    "rates": """\
With `--known-at` the editions published by then. A day is priced by its `payer`, `terms_from`, `terms_published` and
`code`; one whose code is not known yet by the row without a code, where there is one. Where a row of the same has the day's `provider` and
its date lies in `from` to `to`, that one counts: their agreement names the rate.
""",
}
"""What there is to say of a dataset beyond its columns."""
_EVENTS: Final = """\
## events

The entries themselves, in the order they were recorded, as [CloudEvents](https://cloudevents.io) 1.0: `part-0.jsonl`,
one object a line.

| Attribute | Value |
| --- | --- |
| `specversion` | `1.0` |
| `id` | the ledger's id, a slash, the position |
| `source` | `urn:episode-ledger:` and the ledger's id |
| `type` | `episode-ledger.`, the fact's type, `.v1` |
| `subject` | the episode |
| `time` | when it was recorded (UTC) |
| `datacontenttype` | `application/json` |
| `sequence` | the position in nineteen digits, so that text order is the order of recording (the *sequence* extension) |
| `data` | the line of intake, with `recorded_at`, and `version`, its number in the episode; without `version` it can be recorded again with `--keep-recorded-at` |

As Parquet (`--format parquet`): `part-0.parquet`, in the same order, some fifty bytes an entry where JSON has five hundred. `data` is taken
apart: `position`, `episode`, `version`, `type`, `source`, `id`, `by`, `recorded_at`, and `fact` as JSON text.

Positions missing in between are administrative acts. Events hold everything that was recorded, free text included: they are
never de-identified. But who a patient or subscriber is stands on claims alone: of `PatientIdentified` and
`SubscriberIdentified` only the type is told.
"""
_TOTALS: Final = """\
`totals` of `days`: days by status, and `rate`, the dollars of all billable days; of `lines`: `units` and `charge`,
the same dollars; of `findings`: how many are `hard` and `soft`; of all changes: how many of each kind; of `claimed`: days of
each kind, and the dollars of `claimed_charge` and `exposure`; of `authorizations`: `units`, `drawn` and
`billable_days`; of `claims`: how many in each state, and the dollars of `charge` and `paid`; of `payments`: days of each
status, and the dollars of `expected`, `paid`, `patient_owes`, `charge`, `to_give_back` and `missing`; of `remittances` and
`remittance_lines`: those of `charge` and `paid`; of `remittance_adjustments`: those of `amount`. Instants are UTC, to the microsecond at most.
"""


# deidentified.md

_BECOMES: Final = {
    "kept": "kept as it is",
    "pseudonym": "a pseudonym: 128 bits of HMAC-SHA256 under the key, in hex",
    "shifted": "moved back by the patient's number of days",
    "left out": "left out: the column is not there",
}
_WHY: Final = {
    "authorization": "a number the payer gave for this patient",
    "terms_from": "a public date; beside shifted dates it would reveal by how much they are shifted",
    "terms_published": "likewise",
    "because": "names given by other systems; they may hold a record number, a name or a date",
    "cause": "names given by other systems; they may hold a record number, a name or a date",
    "claim": "a number given for this patient",
    "number": "of an authorization: a number the payer gave for this patient; of an answer's part: a count",
    "control": "a number given for this patient",
    "payer_control": "a number the payer gave for this patient",
    "payment": "the number of a check, which the payer knows; beside shifted dates it would reveal by how much they are shifted",
    "replaces": "a number given for this patient",
    "file": "the file it left in: who has the file could recognize it",
    "line": "a number of our own",
    "revealed_by": "names given by other systems; they may hold a record number, a name or a date",
    "revealed_at": "when it was recorded, to the microsecond: patients recorded in one delivery could be recognized by it; "
    "where new terms revealed it, a public date",
    "repay_by": "60 days after `revealed_at`",
    "from": "mostly the first day of a year or a month: moved, it would reveal by how much",
    "to": "likewise",
    "cause_position": "would put patients in the order of their recording",
    "message": "text",
    "known_when_claimed": "a verdict in words, and a code",
    "known_now": "likewise",
    "modifiers": "empty in this edition",
    "payer": "a company, not the patient's number there",
    "position": "of the whole export, the same in every row",
    "book": "of the whole export, the same in every row",
}
_SAFE_HARBOR: Final = [
    ("A", "Names", "The patient's name is a pseudonym. No other name is exported."),
    ("B", "Geographic subdivisions smaller than a state", "None is exported. The ledger holds only a time zone, which is not."),
    ("C", "Elements of dates (except year) related to an individual; ages over 89",
     "**Not met by the letter:** dates are shifted, by 1 to 365 days back, the same for all dates of a patient, not removed. "
     "The ledger holds no birth dates and no ages, so there is none to cap; a death shows only as the end of days."),
    ("D", "Telephone numbers", "The ledger holds none of its own. Free text is not exported."),
    ("E", "Fax numbers", "As D."),
    ("F", "E-mail addresses", "As D."),
    ("G", "Social security numbers", "As D."),
    ("H", "Medical record numbers", "Names of patients and episodes are pseudonyms; `source:id` of entries is left out."),
    ("I", "Health plan beneficiary numbers", "`member` is never exported, authorization numbers are left out."),
    ("J", "Account numbers", "Claim numbers and `source:id` are left out, or pseudonyms where rows are joined by them."),
    ("K", "Certificate and license numbers", "Providers' and prescribers' NPI are never exported."),
    ("L", "Vehicle identifiers", "As D."),
    ("M", "Device identifiers and serial numbers", "Pumps' names are in `source:id`, which is left out."),
    ("N", "Web addresses", "As D."),
    ("O", "IP addresses", "As D."),
    ("P", "Biometric identifiers", "As D."),
    ("Q", "Full-face photographs", "As D."),
    ("R", "Any other unique identifying number, characteristic or code",
     "Pseudonyms are not derived from anything about the patient without the key, which is drawn at random and is never "
     "exported. The course itself may be unique, see below."),
]  # fmt: skip

_DEIDENTIFIED: Final = """\
# De-identified exports

Made from `projections/export/` by `scripts/reference`; do not edit.

    episode-ledger export days --format parquet --out research --deidentified --key FILE

**What this is not.** It is not the Safe Harbor of 45 CFR 164.514(b)(2): that wants every element of a date but its
year removed, and these dates are shifted, so that lengths of stay and gaps can still be counted. Use it where an
expert has determined that the risk is very small (164.514(b)(1)), or as a limited data set under a data use agreement
(164.514(e)), and say that dates are shifted. Anyone who knows one true date of a patient knows all of that patient's.

**The key** is 32 random bytes in a file of its own (without `--key` in your own configuration folder, made at the first
use, 0600), never in the folder of the ledger or of the export. The same key gives the same pseudonyms and shifts, in
every dataset and at every time, so that exports can be joined; anyone with the key and a list of names can find out
who is who. If it is lost or destroyed, no new export joins the ones handed out before.

**The shift** is a number of days from 1 to 365, drawn for each patient by the key. All dates of a patient move
together; service months are those of the shifted dates. Rows are ordered by pseudonym, so that their order reveals
nothing.

**Lines** that follow upon each other with one payer, code and rate are put together: their breaks at months' ends
would reveal how far they are shifted. Units and dollars add up to the same.

**Authorizations** keep their units and what was drawn, and lose their number and the dates between which they hold:
these mostly begin and end with a year or a month. **Claims and answers** keep pseudonyms of their own in place of
their numbers, so that `claims`, `payments`, `remittances` and their parts can be joined; numbers of payers and checks are left out.
**`providers`** and **`rates`** are of no patient and stay as they are.

**`events` cannot be de-identified**: they hold free text. Nor can **`line_changes`**: a line ends with its month, at the latest. The
command refuses both.

**What is left.** A rate that changes from one day to the next shows where a payer's new edition began, which is
public: with several payers known, a shift can be found out from it. The last days of all patients lie near the day of
the export. A rare reason, or a very long episode, may be one patient's alone. `totals` of the manifest are over all
patients. In all changes an episode that was corrected from one patient to another appears under both, with two shifts.
An expert has to weigh these.

## The eighteen identifiers

| 164.514(b)(2)(i) | Identifier | What becomes of it |
| --- | --- | --- |
{identifiers}

## Column by column

"""


def deidentified_page() -> str:
    """docs/why/deidentified.md."""
    identifiers = "\n".join(f"| ({letter}) | {name} | {what} |" for letter, name, what in _SAFE_HARBOR)
    parts = [_DEIDENTIFIED.format(identifiers=identifiers)]
    for dataset in DATASETS.values():
        parts += [f"### {dataset.name}\n", _table(["Column", "What becomes of it", "Why"], _treatments(dataset))]
    return "\n".join(parts)


def _treatments(dataset: Dataset) -> Iterator[list[str]]:
    of_a_patient = any(column.name == "patient" for column in dataset.columns)
    refused = dataset.name == "line_changes"
    for column in dataset.columns:
        bare = column.name.removeprefix("old_").removeprefix("new_")
        told = column.deidentified == "left out" or (column.deidentified == "kept" and of_a_patient)
        becomes = "refused with the whole dataset" if refused else _BECOMES[column.deidentified]
        yield [f"`{column.name}`", becomes, _WHY.get(bare, "") if told and not refused else ""]


PAGES: Final[dict[str, Any]] = {"feed.md": feed_page, "../why/deidentified.md": deidentified_page}
"""What makes each page, by its place from docs/reference."""
