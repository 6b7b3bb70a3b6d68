"""The book: what is packaged is whole, what is wrong is refused by file and key, and which terms count when."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ledger.book import PACKAGED, PER_DIEM_CODES, Book, BookError, load_book
from ledger.day_set import OPEN_END
from ledger.facts.forms import check_npi

# Rulebook section 5, word for word.
SUPPLIES = ["A4212", "A4215", "A4216", "A4217", "A4221", "A4222", "A4223", "A4305", "A4306", "A4649"]
EQUIPMENT = ["E0776", "E0779", "E0780", "E0781", "E0791"]
CATHETER_CARE = ["S5498", "S5501", "S5502"]

TERMS = """
[[terms]]
from = 2026-01-01
published = 2025-11-15
checked = 2026-11-01
source = "Handbook, page 3"
accepts_s_codes = true
pain_code = "general"
day_counting = "access"
rate_cents = { S9325 = 9000 }
"""
PAYER = 'id = "alpha"\nname = "Alpha"\nkind = "commercial"\n' + TERMS
PROVIDER = """
npi = "1234567893"
name = "Northside"
taxonomy = "3336H0001X"
[[agreements]]
payer = "alpha"
signed_on = 2025-02-03
from = 2025-01-01
to = 2026-06-30
"""
CODES = """
[[codes]]
code = "S9325"
family = "pain"
label = "a day"
from = 2002-01-01
to = 2030-12-31
excludes = ["S9326"]
includes = ["A4222"]
source = "HCPCS Level II"
"""


def file_text(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("payers/alpha", PAYER), ("providers/north", PROVIDER), ("codes", CODES)):
        file_text(tmp_path, f"{name}.toml").write_text(text)
    return tmp_path


@pytest.fixture(scope="module")
def packaged() -> Book:
    return load_book()


class TestThePackagedBook:
    def test_it_has_every_way_of_counting_days_and_a_payer_of_each_kind(self, packaged: Book) -> None:
        terms = [terms for payer in packaged.payers.values() for terms in payer.terms]
        assert {each.day_counting for each in terms} == {"access", "infused", "infused_or_nursing", "rolling_24h"}
        assert {payer.kind for payer in packaged.payers.values()} == {"commercial", "medicaid", "medicare"}
        assert not any(each.accepts_s_codes for each in packaged.payers["medicare"].terms)

    def test_every_edition_cites_its_source_and_says_that_its_rates_are_invented(self, packaged: Book) -> None:
        for payer in packaged.payers.values():
            for terms in payer.terms:
                assert len(terms.source) > 20, payer.id
                assert re.search(r"\brates invented\b", terms.source) or not terms.rate_cents, (payer.id, terms.from_)
                assert terms.published <= terms.checked, payer.id

    def test_every_code_cites_its_source(self, packaged: Book) -> None:
        assert all(re.match("HCPCS Level II|CPT code set", code.source) for code in packaged.codes.values())

    def test_every_npi_is_valid_and_every_agreement_is_with_a_payer_of_the_book(self, packaged: Book) -> None:
        assert packaged.providers
        for npi, provider in packaged.providers.items():
            assert check_npi(npi) == npi
            assert {agreement.payer for agreement in provider.agreements} <= packaged.payers.keys()

    def test_its_code_table_has_the_rulebooks_lists(self, packaged: Book) -> None:
        families: dict[str, list[str]] = {}
        for code in packaged.codes.values():
            families.setdefault(code.family, []).append(code.code)
        assert families["pain"] == sorted(PER_DIEM_CODES) == ["S9325", "S9326", "S9327", "S9328"]
        assert families["catheter_care"] == CATHETER_CARE
        assert families["pharmacy_hours"] == ["S9810"]
        assert (families["supply"], families["equipment"]) == (SUPPLIES, EQUIPMENT)
        assert families.keys() == {"pain", "catheter_care", "pharmacy_hours", "supply", "equipment", "nursing", "drug"}

    @pytest.mark.parametrize("code", sorted(PER_DIEM_CODES))
    def test_every_per_diem_includes_the_rulebooks_items(self, packaged: Book, code: str) -> None:
        assert packaged.codes[code].includes == (*SUPPLIES, *EQUIPMENT)
        assert set(packaged.codes[code].excludes) == (PER_DIEM_CODES - {code} if code == "S9325" else {"S9325"})

    def test_its_files_are_named_after_what_they_hold(self, packaged: Book) -> None:
        assert {path.stem for path in (PACKAGED / "payers").glob("*.toml")} == packaged.payers.keys()

    def test_it_is_loaded_the_same_way_from_its_folder(self, packaged: Book) -> None:
        assert load_book(PACKAGED).hash == packaged.hash


class TestAFolder:
    def test_it_is_a_book(self, folder: Path) -> None:
        book = load_book(folder)
        assert (list(book.payers), list(book.providers), list(book.codes)) == (["alpha"], ["1234567893"], ["S9325"])

    def test_it_may_do_without_a_code_table_and_without_providers(self, folder: Path, packaged: Book) -> None:
        (folder / "codes.toml").unlink()
        (folder / "providers" / "north.toml").unlink()
        book = load_book(folder)
        assert (book.codes, book.providers) == (packaged.codes, {})

    def test_its_defaults_are_the_rulebooks(self, folder: Path) -> None:
        terms = load_book(folder).payers["alpha"].terms[0]
        assert (terms.max_interval_hours, terms.inpatient_rule, terms.hold_days) == (72, "served", "not_billable")
        assert (terms.facility_days, terms.midday_switch, terms.places_of_service) == (
            "not_billable",
            "new_order",
            ("12",),
        )
        assert (terms.agreement_required, terms.auth_required) == (True, False)
        assert terms.documentation == ("diagnosis", "plan", "pain_assessment")
        assert (terms.plan_signature, terms.pain_assessment_days) == ("before_service", 7)
        assert (terms.exclusion_scope, terms.bundled_exceptions) == ("patient_day", ())
        assert (terms.line_style, terms.line_max_days, terms.split_on_month) == ("span", 31, True)
        assert terms.timely_filing_days == 180

    def test_its_hash_is_of_what_it_says_not_of_how_it_is_written(self, folder: Path) -> None:
        before = load_book(folder).hash
        (folder / "payers" / "alpha.toml").rename(folder / "payers" / "renamed.toml")
        (folder / "payers" / "renamed.toml").write_text("# a comment\n" + PAYER)
        assert load_book(folder).hash == before
        (folder / "payers" / "renamed.toml").write_text(PAYER.replace("9000", "9001"))
        assert load_book(folder).hash != before


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return change


def written(name: str, content: str | bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file_text(folder, name).write_bytes(content.encode() if isinstance(content, str) else content)

    return change


ALPHA, NORTH = "payers/alpha.toml", "providers/north.toml"
ANOTHER_EDITION = TERMS.replace("9000", "9100")

# what is said: (how the book is spoilt, the file that is named, the key that is named)
WRONG: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "a misspelt key of a payer": (replaced(ALPHA, "kind =", "kinds ="), ALPHA, "`kinds`"),
    "a misspelt key of an edition": (replaced(ALPHA, "checked", "cheked"), ALPHA, "`cheked` - at `$.terms[0]`"),
    "a misspelt key of a provider": (replaced(NORTH, "taxonomy", "taxonomie"), NORTH, "`taxonomie`"),
    "a misspelt key of an agreement": (replaced(NORTH, "to =", "til ="), NORTH, "`til` - at `$.agreements[0]`"),
    "a misspelt key of a code": (replaced("codes.toml", "label", "lable"), "codes.toml", "`lable` - at `$.codes[0]`"),
    "a misspelt table": (replaced(ALPHA, "[[terms]]", "[[term]]"), ALPHA, "`term`"),
    "a missing key of a payer": (replaced(ALPHA, 'id = "alpha"', ""), ALPHA, "`id`"),
    "a missing key of an edition": (replaced(ALPHA, 'source = "Handbook, page 3"', ""), ALPHA, "`source`"),
    "a missing key of a provider": (replaced(NORTH, 'npi = "1234567893"', ""), NORTH, "`npi`"),
    "a missing key of an agreement": (replaced(NORTH, "signed_on = 2025-02-03", ""), NORTH, "`signed_on`"),
    "a missing key of a code": (replaced("codes.toml", 'source = "HCPCS Level II"', ""), "codes.toml", "`source`"),
    "no editions at all": (replaced(ALPHA, TERMS, ""), ALPHA, "`terms`"),
    "text for a truth value": (replaced(ALPHA, "codes = true", 'codes = "true"'), ALPHA, "$.terms[0].accepts_s_codes"),
    "a number for a truth value": (replaced(ALPHA, "codes = true", "codes = 1"), ALPHA, "$.terms[0].accepts_s_codes"),
    "a word that is none of the values": (replaced(ALPHA, '"access"', '"acces"'), ALPHA, "$.terms[0].day_counting"),
    "a kind that is none": (replaced(ALPHA, '"commercial"', '"private"'), ALPHA, "$.kind"),
    "an instant for a date": (
        replaced(ALPHA, "from = 2026-01-01", "from = 2026-01-01T00:00:00"), ALPHA, "$.terms[0].from",
    ),
    "an instant with an offset for a date": (
        replaced(NORTH, "2025-02-03", "2025-02-03T00:00:00Z"), NORTH, "$.agreements[0].signed_on",
    ),
    "text for a date": (replaced(ALPHA, "2025-11-15", '"2025-11-15"'), ALPHA, "$.terms[0].published"),
    "a number for a date": (replaced("codes.toml", "2002-01-01", "20020101"), "codes.toml", "$.codes[0].from"),
    "a rate in dollars": (replaced(ALPHA, "9000", "90.00"), ALPHA, "$.terms[0].rate_cents"),
    "a rate as text": (replaced(ALPHA, "9000", '"9000"'), ALPHA, "$.terms[0].rate_cents"),
    "a rate below zero": (replaced(ALPHA, "9000", "-1"), ALPHA, "$.terms[0].rate_cents"),
    "a rate for what is no code": (replaced(ALPHA, "S9325", "s9325"), ALPHA, "terms[0].rate_cents: 's9325'"),
    "an exception that is no code": (
        replaced(ALPHA, "rate_cents", 'bundled_exceptions = ["A422"]\nrate_cents'), ALPHA,
        "terms[0].bundled_exceptions: 'A422'",
    ),
    "no interval": (
        replaced(ALPHA, "rate_cents", "max_interval_hours = 0\nrate_cents"), ALPHA, "$.terms[0].max_interval_hours",
    ),
    "a document nobody knows": (
        replaced(ALPHA, "rate_cents", 'documentation = ["consent"]\nrate_cents'), ALPHA, "$.terms[0].documentation[0]",
    ),
    "two editions of one from and published": (
        replaced(ALPHA, TERMS, TERMS + ANOTHER_EDITION), ALPHA, "terms[1].from, .published",
    ),
    "one payer in two files": (written("payers/beta.toml", PAYER), "payers/beta.toml", "id: alpha is in alpha.toml"),
    "one NPI in two files": (
        written("providers/south.toml", PROVIDER), "providers/south.toml", "npi: 1234567893 is in north.toml",
    ),
    "an NPI with a wrong check digit": (replaced(NORTH, "1234567893", "1234567894"), NORTH, "npi: '1234567894'"),
    "an NPI as a number": (replaced(NORTH, '"1234567893"', "1234567893"), NORTH, "$.npi"),
    "an agreement that ends before it begins": (
        replaced(NORTH, "2026-06-30", "2024-12-31"), NORTH, "agreements[0].to: lies before its from",
    ),
    "a code that ends before it begins": (
        replaced("codes.toml", "2030-12-31", "2001-12-31"), "codes.toml", "codes[0].to: lies before its from",
    ),
    "a code that is none": (replaced("codes.toml", '"S9325"', '"S932"'), "codes.toml", "codes[0].code: 'S932'"),
    "an excluded code that is none": (
        replaced("codes.toml", "S9326", "9326"), "codes.toml", "codes[0].excludes: '9326'",
    ),
    "an included code that is none": (
        replaced("codes.toml", "A4222", "AA222"), "codes.toml", "codes[0].includes: 'AA222'",
    ),
    "one code twice": (replaced("codes.toml", CODES, CODES * 2), "codes.toml", "codes[1].code: S9325 is there twice"),
    "one key twice": (replaced(ALPHA, "kind", 'id = "beta"\nkind'), ALPHA, "line 3"),
    "not TOML": (written("payers/beta.toml", "{}"), "payers/beta.toml", "line 1"),
    "not UTF-8": (written("payers/beta.toml", b'id = "\xff"'), "payers/beta.toml", "utf-8"),
    "a code table that is not TOML": (written("codes.toml", "codes"), "codes.toml", "end of document"),
    "a folder where a file is meant": (
        lambda folder: (folder / "payers" / "beta.toml").mkdir(), "payers/beta.toml", "cannot be read",
    ),
    "a folder where the code table is meant": (
        lambda folder: (folder / "codes.toml").rename(folder / "old.toml").parent.joinpath("codes.toml").mkdir(),
        "codes.toml", "cannot be read",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "file", "key"), WRONG.values(), ids=WRONG)
def test_it_refuses(folder: Path, spoil: Callable[[Path], None], file: str, key: str) -> None:
    spoil(folder)
    with pytest.raises(BookError) as refused:
        load_book(folder)
    assert str(refused.value).startswith(f"{folder / file}: ")
    assert key in str(refused.value)
    assert "\n" not in str(refused.value)


def test_it_refuses_a_folder_that_is_none(folder: Path) -> None:
    for path in (folder / "nowhere", folder / ALPHA):
        with pytest.raises(BookError, match="no such folder"):
            load_book(path)


def test_it_refuses_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(BookError, match="has no folder payers/"):
        load_book(tmp_path)


def test_it_refuses_a_packaged_code_table_by_its_own_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = folder / "package"
    file_text(other, "codes.toml").write_text(CODES * 2)
    (folder / "codes.toml").unlink()
    monkeypatch.setattr("ledger.book.PACKAGED", other)
    with pytest.raises(BookError, match=re.escape(str(other / "codes.toml"))):
        load_book(folder)


def edition(from_: str, published: str, rate: int) -> str:
    return TERMS.replace("2026-01-01", from_).replace("2025-11-15", published).replace("9000", str(rate))


EDITIONS = (
    edition("2026-01-01", "2025-11-15", 1),
    edition("2026-07-01", "2026-08-20", 2),  # told late
    edition("2026-07-01", "2026-09-10", 3),  # replaces the one before
    edition("2025-01-01", "2026-10-01", 4),  # a text for the past, told last
    edition("2027-01-01", "2026-11-30", 5),
)


@pytest.fixture
def dated(folder: Path) -> Book:
    (folder / ALPHA).write_text(PAYER.replace(TERMS, "".join(EDITIONS)))
    return load_book(folder)


def rate(book: Book, day: str) -> int | None:
    terms = book.terms_on("alpha", date.fromisoformat(day))
    return terms.rate_cents["S9325"] if terms else None


class TestTermsInForce:
    def test_the_newest_from_counts_and_of_one_from_the_later_published(self, dated: Book) -> None:
        days = ["2024-12-31", "2025-01-01", "2025-12-31", "2026-01-01", "2026-06-30", "2026-07-01", "2026-12-31"]
        assert [rate(dated, day) for day in days] == [None, 4, 4, 1, 1, 3, 3]
        assert [rate(dated, day) for day in ("2027-01-01", "2099-12-31")] == [5, 5]

    def test_there_are_no_terms_for_a_payer_not_in_the_book(self, dated: Book) -> None:
        assert dated.terms_on("beta", date(2026, 7, 1)) is None
        assert dated.editions("beta") == ()

    def test_editions_follow_each_other_without_a_gap(self, dated: Book) -> None:
        spans = [(first, last) for _, first, last in dated.editions("alpha")]
        assert [terms.rate_cents["S9325"] for terms, _, _ in dated.editions("alpha")] == [4, 1, 3, 5]
        assert spans[0][0] == date(2025, 1, 1).toordinal()
        assert [first for first, _ in spans[1:]] == [last + 1 for _, last in spans[:-1]]
        assert spans[-1][1] == OPEN_END

    @pytest.mark.parametrize(
        ("known_on", "rates"),
        [
            ("2025-11-14", [None, None, None]),
            ("2025-11-15", [None, 1, 1]),
            ("2026-08-19", [None, 1, 1]),
            ("2026-08-20", [None, 2, 2]),
            ("2026-09-09", [None, 2, 2]),
            ("2026-09-10", [None, 3, 3]),
            ("2026-10-01", [4, 3, 3]),
            ("2026-11-30", [4, 3, 5]),
        ],
    )
    def test_what_was_published_later_is_not_known(self, dated: Book, known_on: str, rates: list[int | None]) -> None:
        known = dated.known(date.fromisoformat(known_on))
        assert [rate(known, day) for day in ("2025-06-01", "2026-07-01", "2027-01-01")] == rates
        assert rate(dated, "2027-01-01") == 5, "the book itself stays as it was"

    def test_codes_providers_and_agreements_are_always_known(self, dated: Book) -> None:
        known = dated.known(date(2001, 1, 1))
        assert (known.codes, known.providers) == (dated.codes, dated.providers)
        assert known.agreements("1234567893", "alpha") == dated.agreements("1234567893", "alpha")

    def test_a_book_known_on_the_same_date_is_itself(self, dated: Book) -> None:
        known = dated.known(date(2026, 1, 1))
        assert (dated.known(None) is dated, known.known(date(2026, 1, 1)) is known) == (True, True)
        assert rate(known.known(None), "2027-01-01") == 5


class TestAgreements:
    @pytest.mark.parametrize(
        ("signed_on", "first"), [("2024-12-01", "2025-01-01"), ("2025-01-01", "2025-01-01"), ("2025-02-03",) * 2]
    )
    def test_one_counts_from_the_later_of_from_and_signature(self, folder: Path, signed_on: str, first: str) -> None:
        replaced(NORTH, "2025-02-03", signed_on)(folder)
        span = (date.fromisoformat(first).toordinal(), date(2026, 6, 30).toordinal())
        assert load_book(folder).agreements("1234567893", "alpha") == [span]

    def test_one_without_an_end_is_open(self, folder: Path) -> None:
        replaced(NORTH, "to = 2026-06-30", "")(folder)
        assert load_book(folder).agreements("1234567893", "alpha") == [(date(2025, 2, 3).toordinal(), OPEN_END)]

    def test_there_are_none_with_other_payers_or_of_other_providers(self, folder: Path) -> None:
        book = load_book(folder)
        assert (book.agreements("1234567893", "beta"), book.agreements("1999999984", "alpha")) == ([], [])
