"""The list of the verbs: written without loading one of them, so that it is there at once."""

from __future__ import annotations

from typing import Final, NamedTuple

import click


class Verb(NamedTuple):
    """A verb: its module among the verbs, and what it does in a sentence, the first of its own help."""

    module: str
    does: str


VERBS: Final = {
    "record": Verb(
        "record",
        "Record the facts and acts of FILE (JSON Lines; '-' reads stdin) and print what became of each line.",
    ),
    "tell": Verb(
        "tell",
        "Record one fact or act of EPISODE: its TYPE, such as DayServed, and its fields as FIELD=VALUE.",
    ),
    "correct": Verb(
        "correct",
        "Correct an entry of EPISODE: what it says stays, but for the fields given as FIELD=VALUE.",
    ),
    "retract": Verb("correct", "Retract an entry of EPISODE: it never happened."),
    "unretract": Verb("correct", "Take back what retracted an entry of EPISODE: it counts again."),
    "resolve": Verb(
        "tell",
        "Decide what EPISODE bills on DATE where codes or episodes are in conflict: this CODE, or nothing.",
    ),
    "void-episode": Verb("tell", "Void EPISODE: it was opened in error."),
    "move-patient": Verb("correct", "Give EPISODE to PATIENT: it was opened for somebody else."),
    "import": Verb("import_", "Record what spreadsheets tell: CSV, TSV or XLSX FILES, by a mapping of their columns."),
    "days": Verb("read", "Show each service date of each episode with its verdict."),
    "findings": Verb("read", "Show contradictions and mistakes that are worth a human's time."),
    "lines": Verb("lines", "Show the claim lines that the billable days make."),
    "worklist": Verb(
        "worklist",
        "Show open work: what stops claims, days on hold, days to bill and warnings, with dollars and the date by which"
        " to act, the most pressing first.",
    ),
    "why": Verb("ask", "Say why a service date of an episode is what it is."),
    "replay": Verb(
        "ask",
        "Tell an episode's story: each entry in order, and which days got which verdict because of it.",
    ),
    "diff": Verb("diff", "Show what changed: since an instant, or since the claim."),
    "page": Verb("page", "Write an episode's days, verdicts, causes and entries as one HTML page."),
    "bundle": Verb("bundle", "Put episodes into one zip that a payer can check without trusting us."),
    "export": Verb(
        "export",
        "Write days, lines, findings, claimed days, what changed of them, claims, payments, remittances, episodes,"
        " authorizations, providers, rates or events into files, for programs downstream.",
    ),
    "follow": Verb("follow", "Print each day that is not what it was, as JSON Lines, until stopped."),
    "status": Verb(
        "ask",
        "Show how many days, verdicts and findings there are; with --technical positions, lag"
        " and the settings in force.",
    ),
    "claims": Verb(
        "claims",
        "Write billable days into files of claims (837P), look at such files, and at where each claim stands.",
    ),
    "ack": Verb("answers", "Record the acknowledgements in FILES (TA1, 999, 277CA) and show what became of each."),
    "remit": Verb("answers", "Record the remittances in FILES (835) and show what became of each answer."),
    "assign-remittance": Verb(
        "answers", "Assign to CLAIM what PAYMENT answered under CONTROL, the payer's number of the claim."
    ),
    "payments": Verb("payments", "Show what each claimed day was paid, beside what is expected for it now."),
    "report": Verb("report", "Show what people look at each Monday."),
    "close": Verb(
        "close",
        "Fix a month's report: days and dollars by payer, code and verdict, and a fingerprint of every day.",
    ),
    "restatements": Verb(
        "restatements",
        "Show the days of a closed month that are something else now, and what changed them.",
    ),
    "rebuild": Verb("rebuild", "Build the read model anew beside the live one, prove it, and switch."),
    "archive": Verb("archive", "Write the ledger's entries as files for engines of many machines."),
    "judge": Verb(
        "judge", "Judge an archive bucket by bucket, and write days, lines, findings and digests as Parquet."
    ),
    "migrate": Verb(
        "migrate",
        "Make the tables of a ledger in PostgreSQL, once; a ledger that is there is checked and left as it is, but for"
        " tables of an earlier version, which are brought forward.",
    ),
    "master-key": Verb("master_key", "Draw a new master key into FILE, for encrypted ledgers."),
    "merge-patients": Verb("patients", "Merge patient OLD into patient INTO: two names in the ledger, one person."),
    "part-patients": Verb(
        "patients",
        "Part patient OLD from the patient it was merged into: they are two people after all.",
    ),
    "forget": Verb(
        "forget",
        "Forget PATIENT: destroy the keys of their episodes, so that nobody can read the entries any more.",
    ),
    "what-if": Verb(
        "what_if",
        "Judge all history under another book, and show the difference in days, lines and dollars.",
    ),
    "book": Verb("book", "Look at the book, write a file of it, or compare two: payers, terms, providers, agreements."),
    "checkpoint": Verb("checkpoint", "Sign what the ledger is now, to be kept away from it."),
    "verify": Verb("proof", "Walk the whole ledger and name the first position that is wrong."),
    "serve": Verb(
        "serve",
        "Show worklist, episodes, findings and the Monday report in a browser.",
    ),
    "users": Verb("users", "Say who may sign in to the site of 'serve', and as what."),
    "access": Verb(
        "access", "Show each look at a page of the site that showed PATIENT, by any name merged with theirs."
    ),
    "backup": Verb("backup", "Write a backup of the ledger to one file, while others may go on recording."),
    "restore": Verb("backup", "Make a ledger of FILE, a backup, where there is none."),
    "doctor": Verb(
        "doctor",
        "Look at what the ledger rests on: versions, settings in force, rights, disk room, clock, lag.",
    ),
    "completion": Verb("completion", "Print the completion script for a shell."),
    "help": Verb("help", "Show a page of the documentation; without TOPIC, the list of pages."),
}
"""The verbs in the order of a day's work."""


def write_verbs(formatter: click.HelpFormatter) -> None:
    """Write the list as click writes it."""
    limit = formatter.width - 6 - max(map(len, VERBS))
    shown = [(name, click.Command(name, help=verb.does).get_short_help_str(limit)) for name, verb in VERBS.items()]
    with formatter.section("Commands"):
        formatter.write_dl(shown)
