"""How the site and its ledger are, for programs that watch them: ``/health`` and ``/metrics``.

Nobody's data is in them. Neither brings the read model up to date: they say how far behind it is.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from commands.web.guard.requests import Requests
from commands.web.site import Site
from ledger.facts.entry import UnreadableEntry
from ledger.keys.cipher import MasterKeyError
from ledger.recorders import StoreError
from projections.operations.health import ROOM_FOR_A_BATCH_BYTES
from projections.operations.status import behind
from projections.read_model.queries import counts
from projections.read_model.trouble import ViewsError

OPEN_METRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
LOOK_SECONDS: Final = 2.0
"""How long a look holds: whoever may ask without a session cannot make the site look all the time."""
MOST_BEHIND: Final = 50_000
"""By more entries than this the read model lags: pages wait while it is brought up."""
_TROUBLES: Final = (StoreError, ViewsError, UnreadableEntry, MasterKeyError, OSError, sqlite3.Error)


class Look(NamedTuple):
    """What was seen at one moment; None where it could not be."""

    position: int | None
    lag: int | None
    days: Mapping[str, int]
    findings: Mapping[str, int]
    rollbacks: int
    free_bytes: int | None

    @property
    def checks(self) -> dict[str, str]:
        """Each thing in a word."""
        return {
            "ledger": "ok" if self.position is not None else "cannot be read",
            "read_model": "cannot be read" if self.lag is None else "ok" if self.lag <= MOST_BEHIND else "behind",
            "rollback": "seen" if self.rollbacks else "none seen",
            "disk": "full" if (self.free_bytes or 0) < ROOM_FOR_A_BATCH_BYTES else "ok",
        }  # fmt: skip

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return all(said in ("ok", "none seen") for said in self.checks.values())


class Watch:
    """Looks at a site's ledger, not more often than once in a while."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._last: tuple[float, Look] | None = None

    def look(self, site: Site) -> Look:
        """How it is, or was a moment ago."""
        with self._turn:
            now = site.requests.clock()
            if self._last is None or now - self._last[0] > LOOK_SECONDS:
                self._last = now, _look(site)
            return self._last[1]


def _look(site: Site) -> Look:
    setup, position, lag = site.reader.setup, None, None
    found: Mapping[str, Mapping[str, int]] = {"verdicts": {}, "findings": {}}
    try:
        with setup.open() as ledger:
            position = ledger.position()
            site.look_for_forgettings(ledger)
            with closing(setup.views()) as views, views.reading():
                lag, found = behind(ledger, views), counts(views)
    except _TROUBLES:
        pass  # what could not be seen is told so
    try:
        free = min(shutil.disk_usage(path).free for path in {setup.places.live.parent, setup.beside.parent})
    except OSError:
        free = None
    return Look(position, lag, found["verdicts"], found["findings"], len(setup.rollbacks.found), free)


def live_pages() -> dict[str, Callable[[Site, Request], Response]]:
    """The pages for programs, over one watch."""
    watch = Watch()
    return {
        "/health": lambda site, request: health_of(watch.look(site)),
        "/metrics": lambda site, request: metrics_of(site, watch.look(site)),
    }


def health_of(look: Look) -> Response:
    """Whether the site answers and its ledger is well: 200, or 503 with what is not. Answered without a session."""
    said = {"status": "ok" if look.is_well else "wrong", "checks": look.checks}
    return JSONResponse(said, 200 if look.is_well else 503)


def metrics_of(site: Site, look: Look) -> Response:
    """The figures of ledger and site as OpenMetrics text."""
    lines = [*_of_ledger(look), *_of_site(site), *_of_requests(site.requests), "# EOF"]
    return Response("\n".join(lines) + "\n", media_type=None, headers={"content-type": OPEN_METRICS})


def _of_ledger(look: Look) -> Iterator[str]:
    if look.position is not None:
        yield from _gauge("position", "The position of the ledger's last entry.", {"": look.position})
    if look.position is not None and look.lag is not None:
        yield from _gauge("read_model_position", "The last position that the read model knows.",
                          {"": look.position - look.lag})  # fmt: skip
        yield from _gauge("lag_entries", "How many entries the read model does not know yet.", {"": look.lag})
    totals: dict[str, int] = {}
    for verdict, number in look.days.items():
        status = verdict.partition(" ")[0]
        totals[f'status="{status}"'] = totals.get(f'status="{status}"', 0) + number
    held = {f'reason="{verdict[5:]}"': number for verdict, number in look.days.items() if verdict.startswith("hold ")}
    yield from _gauge("days", "Days by verdict.", totals)
    yield from _gauge("hold_days", "Days on hold by reason.", held)
    found = {f'level="{level}",rule="{rule}"': number for key, number in look.findings.items()
             for level, _, rule in [key.partition(" ")]}  # fmt: skip
    yield from _gauge("findings", "Findings by level and rule.", found)
    yield from _gauge("rollbacks_seen", "Rollbacks of the ledger that nobody accepted.", {"": look.rollbacks})
    if look.free_bytes is not None:
        yield from _gauge("disk_free_bytes", "Free where ledger and read model are.", {"": look.free_bytes})


def _of_site(site: Site) -> Iterator[str]:
    yield from _gauge("sessions", "Browsers that are signed in.", {"": site.sessions.count()})
    yield "# TYPE episode_ledger_refused_sign_ins counter"
    yield "# HELP episode_ledger_refused_sign_ins Names and passwords that did not go together."
    yield f"episode_ledger_refused_sign_ins_total {site.requests.refused_sign_ins}"


def _gauge(name: str, about: str, values: Mapping[str, int]) -> Iterator[str]:
    yield f"# TYPE episode_ledger_{name} gauge"
    yield f"# HELP episode_ledger_{name} {about}"
    for labels, value in values.items():
        yield f"episode_ledger_{name}{{{labels}}} {value}" if labels else f"episode_ledger_{name} {value}"


def _of_requests(requests: Requests) -> Iterator[str]:
    name = "episode_ledger_request_seconds"
    yield f"# TYPE {name} histogram"
    yield f"# UNIT {name} seconds"
    yield f"# HELP {name} How long requests took, by address as the site names it."
    for (method, address, status), buckets, seconds in requests.histogram():
        labels = f'method="{method}",address="{address}",status="{status}"'
        for most, number in buckets:
            yield f'{name}_bucket{{{labels},le="{"+Inf" if most == float("inf") else most}"}} {number}'
        yield f"{name}_count{{{labels}}} {buckets[-1][1]}"
        yield f"{name}_sum{{{labels}}} {seconds:.6f}"
