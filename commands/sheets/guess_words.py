"""The words that headers have for the fields of facts, and the shapes of their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple


class Kind(NamedTuple):
    """A fact that a sheet may tell.

    ``telling`` are the fields whose columns tell it from others, ``beside`` what another column must be called;
    ``words`` what a field may say, ``several`` a field of which a cell may hold several; ``once`` if an episode has it
    once, ``confirmed`` if it has happened with one status alone.
    """

    type: str
    stem: str
    fields: Mapping[str, bool]
    telling: frozenset[str]
    words: Mapping[str, tuple[str, ...]] = {}
    several: str | None = None
    once: bool = False
    confirmed: bool = False
    beside: str | None = None


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


SHAPES: Final[Mapping[str, Callable[[str], bool]]] = {
    "date": _matches(
        r"\d{4}-\d{1,2}-\d{1,2}.*|\d{1,2}[/.-]\d{1,2}[/.-]\d{4}.*|\d{8}|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{4}"
    ),
    "compact date": _matches(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"),
    "time": _matches(r".*\d{1,2}:\d{2}.*"),
    "ndc": _matches(r"\d{4,5}-\d{3,4}-\d{1,2}|\d{11}"),
    "icd10": _matches(r"(?:[A-TV-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?[;,| ]*)+"),
    "hcpcs": _matches(r"(?:[A-Z]\d{4}[;,| ]*)+"),
    "npi": _matches(r"[12]\d{9}"),
    "number": _matches(r"\d[\d,]*(?:\.\d+)?"),
    "money": _matches(r"\$?\s*\d[\d,]*(?:\.\d{1,2})?"),
    "score": _matches(r"\d|10"),
    "zone": _matches(r"[A-Z][A-Za-z]+/[A-Za-z_/]+"),
    "word": _matches(r".*[A-Za-z].*"),
}

_FROM = (
    r"^(?:svc|service|dos|valid|cov\w*|auth\w*)? ?(?:from|start|begin|eff\w*)\b",
    r"\bsoc\b", r"\bfrom\b", r"\bstart\b", r"\beff",
)  # fmt: skip
_TO = (
    r"^(?:svc|service|dos|valid|cov\w*|auth\w*)? ?(?:to|thru|through|end|stop|exp\w*|term\w*)\b",
    r"\bend\b", r"\bstop\b", r"\bexp",
)  # fmt: skip

WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "order": (r"\brx\b", r"\border\b", r"\bprescription\b"),
    "from": _FROM,
    "to": _TO,
    "date": (r"\bdate\b", r"\bassessed\b", r"\bon$", r"\bdos\b", r"^svc from$", r"^service from$"),
    "mode": (r"\bmode\b",),
    "prescriber": (r"\bprescriber\b.*\bnpi\b", r"\bphysician npi\b", r"\bnpi\b"),
    "signed_on": (r"\bsigned\b", r"\bsignature\b"),
    "interval_hours": (r"\binterval\b", r"\bhours\b"),
    "drug": (r"\bdrug\b", r"\bmedication\b"),
    "route": (r"\broute\b",),
    "ndc": (r"\bndc\b",),
    "quantity": (r"\bqty\b", r"\bquantity\b", r"\bamount\b"),
    "unit": (r"^um$", r"\buom\b", r"^units?$", r"\bunit of\b"),
    "rx": (r"\brx\b", r"\border\b"),
    "days_supply": (r"\bdays? supply\b", r"^ds$"),
    "icd10": (r"\bicd\b", r"\bicd10\b", r"\bdiagnos\w*\b", r"\bdx\b"),
    "plan": (r"^plan(?: (?:id|no|number|#))?$", r"\bpoc\b", r"\bplan\b"),
    "score": (r"\bscore\b", r"\bpain\b"),
    "tool": (r"\btool\b", r"\bscale\b"),
    "number": (r"\bpa #", r"\bpa\b", r"\bauth\w* (?:#|no|number|id)", r"^auth\w*$", r"#"),
    "payer": (r"\bprimary payer\b", r"\bpayer\b", r"\binsurance\b", r"\bplan name\b", r"\bcarrier\b"),
    "member": (r"\bprimary id\b", r"\bmember\b", r"\bsubscriber\b", r"\bpolicy\b", r"\binsurance id\b"),
    "rank": (r"\brank\b", r"\bcob\b"),
    "codes": (r"\bhcpcs\b", r"\bcodes?\b", r"\bprocedure\b"),
    "units": (r"^units\b", r"\bdays\b", r"\bvisits\b"),
    "patient": (r"\bmrn\b", r"\bpatient (?:id|no|number|#)", r"^patient$", r"\bchart\b", r"\baccount\b"),
    "provider": (r"\bprovider npi\b", r"\bpharmacy npi\b"),
    "zone": (r"\btime ?zone\b", r"\btz\b"),
    "started_at": (r"\bstart\w* (?:at|time)\b", r"\btime in\b"),
    "stopped_at": (r"\b(?:stop\w*|end\w*) (?:at|time)\b", r"\btime out\b"),
    "credential": (r"\bcredential\b", r"\bdiscipline\b"),
    "stay": (r"\bstay\b", r"\bencounter\b", r"\bvisit (?:#|no|number|id)"),
    "HospitalAdmitted.at": (r"\badmit\w*\b", r"\badmission\b"),
    "HospitalDischarged.at": (r"\bdischarged?\b",),
    "NursingVisited.date": (r"\bvisit date\b", r"\bdate\b"),
    "DrugDispensed.date": (r"\bdispens\w* date\b", r"\bdispensed\b", r"\bfill date\b", r"\bship\w* date\b", r"\bdate\b",
                           r"^svc from$", r"^service from$", r"^from$"),
    "DiagnosisRecorded.from": (r"\bonset\b", r"\bdx date\b", *_FROM, r"\bdate\b"),
}  # fmt: skip
"""What a field's column may be called, the likeliest first; a fact's own words go before those of a field."""

FIELDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("from", "to", "date", "signed_on", "at"), "date"),
    "ndc": "ndc", "icd10": "icd10", "codes": "hcpcs", "prescriber": "npi", "provider": "npi", "zone": "zone",
    **dict.fromkeys(("quantity", "units", "interval_hours", "days_supply"), "number"),
    "score": "score", "rank": "score", "started_at": "time", "stopped_at": "time", "payer": "word",
}  # fmt: skip
"""What the values of a field look like."""

FACTS: Final[tuple[Kind, ...]] = (
    Kind("EpisodeOpened", "opened", {"patient": True, "provider": True, "zone": True},
         frozenset({"patient"}), once=True,
         beside=r"\bdob\b|\bbirth|\bfirst name\b|\bstart of care\b|\bprovider npi\b"),
    Kind("CoverageVerified", "coverage", {"payer": True, "member": True, "from": True, "to": False, "rank": False},
         frozenset({"payer", "member"}), {"payer": ()}),
    Kind("DiagnosisRecorded", "dx", {"icd10": True, "from": True, "to": False}, frozenset({"icd10"}), several="icd10"),
    Kind("TherapyOrdered", "order",
         {"order": True, "mode": True, "from": True, "prescriber": True, "to": False, "interval_hours": False,
          "signed_on": False, "drug": False, "route": False},
         frozenset({"order", "prescriber"}),
         {"mode": ("continuous", "intermittent", "implanted_pump", "unspecified")}),
    Kind("PlanSigned", "plan", {"plan": True, "signed_on": True, "from": True, "to": True},
         frozenset({"plan", "signed_on", "to"})),
    Kind("AuthorizationGranted", "authorization",
         {"number": True, "payer": True, "codes": True, "units": True, "from": True, "to": True},
         frozenset({"number", "codes", "units", "to"}), {"payer": ()}),
    Kind("DrugDispensed", "dispensed",
         {"date": True, "ndc": True, "quantity": True, "unit": True, "rx": False, "days_supply": False},
         frozenset({"ndc", "quantity"}), {"unit": ("F2", "GR", "ME", "ML", "UN")}),
    Kind("DaysServed", "days", {"order": True, "from": True, "to": True}, frozenset({"order", "from", "to"}),
         confirmed=True, beside=r"\bsvc\b|\bservice\b|\bdos\b|\bticket\b|\bdelivery\b"),
    Kind("PainAssessed", "pain", {"date": True, "score": True, "tool": False}, frozenset({"date", "score"})),
    Kind("NursingVisited", "visit", {"date": True, "started_at": False, "stopped_at": False, "credential": False},
         frozenset({"date", "credential"})),
    Kind("HospitalAdmitted", "admitted", {"stay": True, "at": True}, frozenset({"stay", "at"})),
    Kind("HospitalDischarged", "discharged", {"stay": True, "at": True}, frozenset({"stay", "at"})),
)  # fmt: skip
"""The facts that sheets tell, in the order in which they are looked for."""
