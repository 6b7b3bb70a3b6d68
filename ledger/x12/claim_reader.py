"""The reader of 837P: the claims of a file, as they stand in it, for the gate and for bringing old claims over.

Nothing is judged here and nothing mended: amounts, dates and units stay the texts they are. It shares no code with the
writer, whose files it judges.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from msgspec import Struct, field

from ledger.x12.segments import Unreadable, read_elements

Elements = list[str]


class ReadPerson(Struct, gc=False):
    """Somebody whom a file names, or a house; what it does not say is empty."""

    id: str = ""
    last: str = ""
    first: str = ""
    street: str = ""
    street2: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    birth_date: str = ""
    sex: str = ""
    tax_id: str = ""


class ReadLine(Struct, gc=False):
    """A service line."""

    place: str = ""
    code: str = ""
    modifiers: tuple[str, ...] = ()
    charge: str = ""
    units: str = ""
    place_of_service: str = ""
    pointers: tuple[str, ...] = ()
    from_: str = ""
    to: str = ""
    number: str = ""
    authorization: str = ""
    ndc: str = ""
    quantity: str = ""
    unit: str = ""
    rx: str = ""
    ordering: ReadPerson | None = None


class ReadClaim(Struct):
    """A claim with what stands above it in its file."""

    file: ReadFile
    billing: ReadPerson
    insured: ReadPerson
    payer: ReadPerson
    claim_filing: str
    rank: str
    group: str
    control: str
    charge: str
    place_of_service: str
    frequency: str
    patient: ReadPerson | None = None
    payer_number: str = ""
    authorization: str = ""
    diagnoses: tuple[str, ...] = ()
    referring: ReadPerson | None = None
    lines: list[ReadLine] = field(default_factory=list)

    @property
    def whose(self) -> ReadPerson:
        """The patient, whosever the plan is."""
        return self.patient or self.insured


class ReadFile(Struct):
    """An interchange with its claims."""

    sender: str = ""
    receiver: str = ""
    number: str = ""
    usage: str = ""
    written_on: str = ""
    batch: str = ""
    claims: list[ReadClaim] = field(default_factory=list)


def read_claims(content: bytes) -> list[ReadFile]:
    """The interchanges of a file with their claims; Unreadable if it is none, is cut off, or carries something else."""
    reader = _Reader()
    handlers = reader.handlers
    for elements in read_elements(BytesIO(content)):
        if handler := handlers.get(elements[0]):
            handler(elements)
    return reader.files


class _Reader:
    """What was read so far: whom the segments that come next speak of."""

    def __init__(self) -> None:
        self.files: list[ReadFile] = []
        self._file = ReadFile()
        self._billing = self._insured = self._payer = self._whom = ReadPerson()
        self._patient: ReadPerson | None = None
        self._claim: ReadClaim | None = None
        self._line: ReadLine | None = None
        self._filing = self._rank = self._group = self._separator = ""
        self.handlers: dict[str, Callable[[Elements], None]] = {
            "ISA": self._begin_file, "ST": self._check_kind, "BHT": self._name_batch, "HL": self._begin_level,
            "SBR": self._take_plan, "NM1": self._take_name, "N3": self._take_street, "N4": self._take_city,
            "DMG": self._take_birth, "CLM": self._begin_claim, "REF": self._take_reference, "HI": self._take_diagnoses,
            "LX": self._begin_line, "SV1": self._take_service, "DTP": self._take_date, "LIN": self._take_drug,
            "CTP": self._take_quantity,
        }  # fmt: skip

    def _begin_file(self, e: Elements) -> None:
        self._file = ReadFile(_at(e, 6), _at(e, 8), _at(e, 13), _at(e, 15), f"20{_at(e, 9)}")
        self._separator = e[16]
        self.files.append(self._file)

    def _check_kind(self, e: Elements) -> None:
        if _at(e, 1) != "837":
            raise Unreadable("it carries something else than an 837, which claims are")

    def _name_batch(self, e: Elements) -> None:
        self._file.batch = _at(e, 3)
        self._file.written_on = _at(e, 4) or self._file.written_on

    def _begin_level(self, e: Elements) -> None:
        self._claim = self._line = None
        match _at(e, 3):
            case "20":
                self._billing = self._insured = self._payer = ReadPerson()
                self._patient = None
            case "22":
                self._insured = self._payer = ReadPerson()
                self._patient = None
            case "23":
                self._patient = ReadPerson()

    def _take_plan(self, e: Elements) -> None:
        if self._claim is None:  # else another payer's, before or after this one
            self._rank, self._group, self._filing = _at(e, 1), _at(e, 3), _at(e, 9)

    def _take_name(self, e: Elements) -> None:
        role = _at(e, 1)
        whom = ReadPerson(_at(e, 9), _at(e, 3), _at(e, 4))
        if self._line is not None:
            if role == "DK":
                self._line.ordering = whom
        elif self._claim is not None:
            if role == "DN":
                self._claim.referring = whom
        elif role == "IL":
            self._insured = whom
        elif role == "PR":
            self._payer = whom
        elif role == "QC":
            self._patient = whom
        elif role == "85":
            self._billing = whom
        self._whom = whom

    def _take_street(self, e: Elements) -> None:
        self._whom.street, self._whom.street2 = _at(e, 1), _at(e, 2)

    def _take_city(self, e: Elements) -> None:
        self._whom.city, self._whom.state, self._whom.zip = _at(e, 1), _at(e, 2), _at(e, 3)

    def _take_birth(self, e: Elements) -> None:
        if self._claim is None:
            self._whom.birth_date, self._whom.sex = _at(e, 2), _at(e, 3)

    def _begin_claim(self, e: Elements) -> None:
        where = _at(e, 5).split(self._separator)
        place, frequency = where[0], where[2] if len(where) > 2 else ""
        self._claim = ReadClaim(
            self._file, self._billing, self._insured, self._payer, self._filing, self._rank, self._group, _at(e, 1),
            _at(e, 2), place, frequency, self._patient,
        )  # fmt: skip
        self._line = None
        self._file.claims.append(self._claim)

    def _take_reference(self, e: Elements) -> None:
        kind, value = _at(e, 1), _at(e, 2)
        if self._line is not None:
            if kind == "6R":
                self._line.number = value
            elif kind == "G1":
                self._line.authorization = value
            elif kind == "XZ":
                self._line.rx = value
        elif self._claim is not None:
            if kind == "G1":
                self._claim.authorization = value
            elif kind == "F8":
                self._claim.payer_number = value
        elif kind in ("EI", "SY") and self._whom is self._billing:
            self._billing.tax_id = value

    def _take_diagnoses(self, e: Elements) -> None:
        if self._claim is not None:
            found = (each.split(self._separator) for each in e[1:])
            self._claim.diagnoses += tuple([code[1] for code in found if code[0] in ("ABK", "ABF") and len(code) > 1])

    def _begin_line(self, e: Elements) -> None:
        if self._claim is not None:
            self._line = ReadLine(_at(e, 1))
            self._claim.lines.append(self._line)

    def _take_service(self, e: Elements) -> None:
        if (line := self._line) is not None:
            code = _at(e, 1).split(self._separator)
            line.code, line.modifiers = code[1] if len(code) > 1 else "", tuple(filter(None, code[2:6]))
            line.charge, line.units, line.place_of_service = _at(e, 2), _at(e, 4), _at(e, 5)
            line.pointers = tuple(_at(e, 7).split(self._separator)) if _at(e, 7) else ()

    def _take_date(self, e: Elements) -> None:
        if _at(e, 1) == "472" and self._line is not None:
            first, _, last = _at(e, 3).partition("-")
            self._line.from_, self._line.to = first, last if _at(e, 2) == "RD8" else first

    def _take_drug(self, e: Elements) -> None:
        if self._line is not None and _at(e, 2) == "N4":
            self._line.ndc = _at(e, 3)

    def _take_quantity(self, e: Elements) -> None:
        if self._line is not None:
            self._line.quantity, self._line.unit = _at(e, 4), _at(e, 5).split(self._separator)[0]


def _at(elements: Elements, place: int) -> str:
    """An element without blanks at its ends, empty where the segment does not go so far."""
    return elements[place].strip() if place < len(elements) else ""
