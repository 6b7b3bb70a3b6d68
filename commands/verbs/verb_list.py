"""The verbs of the command line: each is loaded when it is asked for, so that a short answer stays quick."""

from __future__ import annotations

from importlib import import_module
from typing import Final, NamedTuple

import click

from commands.terminal.show import print_nowhere

DONE: Final = 0


class Verb(NamedTuple):
    """A verb: its module among the verbs, and what it does in a sentence, the first of its own help."""

    module: str
    does: str


VERBS: Final = {
    "record": Verb(
        "record", "Record the facts and acts of FILE (JSON Lines; '-' reads stdin) and print what became of each line."
    ),
    "days": Verb("read", "Show each service date of each episode with its verdict."),
    "findings": Verb("read", "Show contradictions and mistakes that are worth a human's time."),
    "lines": Verb("read", "Show the claim lines that the billable days make."),
    "why": Verb("ask", "Say why a service date of an episode is what it is."),
    "replay": Verb(
        "ask", "Tell an episode's story: each entry in order, and which days got which verdict because of it."
    ),
    "diff": Verb("diff", "Show what changed: since an instant, or since the claim."),
    "page": Verb("page", "Write an episode's days, verdicts, causes and entries as one HTML page."),
    "bundle": Verb("bundle", "Put episodes into one zip that a payer can check without trusting us."),
    "export": Verb(
        "export",
        "Write days, lines, findings, changes, claimed days, authorizations, rates or events into files, for programs"
        " downstream.",
    ),
    "follow": Verb("follow", "Print each day that is not what it was, as JSON Lines, until stopped."),
    "status": Verb("ask", "Show positions, lag, verdicts and findings in numbers, and the settings in force."),
    "report": Verb("report", "Show what people look at each Monday."),
    "close": Verb(
        "close", "Fix a month's report: days and dollars by payer, code and verdict, and a fingerprint of every day."
    ),
    "restatements": Verb(
        "close", "Show the days of a closed month that are something else now, and what changed them."
    ),
    "rebuild": Verb("rebuild", "Build the read model anew beside the live one, prove it, and switch."),
    "migrate": Verb(
        "migrate",
        "Make the tables of a ledger in PostgreSQL, once; a ledger that is there is checked and left as it is.",
    ),
    "master-key": Verb("master_key", "Draw a new master key into FILE, for encrypted ledgers."),
    "merge-patients": Verb("patients", "Merge patient OLD into patient INTO: two names in the ledger, one person."),
    "part-patients": Verb(
        "patients", "Part patient OLD from the patient it was merged into: they are two people after all."
    ),
    "forget": Verb(
        "forget", "Forget PATIENT: destroy the keys of their episodes, so that nobody can read the entries any more."
    ),
    "what-if": Verb(
        "what_if", "Judge all history under another book, and show the difference in days, lines and dollars."
    ),
    "checkpoint": Verb("proof", "Sign what the ledger is now, to be kept away from it."),
    "verify": Verb("proof", "Walk the whole ledger and name the first position that is wrong."),
    "serve": Verb(
        "serve", "Show worklist, episodes, findings and the Monday report in a browser, on this machine alone."
    ),
    "backup": Verb("backup", "Write a backup of the ledger to one file, while others may go on recording."),
    "restore": Verb("backup", "Make a ledger of FILE, a backup, where there is none."),
    "doctor": Verb(
        "doctor", "Look at what the ledger rests on: versions, settings in force, rights, disk room, clock, lag."
    ),
    "completion": Verb("completion", "Print the completion script for a shell."),
    "help": Verb("help", "Show a page of the documentation; without TOPIC, the list of pages."),
}
"""The verbs in the order of a day's work."""


class Verbs(click.Group):
    """The verbs in the order of a day's work."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of them, or None."""
        if cmd_name not in VERBS:
            return None
        module = import_module(f"commands.verbs.{VERBS[cmd_name].module}")
        found: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of the verbs as click writes it, but that none of them is loaded for it."""
        limit = formatter.width - 6 - max(map(len, VERBS))
        shown = [(name, click.Command(name, help=verb.does).get_short_help_str(limit)) for name, verb in VERBS.items()]
        with formatter.section("Commands"):
            formatter.write_dl(shown)

    def invoke(self, ctx: click.Context) -> object:
        """Do what was asked, or what of it somebody waits for: ``days | head`` ends quietly."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            print_nowhere()
            return DONE
