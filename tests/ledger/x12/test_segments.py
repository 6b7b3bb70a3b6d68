"""The tokenizer: what is tolerated, what is unreadable, and that no message repeats what stands in a file."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest

from ledger.x12 import segments
from ledger.x12.elements import cents_at, date_at, name_at, quantity_at
from ledger.x12.segments import Segment, Unreadable, read_segments

ISA = "ISA*00*          *00*          *ZZ*PAYER          *ZZ*HOUSE          *261020*0700*^*00501*000000501*0*T*:~"
BODY = "GS*HP*PAYER*HOUSE*20261020*0700*501*X*005010X221A1~ST*835*0001~BPR*I*12~SE*3*0001~GE*1*501~"
FILE = f"{ISA}{BODY}IEA*1*000000501~"


def read(text: str | bytes) -> list[Segment]:
    return list(read_segments(io.BytesIO(text.encode() if isinstance(text, str) else text)))


def ids(text: str | bytes) -> list[str]:
    return [segment.id for segment in read(text)]


WHOLE = ["ISA", "GS", "ST", "BPR", "SE", "GE", "IEA"]


@pytest.mark.parametrize(
    "text",
    [
        FILE,
        "\ufeff" + FILE,
        "\r\n  " + FILE,
        FILE.replace("~", "~\r\n"),
        FILE.replace("~", "~\n \t"),
        FILE.replace("~", "\n"),
        FILE.replace("~", "\r\n"),
        FILE.replace("*", "|").replace(":", ">"),
        FILE + "\r\n\x1a\x00",
        FILE.replace("PAYER          ", "PAYER").replace("          ", ""),  # an editor took the blanks away
        *("\n".join(FILE[at : at + width] for at in range(0, len(FILE), width)) for width in (80, 64, 33, 10)),
        *(f"{FILE[:at]}\r\n{FILE[at:]}" for at in range(len(ISA), len(FILE))),  # wrapped anywhere, in a name too
    ],
)
def test_a_file_is_read_whatever_stands_between_its_segments(text: str) -> None:
    assert ids(text) == WHOLE
    assert read(text)[3].from_(1) == ["I", "12"]


def test_each_interchange_has_its_own_delimiters() -> None:
    other = FILE.replace("*", "|").replace("~", "!").replace(":", "/").replace("^", "#")
    both = read(FILE + "\n" + other + FILE)
    assert [segment.id for segment in both] == WHOLE * 3
    assert [segment.number for segment in both] == list(range(1, 22))
    assert [(segment.component, segment.repetition) for segment in both[6:9]] == [(":", "^"), ("/", "#"), ("/", "#")]


def test_text_is_utf_8_or_latin_1() -> None:
    text = FILE.replace("BPR*I", "BPR*é")
    assert read(text)[3].at(1) == read(text.encode("latin-1"))[3].at(1) == "é"


def test_components_and_repetitions_are_parted() -> None:
    segment = read(FILE.replace("BPR*I*12", "BPR* HC:S9325 : SH*A^ ^B"))[3]
    assert segment.parts(1) == ["HC", "S9325", "SH"]
    assert segment.repeats(2) == ["A", "B"]
    assert (segment.at(9), segment.parts(9), segment.repeats(9)) == ("", [""], [])


def test_no_repetition_is_looked_for_where_the_isa_names_none() -> None:
    assert read(FILE.replace("*^*", "*U*").replace("BPR*I", "BPR*A^B"))[3].repeats(1) == ["A^B"]


@pytest.mark.parametrize("end", range(1, len(FILE), 7))
def test_a_file_cut_off_anywhere_is_unreadable(end: int) -> None:
    with pytest.raises(Unreadable):
        read(FILE[:end])


SECRET = "ZQSECRETZQ"


@pytest.mark.parametrize(
    "text",
    [
        "",
        SECRET,
        f"{SECRET}*{FILE}",
        "ISA",
        ISA[:60] + SECRET,
        FILE.replace("*:~", "**~"),  # a delimiter twice
        FILE.replace("*:~", "*A~"),
        FILE.replace("SE*3", "SE*4"),
        FILE.replace("SE*3", f"SE*{SECRET}"),
        FILE.replace("SE*3*0001", f"SE*3*{SECRET}"),
        FILE.replace("GE*1", "GE*2"),
        FILE.replace("IEA*1*", "IEA*2*"),
        FILE.replace("IEA*1*000000501", "IEA*1*000000502"),
        FILE.replace("SE*3*0001~", ""),
        FILE.replace("GE*1*501~", ""),
        FILE.replace("ST*835*0001~", ""),
        FILE.replace("GE*1*501~", f"GE*1*501~{SECRET}*1~"),
        FILE.replace("BPR*I", "bpr*I"),  # no segment is called so: passed over, it would be lost
        FILE.replace("BPR*I", f"{SECRET}*I"),
        FILE.replace("BPR*I", "*BPR*I"),
        FILE.replace("BPR*I*12~", "BPR*I*12~ST*835*0002~"),
        FILE + SECRET,
        FILE + ISA,
    ],
)
def test_what_cannot_be_right_is_unreadable_and_not_repeated(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert SECRET not in str(caught.value)


def test_a_segment_without_an_end_is_not_read_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "LONGEST_SEGMENT_BYTES", 1_000)
    with pytest.raises(Unreadable, match="does not end"):
        read(ISA + "A" * 200_000)


def test_a_file_longer_than_a_chunk_is_read_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = read(FILE * 3)
    for size in (1, 7, 113):
        monkeypatch.setattr(segments, "CHUNK_BYTES", size)
        assert read(FILE * 3) == expected


def of(text: str) -> Segment:
    return Segment(3, ["BPR", text], ":", "^")


@pytest.mark.parametrize(
    ("text", "cents"),
    [("1224", 122400), ("88.5", 8850), (".5", 50), ("-.05", -5), ("+7.", 700), ("0012.50", 1250), ("12.500", 1250),
     ("", 0), (" 3 ", 300)],
)  # fmt: skip
def test_money_is_read_to_the_cent(text: str, cents: int) -> None:
    assert cents_at(of(text), 1) == cents


@pytest.mark.parametrize("text", ["1.005", "1e3", "1,000", ".", "-", "NaN", "1" * 20, "١"])
def test_what_is_no_money_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable, match="segment 3: BPR01: expected"):
        cents_at(of(text), 1)


@pytest.mark.parametrize(
    ("text", "units"),
    [("3", "3"), ("3.0", "3"), ("-4", "-4"), ("0.125", "0.125"), ("007", "7"), (".5", "0.5"), ("-0", "0"), ("0", "0")],
)
def test_units_are_read_in_their_shortest_form(text: str, units: str) -> None:
    found = quantity_at(of(text), 1)
    assert found is not None
    assert str(found) == str(Decimal(units))


def test_absent_units_are_none_and_wrong_ones_unreadable() -> None:
    assert quantity_at(of(""), 1) is None
    for text in ("x", "0.123456789"):
        with pytest.raises(Unreadable):
            quantity_at(of(text), 1)


def test_dates() -> None:
    assert date_at(of("20261020"), 1).isoformat() == "2026-10-20"
    for text in ("", "20261301", "261020", "19991231", "2026102O"):
        with pytest.raises(Unreadable, match="CCYYMMDD"):
            date_at(of(text), 1)


def test_names_are_held_to_the_form_of_names() -> None:
    assert name_at(of(" EP-1 "), 1) == "EP-1"
    for text in ("", "A\x00B", "A" * 129):
        with pytest.raises(Unreadable, match="a name or number"):
            name_at(of(text), 1)
