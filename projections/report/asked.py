"""What a report is asked for, and the commands that list the rows behind its numbers."""

from __future__ import annotations

import shlex
from datetime import date, datetime, timedelta
from typing import NamedTuple

from projections.read_model.queries import Filters
from projections.words import ANSWER_DAYS, utc_text


class Asked(NamedTuple):
    """A report as it stands on a date, of a payer and a stretch of service dates or of all, as known at an instant;
    ``answer_days`` are those after which a claim should have been answered."""

    on: str
    payer: str | None = None
    from_: str | None = None
    to: str | None = None
    known_at: datetime | None = None
    answer_days: int = ANSWER_DAYS

    @property
    def filters(self) -> Filters:
        """The days and findings that it looks at."""
        return Filters(payer=self.payer, from_=self.from_, to=self.to)

    def takes(self, date: str) -> bool:
        """Whether a service date is in the stretch asked for."""
        return (self.from_ or "") <= date <= (self.to or "9999-12-31")

    def days_from_on(self, days: int) -> str:
        """The date so many days after the report's own, or before it; at the ends of the calendar, the end."""
        try:
            return (date.fromisoformat(self.on) + timedelta(days=days)).isoformat()
        except OverflowError:
            return date.max.isoformat() if days > 0 else date.min.isoformat()

    def rows(self, command: str, *flags: str, **options: str | None) -> str:
        """The command line that lists rows: what the report was asked for, narrowed by more options."""
        wanted = {"payer": self.payer, "from": self.from_, "to": self.to} | options
        words = [command, *flags]
        for name, value in wanted.items():
            if value is not None:
                words += [f"--{name.replace('_', '-')}", value]
        if self.known_at is not None:
            words += ["--known-at", utc_text(self.known_at)]
        return shlex.join(words)
