"""The book: what is packaged is whole, what is wrong is refused by file and key, and which terms count when."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest

from ledger.book import PACKAGED, PER_DIEM_CODES, Agreement, Book, BookError, Terms, book_of_text, load_book
from ledger.book.tables import FAMILIES
from ledger.day_set import OPEN_END
from ledger.facts.forms import check_npi

# Rulebook section 5, word for word.
SUPPLIES = ["A4212", "A4215", "A4216", "A4217", "A4221", "A4222", "A4223", "A4305", "A4306", "A4649"]
EQUIPMENT = ["E0776", "E0779", "E0780", "E0781", "E0791"]
CATHETER_CARE = ["S5497", "S5498", "S5501", "S5502"]
# Section 3, likewise.
THERAPY = """
S9329–S9331, S9336, S9338–S9343, S9345–S9349, S9351, S9353, S9355, S9357, S9359, S9361, S9363–S9368, S9370, S9372–S9377,
S9379, S9490, S9494, S9497, S9500–S9504, S9537, S9538, S9542, S9558–S9560, S9562, S9590
"""

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
AGREEMENT = """
[[agreements]]
payer = "alpha"
signed_on = 2025-02-03
from = 2025-01-01
to = 2026-06-30
"""
PROVIDER = 'npi = "1234567893"\nname = "Northside"\ntaxonomy = "3336H0001X"\n' + AGREEMENT
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


EDITION_1_HASH = "ce8b07e94b7cf4dab02a2ceec18e72f3c8c356055ded2e04174921c9a3c0b925"


def named(ranges: str) -> Iterator[str]:
    """The codes of a list such as S9329–S9331, S9336."""
    for part in ranges.replace(",", " ").split():
        first, _, last = part.partition("–")
        yield from (f"S{number}" for number in range(int(first[1:]), int((last or first)[1:]) + 1))


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
        assert {each.day_counting for each in terms} == {
            "access",
            "course",
            "infused",
            "infused_or_nursing",
            "rolling_24h",
        }
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
        assert families["bundled"] == [*SUPPLIES, *EQUIPMENT]
        assert families["therapy"] == list(named(THERAPY))
        assert families.keys() == set(FAMILIES)

    def test_every_key_of_an_edition_and_an_agreement_is_shown_by_a_payer_or_provider(self) -> None:
        files = [*(PACKAGED / "payers").glob("*.toml"), *(PACKAGED / "providers").glob("*.toml")]
        shown = {line.split(" = ")[0] for path in files for line in path.read_text().splitlines()}
        keys = {field.encode_name for kind in (Terms, Agreement) for field in msgspec.structs.fields(kind)}
        assert keys - shown == set()

    def test_what_a_source_does_not_say_is_named_as_a_choice_or_invented(self, packaged: Book) -> None:
        for payer in packaged.payers.values():
            for terms in payer.terms:
                assert re.search(r"this project's|[Ii]nvented", terms.source), payer.id
                if "National Home Infusion" in terms.source or "Oregon" in terms.source:
                    assert terms.day_counting == "course", "the reading of their texts"

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

TERMS_1 = "[[terms]] 1 (from 2026-01-01): "
AGREEMENT_1 = "[[agreements]] 1 (payer alpha, from 2025-01-01): "
CODE_1 = "[[codes]] 1 (code S9325, from 2002-01-01): "


def told(key: str, says: str) -> Callable[[Path], None]:
    """A further key of the edition."""
    return replaced(ALPHA, "rate_cents", f"{key} = {says}\nrate_cents")


# what is said: (how the book is spoilt, the file that is named, what is said of it)
WRONG: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "a misspelt key of a payer": (
        replaced(ALPHA, "kind =", "kinds ="), ALPHA, "kinds: no key of this name; did you mean kind?",
    ),
    "a misspelt key of an edition": (
        replaced(ALPHA, "checked", "cheked"), ALPHA, TERMS_1 + "cheked: no key of this name; did you mean checked?",
    ),
    "a misspelt key of a provider": (replaced(NORTH, "taxonomy", "taxonomie"), NORTH, "did you mean taxonomy?"),
    "a misspelt key of an agreement": (
        replaced(NORTH, "to =", "til ="), NORTH, AGREEMENT_1 + "til: no key of this name; there are payer, signed_on,",
    ),
    "a misspelt key of a code": (replaced("codes.toml", "label", "lable"), "codes.toml", CODE_1 + "lable: no key"),
    "a misspelt table": (replaced(ALPHA, "[[terms]]", "[[term]]"), ALPHA, "did you mean terms?"),
    "a missing key of a payer": (replaced(ALPHA, 'id = "alpha"', ""), ALPHA, "id: is missing; expected text in quotes"),
    "a missing kind": (
        replaced(ALPHA, 'kind = "commercial"', ""), ALPHA,
        "kind: is missing; expected one of commercial, medicaid, medicare",
    ),
    "a missing key of an edition": (
        replaced(ALPHA, 'source = "Handbook, page 3"', ""), ALPHA, TERMS_1 + "source: is missing",
    ),
    "a missing key of a provider": (replaced(NORTH, 'npi = "1234567893"', ""), NORTH, "npi: is missing"),
    "a missing key of an agreement": (
        replaced(NORTH, "signed_on = 2025-02-03", ""), NORTH, AGREEMENT_1 + "signed_on: is missing; expected a date",
    ),
    "a missing key of a code": (
        replaced("codes.toml", 'source = "HCPCS Level II"', ""), "codes.toml", CODE_1 + "source: is missing",
    ),
    "no editions at all": (replaced(ALPHA, TERMS, ""), ALPHA, "terms: is missing; expected a list of tables"),
    "an empty name": (replaced(ALPHA, '"Alpha"', '""'), ALPHA, "name: is empty; expected text"),
    "text for a truth value": (
        replaced(ALPHA, "codes = true", 'codes = "true"'), ALPHA,
        TERMS_1 + "accepts_s_codes: 'true' is not true or false, without quotes",
    ),
    "a number for a truth value": (
        replaced(ALPHA, "codes = true", "codes = 1"), ALPHA, TERMS_1 + "accepts_s_codes: 1 is not true or false",
    ),
    "a word that is none of the values": (
        replaced(ALPHA, '"access"', '"acces"'), ALPHA,
        TERMS_1 + "day_counting: 'acces' is not one of access, course, infused, infused_or_nursing, rolling_24h",
    ),
    "a number that is none of the values": (
        replaced(ALPHA, '"access"', "7"), ALPHA, TERMS_1 + "day_counting: 7 is not one of access, course,",
    ),
    "a kind that is none": (
        replaced(ALPHA, '"commercial"', '"PPO"'), ALPHA, "kind: 'PPO' is not one of commercial, medicaid, medicare",
    ),
    "an instant for a date": (
        replaced(ALPHA, "from = 2026-01-01", "from = 2026-01-01T00:00:00"), ALPHA,
        "from: 2026-01-01 00:00:00 is not a date such as 2026-01-31, without quotes or time",
    ),
    "an instant with an offset for a date": (
        replaced(NORTH, "2025-02-03", "2025-02-03T00:00:00Z"), NORTH, AGREEMENT_1 + "signed_on: 2025-02-03 00:00:00",
    ),
    "text for a date": (
        replaced(ALPHA, "2025-11-15", '"2025-11-15"'), ALPHA, TERMS_1 + "published: '2025-11-15' is not a date",
    ),
    "a number for a date": (replaced("codes.toml", "2002-01-01", "20020101"), "codes.toml", "20020101 is not a date"),
    "a rate in dollars": (
        replaced(ALPHA, "9000", "133.00"), ALPHA, TERMS_1 + "rate_cents.S9325: rate in whole cents: 133.00 is 13300",
    ),
    "a charge in dollars": (
        told("charge_cents", "{ S9325 = 150.5 }"), ALPHA,
        TERMS_1 + "charge_cents.S9325: charge in whole cents: 150.50 is 15050",
    ),
    "an agreed rate in dollars": (
        replaced(NORTH, "to =", "rate_cents = { S9325 = 81.25 }\nto ="), NORTH,
        AGREEMENT_1 + "rate_cents.S9325: rate in whole cents: 81.25 is 8125",
    ),
    "a rate in parts of a cent": (
        replaced(ALPHA, "9000", "90.005"), ALPHA, "rate_cents.S9325: 90.005 is not an amount in whole cents, 0 or more",
    ),
    "a rate without end": (replaced(ALPHA, "9000", "inf"), ALPHA, "rate_cents.S9325: inf is not an amount"),
    "a rate that is no number": (replaced(ALPHA, "9000", "nan"), ALPHA, "rate_cents.S9325: nan is not an amount"),
    "a rate as text": (replaced(ALPHA, "9000", '"9000"'), ALPHA, "rate_cents.S9325: '9000' is not an amount"),
    "a rate below zero": (replaced(ALPHA, "9000", "-1"), ALPHA, "rate_cents.S9325: -1 is not an amount in whole cents"),
    "a rate for what is no code": (replaced(ALPHA, "S9325", "s9325"), ALPHA, "rate_cents: 's9325' is not a HCPCS"),
    "a charge for what is no code": (
        told("charge_cents", "{ S932 = 1 }"), ALPHA, "charge_cents: 'S932' is not a HCPCS or CPT code",
    ),
    "an agreed rate for what is no code": (
        replaced(NORTH, "to =", "rate_cents = { S932 = 1 }\nto ="), NORTH, "rate_cents: 'S932' is not a HCPCS",
    ),
    "one rate, not a table": (
        replaced(ALPHA, "{ S9325 = 9000 }", "9000"), ALPHA,
        "rate_cents: 9000 is not a table of whole cents by code, such as { S9325 = 13300 }",
    ),
    "an exception that is no code": (
        told("bundled_exceptions", '["A422"]'), ALPHA, "bundled_exceptions: 'A422' is not a HCPCS",
    ),
    "text for a list": (
        told("places_of_service", '"12"'), ALPHA, "places_of_service: '12' is not a list of text in quotes",
    ),
    "no interval": (told("max_interval_hours", "0"), ALPHA, "max_interval_hours: 0 is not a whole number from 1"),
    "an integer beyond all bounds": (
        told("line_max_days", "9" * 30), ALPHA, f"line_max_days: {'9' * 30} is not a whole number from 1",
    ),
    "a truth value for a number": (told("line_max_days", "true"), ALPHA, "line_max_days: true is not a whole number"),
    "a plan of no day": (told("plan_max_days", "0"), ALPHA, "plan_max_days: 0 is not a whole number from 1"),
    "a course without end": (
        told("course_gap_days", "367"), ALPHA, "course_gap_days: 367 is not a whole number from 0 to 366",
    ),
    "a document nobody knows": (
        told("documentation", '["consent"]'), ALPHA,
        "documentation: 'consent' is not one of diagnosis, plan, pain_assessment",
    ),
    "percentages of no rank": (
        told("concurrent_percent", "[]"), ALPHA,
        "concurrent_percent: is empty; expected a list of whole numbers from 0 to 100, one or more",
    ),
    "a percentage above a hundred": (
        told("concurrent_percent", "[100, 101]"), ALPHA, "concurrent_percent: 101 is not a whole number from 0 to 100",
    ),
    "a rank's modifier in small letters": (
        told("concurrent_modifiers", '["", "sh"]'), ALPHA,
        "concurrent_modifiers: 'sh' is not a modifier of two capitals or digits, or \"\" for none",
    ),
    "a place's modifiers that are no list": (
        told("place_modifiers", '{ 13 = "GT" }'), ALPHA, "place_modifiers.13: 'GT' is not a list of at most four",
    ),
    "a place's modifier twice": (
        told("place_modifiers", '{ 13 = ["GT", "GT"] }'), ALPHA,
        "place_modifiers.13: ['GT', 'GT'] is not a list of at most four modifiers of two capitals or",
    ),
    "an empty modifier of a place": (told("place_modifiers", '{ 13 = [""] }'), ALPHA, "13: [''] is not"),
    "two editions of one from and published": (
        replaced(ALPHA, TERMS, TERMS + ANOTHER_EDITION), ALPHA,
        "[[terms]] 2 (from 2026-01-01): from, published: the same as in [[terms]] 1; keep one of the two",
    ),
    "two agreements of one payer, from and signature": (
        replaced(NORTH, AGREEMENT, AGREEMENT * 2), NORTH,
        "[[agreements]] 2 (payer alpha, from 2025-01-01): payer, from, signed_on: the same as in [[agreements]] 1;",
    ),
    "an agreement with a payer without a file": (
        replaced(NORTH, '"alpha"', '"alpa"'), NORTH,
        "[[agreements]] 1 (payer alpa, from 2025-01-01): payer: no file in payers/ has this id; did you mean alpha?",
    ),
    "an agreement before 1900": (
        replaced(NORTH, "from = 2025-01-01", "from = 1899-12-31"), NORTH, "1899-12-31 is not a date from 1900-01-01",
    ),
    "one payer in two files": (written("payers/beta.toml", PAYER), "payers/beta.toml", "id: alpha is in alpha.toml"),
    "one NPI in two files": (
        written("providers/south.toml", PROVIDER), "providers/south.toml", "npi: 1234567893 is in north.toml already",
    ),
    "an NPI with a wrong check digit": (
        replaced(NORTH, "1234567893", "1234567894"), NORTH,
        "npi: '1234567894' is not an NPI: ten digits with a valid check digit; 123456789 ends in 3",
    ),
    "an NPI of nine digits": (replaced(NORTH, "1234567893", "123456789"), NORTH, "npi: '123456789' is not an NPI: ten"),
    "an NPI as a number": (replaced(NORTH, '"1234567893"', "1234567893"), NORTH, "npi: 1234567893 is not an NPI"),
    "a name not in NFC": (
        replaced(ALPHA, '"Alpha"', '"Cafe\\u0301"'), ALPHA,
        "name: has a letter made of several characters (it is not in Unicode NFC); type it again: 'Caf\u00e9'",
    ),
    "a source of an edition not in NFC": (
        replaced(ALPHA, "page 3", "page 3 e\u0301"), ALPHA, TERMS_1 + "source: has a letter made of several characters",
    ),
    "an agreement that ends before it begins": (
        replaced(NORTH, "2026-06-30", "2024-12-31"), NORTH, AGREEMENT_1 + "to: 2024-12-31 is before its from",
    ),
    "a code that ends before it begins": (
        replaced("codes.toml", "2030-12-31", "2001-12-31"), "codes.toml", CODE_1 + "to: 2001-12-31 is before its from",
    ),
    "a code that is none": (replaced("codes.toml", '"S9325"', '"S932"'), "codes.toml", "code: 'S932' is not a HCPCS"),
    "a family that is none": (
        replaced("codes.toml", '"pain"', '"pian"'), "codes.toml",
        "family: 'pian' is not one of pain, catheter_care, pharmacy_hours, bundled, therapy, nursing, drug",
    ),
    "an excluded code that is none": (replaced("codes.toml", "S9326", "9326"), "codes.toml", "'9326' is not"),
    "an included code that is none": (replaced("codes.toml", "A4222", "AA222"), "codes.toml", "'AA222' is not"),
    "one code twice": (
        replaced("codes.toml", CODES, CODES * 2), "codes.toml",
        "[[codes]] 2 (code S9325, from 2002-01-01): code: the same as in [[codes]] 1",
    ),
    "an edition that is no table": (replaced(ALPHA, TERMS, "terms = [3]\n"), ALPHA, "[[terms]] 1: 3 is not a table"),
    "one key twice": (replaced(ALPHA, "kind", 'id = "beta"\nkind'), ALPHA, "a key is given twice (at line 3"),
    "not TOML": (written("payers/beta.toml", "{}"), "payers/beta.toml", "is not TOML: Invalid statement (at line 1"),
    "nested without end": (written("payers/beta.toml", "a = " + "[" * 5000), "payers/beta.toml", "is not TOML"),
    "not UTF-8": (written("payers/beta.toml", b'id = "\xff"'), "payers/beta.toml", "save it as UTF-8"),
    "a code table that is not TOML": (written("codes.toml", "codes"), "codes.toml", "is not TOML"),
    "a folder where a file is meant": (
        lambda folder: (folder / "payers" / "beta.toml").mkdir(), "payers/beta.toml", "cannot be read",
    ),
    "a folder where the code table is meant": (
        lambda folder: (folder / "codes.toml").rename(folder / "old.toml").parent.joinpath("codes.toml").mkdir(),
        "codes.toml", "cannot be read",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "file", "says"), WRONG.values(), ids=WRONG)
def test_it_refuses(folder: Path, spoil: Callable[[Path], None], file: str, says: str) -> None:
    spoil(folder)
    with pytest.raises(BookError) as refused:
        load_book(folder)
    mistakes = str(refused.value).splitlines()
    assert any(mistake.startswith(f"{folder / file}: ") and says in mistake for mistake in mistakes)
    assert len(mistakes) <= 2, "a misspelt key is a missing one, too; else there is one mistake"


def test_it_refuses_all_mistakes_of_all_files_at_once(folder: Path) -> None:
    for spoil in (
        replaced(ALPHA, '"commercial"', '"PPO"'),
        replaced(ALPHA, "9000", "133.00"),
        replaced(NORTH, "1234567893", "1234567894"),
        replaced(NORTH, '"alpha"', '"gamma"'),
        replaced("codes.toml", '"pain"', '"pian"'),
    ):
        spoil(folder)
    with pytest.raises(BookError) as refused:
        load_book(folder)
    assert [mistake.removeprefix(f"{folder}/") for mistake in str(refused.value).splitlines()] == [
        "codes.toml: " + CODE_1 + "family: 'pian' is not one of pain, catheter_care, pharmacy_hours, bundled, therapy,"
        " nursing, drug",
        "payers/alpha.toml: kind: 'PPO' is not one of commercial, medicaid, medicare",
        "payers/alpha.toml: " + TERMS_1 + "rate_cents.S9325: rate in whole cents: 133.00 is 13300",
        "providers/north.toml: [[agreements]] 1 (payer gamma, from 2025-01-01): payer: no file in payers/ has this id;"
        " there are alpha",
        "providers/north.toml: npi: '1234567894' is not an NPI: ten digits with a valid check digit;"
        " 123456789 ends in 3",
    ]


def test_a_payer_whose_file_cannot_be_read_is_not_missed(folder: Path) -> None:
    written(ALPHA, "id = ")(folder)
    with pytest.raises(BookError) as refused:
        load_book(folder)
    assert str(refused.value).startswith(f"{folder / ALPHA}: is not TOML: ")
    assert "\n" not in str(refused.value)


def test_a_file_may_begin_with_a_byte_order_mark(folder: Path) -> None:
    (folder / ALPHA).write_text(PAYER, encoding="utf-8-sig")
    assert list(load_book(folder).payers) == ["alpha"]


def test_a_code_table_of_edition_1_is_read(folder: Path) -> None:
    replaced("codes.toml", '"pain"', '"supply"')(folder)
    assert load_book(folder).codes["S9325"].family == "supply"


class TestTheKeysOfEdition2:
    def test_they_are_read(self, folder: Path) -> None:
        for key, says in (
            ("charge_cents", "{ S9325 = 15000 }"), ("course_gap_days", "0"), ("order_signature", '"before_service"'),
            ("plan_max_days", "90"), ("concurrent_percent", "[100, 50, 0]"),
            ("concurrent_modifiers", '["", "SJ", "SJ"]'),
            ("place_modifiers", '{ 13 = ["GT"] }'),
        ):  # fmt: skip
            told(key, says)(folder)
        replaced(NORTH, "to =", "rate_cents = { S9325 = 8125 }\nto =")(folder)
        book = load_book(folder)
        (terms,), (agreement,) = book.payers["alpha"].terms, book.providers["1234567893"].agreements
        assert (terms.charge_cents, terms.course_gap_days, terms.order_signature) == (
            {"S9325": 15000},
            0,
            "before_service",
        )
        assert (terms.plan_max_days, terms.concurrent_percent) == (90, (100, 50, 0))
        assert (terms.concurrent_modifiers, terms.place_modifiers) == (("", "SJ", "SJ"), {"13": ("GT",)})
        assert agreement.rate_cents == {"S9325": 8125}
        again = book_of_text(book.text)
        assert (again.payers, again.providers, again.hash) == (book.payers, book.providers, book.hash)

    def test_they_have_the_rulebooks_defaults(self, folder: Path) -> None:
        terms = load_book(folder).payers["alpha"].terms[0]
        assert (terms.charge_cents, terms.course_gap_days, terms.order_signature) == ({}, 14, "before_claim")
        assert (terms.plan_max_days, terms.concurrent_percent) == (None, None)
        assert (terms.concurrent_modifiers, terms.place_modifiers) == (("", "SH", "SJ"), {})

    def test_where_they_say_nothing_the_book_is_the_one_that_edition_1_recorded(self, folder: Path) -> None:
        """The hash is the one that edition 1 gave this folder; its text is read with today's defaults."""
        book = load_book(folder)
        assert book.hash == EDITION_1_HASH
        assert book_of_text(book.text).payers["alpha"].terms[0].order_signature == "before_claim"
        told("order_signature", '"before_claim"')(folder)
        assert load_book(folder).hash == EDITION_1_HASH
        replaced(ALPHA, '"before_claim"', '"none"')(folder)
        assert load_book(folder).hash != EDITION_1_HASH


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
    monkeypatch.setattr("ledger.book.files.PACKAGED", other)
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
