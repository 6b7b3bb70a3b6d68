"""Calendar months on the command line."""

from __future__ import annotations

from typing import Any

import click

from projections.audit.month import Month


class MonthType(click.ParamType[Month]):
    """A calendar month."""

    name = "MONTH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Month:
        """The month."""
        try:
            return value if isinstance(value, Month) else Month.read(value)
        except ValueError:
            self.fail("expected a month written YYYY-MM, such as 2026-10")


MONTH = MonthType()
