"""The clock: the one place that asks what time it is."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)
