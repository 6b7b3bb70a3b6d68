"""The writer of 837P (claims.md section 4): a pure function from what goes on a file to its bytes.

It shares no code with the reader, which so can judge it. What it is given it writes, folded into the basic set; whether
that is right is for the gate to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import groupby
from typing import Final

from ledger.x12.basic_text import dollars, folded
from ledger.x12.outgoing import Address, Biller, Insured, OutgoingClaim, OutgoingFile, OutgoingLine, Person, Prescriber

VERSION: Final = "005010X222A1"
_RANKS: Final = "PSTABCDEFGH"
_NDC: Final = "N4"
_MOST_CLAIMS_OF_A_PATIENT: Final = 100
"""How many claims one patient loop may hold."""


def rendered(file: OutgoingFile) -> bytes:
    """The bytes of a file: a segment a line, ASCII."""
    transaction = list(_transaction(file))
    transaction.append(f"SE*{len(transaction) + 1}*0001")
    number, day, minute = file.number, f"{file.written_at:%Y%m%d}", f"{file.written_at:%H%M}"
    sender, receiver = file.biller.submitter, file.receiver.id
    segments = [
        f"ISA*00*{'':10}*00*{'':10}*ZZ*{sender:15}*ZZ*{receiver:15}*{day[2:]}*{minute}*^*00501*{number:09}*0*{file.usage}*:",
        f"GS*HC*{sender}*{receiver}*{day}*{minute}*{number}*X*{VERSION}",
        *transaction,
        f"GE*1*{number}",
        f"IEA*1*{number:09}",
    ]  # fmt: skip
    return ("~\n".join(segments) + "~\n").encode("ascii", "replace")


def batch_name(number: int) -> str:
    """What a batch is called: in its file, as its file, and in the ledger."""
    return f"B{number}"


def _segment(*elements: str) -> str:
    """Elements joined, empty ones at the end left away."""
    return "*".join(elements).rstrip("*")


def _transaction(file: OutgoingFile) -> Iterator[str]:
    biller, at = file.biller, file.written_at
    yield f"ST*837*0001*{VERSION}"
    yield f"BHT*0019*00*{batch_name(file.number)}*{at:%Y%m%d}*{at:%H%M}*CH"
    yield f"NM1*41*2*{_name(biller.name)}*****46*{biller.submitter}"
    yield f"PER*IC*{folded(biller.contact)}*TE*{biller.phone}"
    yield f"NM1*40*2*{_name(file.receiver.name)}*****46*{file.receiver.id}"
    yield from _billing_provider(biller)
    yield from _patients(file.claims)


def _billing_provider(biller: Biller) -> Iterator[str]:
    yield "HL*1**20*1"
    yield f"PRV*BI*PXC*{biller.taxonomy}"
    yield f"NM1*85*2*{_name(biller.name)}*****XX*{biller.npi}"
    yield from _address(biller.address)
    yield f"REF*{biller.tax_id_kind}*{biller.tax_id}"


def _patients(claims: Iterable[OutgoingClaim]) -> Iterator[str]:
    """The patients' loops, numbered on; claims of one patient with one payer that follow each other share one."""
    level = 1
    for (payer, insured), group in groupby(claims, lambda claim: (claim.payer, claim.insured)):
        together = list(group)
        for start in range(0, len(together), _MOST_CLAIMS_OF_A_PATIENT):
            level += 1
            subscriber = level
            yield f"HL*{level}*1*22*{'1' if insured.patient else '0'}"
            yield from _subscriber(insured, payer.claim_filing)
            yield f"NM1*PR*2*{_name(payer.name)}*****PI*{payer.payer_id}"
            if insured.patient:
                level += 1
                yield f"HL*{level}*{subscriber}*23*0"
                yield f"PAT*{insured.relationship}"
                yield _person("QC", insured.patient)
                yield from _demographics(insured.patient)
            for claim in together[start : start + _MOST_CLAIMS_OF_A_PATIENT]:
                yield from _claim(claim)


def _subscriber(insured: Insured, claim_filing: str) -> Iterator[str]:
    relationship = "" if insured.patient else "18"
    yield f"SBR*{_RANKS[insured.rank - 1]}*{relationship}*{folded(insured.group)}******{claim_filing}"
    yield _person("IL", insured.person, "MI", folded(insured.member))
    if not insured.patient:
        yield from _demographics(insured.person)


@lru_cache(maxsize=1024)
def _name(text: str) -> str:
    """The name of a house or a payer, as long as it may be."""
    return folded(text)[:60].rstrip()


def _person(role: str, person: Person | Prescriber, kind: str = "", number: str = "") -> str:
    middle = person.middle if isinstance(person, Person) else ""
    return _segment(
        "NM1", role, "1", folded(person.last), folded(person.first), folded(middle), "", "", kind, number
    )  # fmt: skip


def _demographics(person: Person) -> Iterator[str]:
    yield from _address(person.address)
    yield f"DMG*D8*{_date(person.birth_date)}*{person.sex}"


def _address(address: Address) -> Iterator[str]:
    yield _segment("N3", folded(address.street), folded(address.street2))
    yield f"N4*{folded(address.city)}*{address.state}*{address.zip}"


def _claim(claim: OutgoingClaim) -> Iterator[str]:
    control, amount = folded(claim.control), dollars(claim.charge_cents)
    yield f"CLM*{control}*{amount}***{claim.place}:B:{claim.frequency}*Y*A*Y*Y"
    if claim.authorization:
        yield f"REF*G1*{folded(claim.authorization)}"
    if claim.payer_number:
        yield f"REF*F8*{folded(claim.payer_number)}"
    yield "HI*" + "*".join(_diagnoses(claim.diagnoses))
    if claim.ordered_by:
        yield _person("DN", claim.ordered_by, "XX", claim.ordered_by.npi)
    for place, line in enumerate(claim.lines, 1):
        yield f"LX*{place}"
        yield from _line(line)


def _diagnoses(codes: Sequence[str]) -> Iterator[str]:
    for place, code in enumerate(codes):
        yield f"{'ABF' if place else 'ABK'}:{code.replace('.', '')}"


def _line(line: OutgoingLine) -> Iterator[str]:
    code = ":".join(("HC", line.code, *line.modifiers))
    pointers = ":".join(map(str, line.pointers))
    yield f"SV1*{code}*{dollars(line.charge_cents)}*UN*{line.units}*{line.place}**{pointers}"
    from_, to = _date(line.from_), _date(line.to)
    yield f"DTP*472*D8*{from_}" if from_ == to else f"DTP*472*RD8*{from_}-{to}"
    if line.authorization:
        yield f"REF*G1*{folded(line.authorization)}"
    yield f"REF*6R*{folded(line.number)}"
    if line.ndc:
        yield f"LIN**{_NDC}*{line.ndc}"
        yield f"CTP****{line.quantity}*{line.unit}"
        if line.rx:
            yield f"REF*XZ*{folded(line.rx)}"
    if line.ordered_by:
        yield _person("DK", line.ordered_by, "XX", line.ordered_by.npi)


@lru_cache(maxsize=65536)
def _date(day: date) -> str:
    return day.isoformat().replace("-", "")
