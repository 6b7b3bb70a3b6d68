"""The book: codes, payers' dated terms, providers and their agreements (rulebook section 3), checked on load."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from ledger.day_set import OPEN_END
from ledger.facts.forms import Cents, Hcpcs, check_hcpcs, check_npi

PACKAGED: Final = Path(__file__).parent
"""Where the example book and the code table are: ``codes.toml``, ``payers/``, ``providers/``."""

PER_DIEM: Final = {"continuous": "S9326", "intermittent": "S9327", "implanted_pump": "S9328", "unspecified": "S9325"}
"""The per-diem code of each mode of therapy (rulebook section 4, Code)."""
GENERAL: Final = "S9325"
PER_DIEM_CODES: Final = frozenset(PER_DIEM.values())

Name = Annotated[str, Meta(min_length=1, max_length=1000)]
Positive = Annotated[int, Meta(ge=1)]


class BookError(Exception):
    """The book cannot be used; the message names the file and the key."""


class Code(Struct, frozen=True, forbid_unknown_fields=True):
    """One billing code: its family, what its per diem excludes and includes, and when it is in force."""

    code: Hcpcs
    family: Name
    label: Name
    from_: date = field(name="from")
    source: Name
    to: date | None = None
    excludes: tuple[Hcpcs, ...] = ()
    includes: tuple[Hcpcs, ...] = ()


class Terms(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One edition of a payer's terms, known by its ``from`` and ``published``."""

    from_: date = field(name="from")
    published: date
    source: Name
    checked: date
    accepts_s_codes: bool
    pain_code: Literal["general", "specific"]
    day_counting: Literal["access", "course", "infused", "infused_or_nursing", "rolling_24h"]
    rate_cents: dict[str, Cents]
    charge_cents: dict[str, Cents] = {}
    course_gap_days: Annotated[int, Meta(ge=0, le=366)] = 14
    max_interval_hours: Positive = 72
    inpatient_rule: Literal["served", "midnight_census", "any_overlap"] = "served"
    hold_days: Literal["not_billable", "access"] = "not_billable"
    facility_days: Literal["not_billable", "billable"] = "not_billable"
    midday_switch: Literal["new_order", "old_order"] = "new_order"
    places_of_service: tuple[str, ...] = ("12",)
    agreement_required: bool = True
    auth_required: bool = False
    order_signature: Literal["none", "before_claim", "before_service"] = "before_claim"
    documentation: tuple[Literal["diagnosis", "plan", "pain_assessment"], ...] = (
        "diagnosis",
        "plan",
        "pain_assessment",
    )
    plan_signature: Literal["before_service", "before_claim"] = "before_service"
    plan_max_days: Positive | None = None
    pain_assessment_days: Annotated[int, Meta(ge=0)] = 7
    exclusion_scope: Literal["patient_day", "patient_day_payer"] = "patient_day"
    bundled_exceptions: tuple[Hcpcs, ...] = ()
    concurrent_percent: tuple[Annotated[int, Meta(ge=0, le=100)], ...] = ()
    concurrent_modifiers: tuple[str, ...] = ("", "SH", "SJ")
    place_modifiers: dict[str, tuple[str, ...]] = {}
    line_style: Literal["span", "per_day"] = "span"
    line_max_days: Positive = 31
    split_on_month: bool = True
    timely_filing_days: Positive = 180


class Payer(Struct, frozen=True, forbid_unknown_fields=True):
    """A payer and all editions of its terms."""

    id: Name
    name: Name
    kind: Literal["commercial", "medicaid", "medicare"]
    terms: tuple[Terms, ...]


class Agreement(Struct, frozen=True, forbid_unknown_fields=True):
    """A provider's agreement with a payer; it counts from the later of ``from`` and ``signed_on``."""

    payer: Name
    signed_on: date
    from_: date = field(name="from")
    to: date | None = None
    rate_cents: dict[str, Cents] = {}


class Provider(Struct, frozen=True, forbid_unknown_fields=True):
    """A provider by its NPI."""

    npi: str
    name: Name
    taxonomy: Name
    agreements: tuple[Agreement, ...] = ()


class CodeTable(Struct, frozen=True, forbid_unknown_fields=True):
    """The file ``codes.toml``."""

    codes: tuple[Code, ...]


Edition = tuple[Terms, int, int]
"""Terms with the first and last service date (ordinals) on which they are in force."""


class Book:
    """The reference data as known on one date (all of it by default)."""

    def __init__(
        self,
        codes: Iterable[Code],
        payers: Iterable[Payer],
        providers: Iterable[Provider],
        known_on: date | None = None,
    ) -> None:
        self.codes = {code.code: code for code in codes}
        self.payers = {payer.id: payer for payer in payers}
        self.providers = {provider.npi: provider for provider in providers}
        self.known_on = known_on
        self._editions: dict[str, tuple[Edition, ...]] = {}

    def known(self, on: date | None) -> Book:
        """The book as known on a UTC date: terms published later are left out; the rest is always known."""
        if on == self.known_on:
            return self
        return Book(self.codes.values(), self.payers.values(), self.providers.values(), on)

    def editions(self, payer: str) -> tuple[Edition, ...]:
        """The payer's terms in force, date by date: no overlaps, ascending; empty for an unknown payer."""
        if payer not in self._editions:
            self._editions[payer] = tuple(self._in_force(payer))
        return self._editions[payer]

    def _in_force(self, payer: str) -> Iterable[Edition]:
        published = [t for t in self.payers[payer].terms if self._is_known(t)] if payer in self.payers else []
        newest = {t.from_: t for t in sorted(published, key=lambda t: (t.from_, t.published))}
        starts = [*newest, date.max]
        for terms, following in zip(newest.values(), starts[1:], strict=True):
            end = following.toordinal() - 1 if following != date.max else OPEN_END
            yield terms, terms.from_.toordinal(), end

    def _is_known(self, terms: Terms) -> bool:
        return self.known_on is None or terms.published <= self.known_on

    def terms_on(self, payer: str, day: date) -> Terms | None:
        """The terms in force on a service date, or None: there are no default terms."""
        ordinal = day.toordinal()
        return next((terms for terms, first, last in self.editions(payer) if first <= ordinal <= last), None)

    def agreements(self, npi: str, payer: str) -> list[tuple[int, int]]:
        """The spans (ordinals) in which the provider has an agreement with the payer in force."""
        return [
            (max(a.from_, a.signed_on).toordinal(), a.to.toordinal() if a.to else OPEN_END)
            for a in self.agreements_in_order(npi, payer)
        ]

    def agreements_in_order(self, npi: str, payer: str) -> list[Agreement]:
        """The provider's agreements with the payer by (``from`` as written, ``signed_on``): of several in force, the
        last one gives the rate."""
        provider = self.providers.get(npi)
        found = [a for a in (provider.agreements if provider else ()) if a.payer == payer]
        return sorted(found, key=lambda agreement: (agreement.from_, agreement.signed_on))

    @cached_property
    def text(self) -> str:
        """The whole book in a canonical form (JSON; comments and file names do not count)."""
        parts = [[table[key] for key in sorted(table)] for table in (self.codes, self.payers, self.providers)]
        return msgspec.json.encode(parts, order="sorted").decode()

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the book's canonical form."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def book_of_text(text: str) -> Book:
    """The book of a canonical form."""
    kind = tuple[tuple[Code, ...], tuple[Payer, ...], tuple[Provider, ...]]
    return Book(*msgspec.json.decode(text, type=kind))


T = TypeVar("T", bound=Struct)


def load_book(folder: Path | None = None) -> Book:
    """The book of a folder (``payers/``, ``providers/``, optionally ``codes.toml``), or the packaged example book."""
    root = PACKAGED if folder is None else folder
    if not root.is_dir():
        raise BookError(f"{root}: no such folder; --book names a folder with payers/ and providers/")
    if not (root / "payers").is_dir():
        raise BookError(f"{root}: has no folder payers/; a book holds payers/*.toml and providers/*.toml")
    code_file = root / "codes.toml"
    code_file = code_file if code_file.exists() else PACKAGED / "codes.toml"
    codes = _read(code_file, CodeTable).codes
    payers = {path: _read(path, Payer) for path in sorted((root / "payers").glob("*.toml"))}
    providers = {path: _read(path, Provider) for path in sorted((root / "providers").glob("*.toml"))}
    _check_codes(code_file, codes)
    _check_across("id", {path: payer.id for path, payer in payers.items()})
    _check_across("npi", {path: provider.npi for path, provider in providers.items()})
    for path, payer in payers.items():
        _check_terms(path, payer)
    for path, provider in providers.items():
        _check_provider(path, provider)
    return Book(codes, payers.values(), providers.values())


def _read(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise BookError(f"{path}: cannot be read ({error.strerror})") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise BookError(f"{path}: {error}") from error


def _check_codes(path: Path, codes: Sequence[Code]) -> None:
    seen: set[str] = set()
    for place, code in enumerate(codes):
        where = f"{path}: codes[{place}]"
        _check(f"{where}.code", check_hcpcs, code.code)
        for key, others in (("excludes", code.excludes), ("includes", code.includes)):
            for other in others:
                _check(f"{where}.{key}", check_hcpcs, other)
        if code.code in seen:
            raise BookError(f"{where}.code: {code.code} is there twice")
        seen.add(code.code)
        _check_span(where, code)


def _check_terms(path: Path, payer: Payer) -> None:
    seen: set[tuple[date, date]] = set()
    for place, terms in enumerate(payer.terms):
        where = f"{path}: terms[{place}]"
        if (terms.from_, terms.published) in seen:
            raise BookError(f"{where}.from, .published: another edition has the same two dates")
        seen.add((terms.from_, terms.published))
        for code in terms.rate_cents:
            _check(f"{where}.rate_cents", check_hcpcs, code)
        for code in terms.bundled_exceptions:
            _check(f"{where}.bundled_exceptions", check_hcpcs, code)


def _check_provider(path: Path, provider: Provider) -> None:
    _check(f"{path}: npi", check_npi, provider.npi)
    for place, agreement in enumerate(provider.agreements):
        _check_span(f"{path}: agreements[{place}]", agreement)


def _check_span(where: str, span: Code | Agreement) -> None:
    if span.to is not None and span.to < span.from_:
        raise BookError(f"{where}.to: lies before its from")


def _check(where: str, check: Any, value: str) -> None:
    try:
        check(value)
    except ValueError:
        raise BookError(f"{where}: {value!r} is not of the required form") from None


def _check_across(key: str, by_path: dict[Path, str]) -> None:
    first: dict[str, Path] = {}
    for path, value in by_path.items():
        if value in first:
            raise BookError(f"{path}: {key}: {value} is in {first[value].name} already")
        first[value] = path
