"""A payer that is hard to please: it accepts, rejects, cuts, denies, pays too much, takes back and pays after all.

It reads files of claims (837P) and answers each with a 277CA and, from round to round, with checks (835). What it does
to a claim is drawn from the seed and the claim's number. It remembers what it paid, and takes it back to the cent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from ledger.x12.basic_text import dollars
from ledger.x12.claim_reader import ReadClaim, ReadFile, ReadLine, read_claims
from ledger.x12.gate import cents_of

Worth = Callable[[ReadClaim, ReadLine], int]
"""What the payer allows for a line, in cents."""
FATES = ("paid", "paid", "paid", "rejected", "cut", "denied", "denied for good", "overpaid", "taken back")
PAID, DENIED, REVERSED = "1", "4", "22"
_ENVELOPE = (
    "ISA*00*{blank:10}*00*{blank:10}*ZZ*{sender:15}*ZZ*{receiver:15}*{day:%y%m%d}*0700*^*00501*{number:09}*0*T*:",
    "GS*{kind}*{sender}*{receiver}*{day:%Y%m%d}*0700*{number}*X*{version}",
)


class Paid(NamedTuple):
    """What the payer said of a claim and still stands by: its own number; of each line what it paid and adjusted."""

    claim: ReadClaim
    number: str
    status: str
    lines: tuple[tuple[ReadLine, int, tuple[tuple[str, int], ...]], ...]

    @property
    def cents(self) -> int:
        """What was paid."""
        return sum(cents for _, cents, _ in self.lines)


class Payer:
    """One payer over the rounds; ``answer`` takes files in, ``check`` pays what is due by then."""

    def __init__(self, seed: int, worth: Worth) -> None:
        self._seed, self._worth = seed, worth
        self._numbers = 0
        self._standing: dict[str, Paid] = {}
        self._due: list[tuple[str, ReadClaim, str]] = []
        self.denied_for_good: set[str] = set()
        self.overpaid: set[str] = set()
        self.paid_cents = 0

    @property
    def is_done(self) -> bool:
        """Whether nothing more comes."""
        return not self._due

    def answer(self, content: bytes, day: date) -> bytes:
        """The 277CA of a file: each claim taken in under a number, or turned back."""
        (file,) = read_claims(content)
        segments = []
        for place, claim in enumerate(file.claims):
            fate = self._fate(claim)
            number = "" if fate == "rejected" else self._next()
            segments += _acknowledged(place + 4, claim, number, day)
            if number:
                self._due.append((number, claim, fate))
        return _interchange("HN", "277", "005010X214", file, day, self._number(file), _head_277(file, day) + segments)

    def check(self, file: ReadFile, day: date) -> bytes:
        """The 835 of a round: what is due, answered; what is to come later stays due."""
        answers, due, self._due = list[tuple[Paid, bool]](), self._due, []
        for number, claim, fate in due:
            answers += self._answered(number, claim, fate)
        body = [segment for paid, back in answers for segment in _posted(paid, back=back)]
        cents = sum(-paid.cents if back else paid.cents for paid, back in answers)
        self.paid_cents += cents
        trace = f"SIM{self._seed:03}{day:%Y%m%d}{self._numbers:05}"
        head = [
            f"BPR*I*{dollars(max(0, cents))}*C*ACH************{day:%Y%m%d}",
            f"TRN*1*{trace}*1999999999", f"DTM*405*{day:%Y%m%d}", "N1*PR*SIMULATED PAYER", "N3*1 PLAN PLAZA",
            "N4*SALEM*OR*973010001", "PER*BL*PAYER DESK*TE*5555550101",
            f"N1*PE*HOUSE*XX*{file.claims[0].billing.id}", "LX*1",
        ]  # fmt: skip
        tail = [f"PLB*{file.claims[0].billing.id}*{day.year}1231*FB*{dollars(cents)}"] if cents < 0 else []
        return _interchange("HP", "835", "005010X221A1", file, day, self._number(file), head + body + tail)

    def _answered(self, number: str, claim: ReadClaim, fate: str) -> Iterator[tuple[Paid, bool]]:
        """What is said of one claim now; what comes after it is due again."""
        earlier = self._standing.pop(claim.payer_number, None) or self._standing.pop(number, None)
        if earlier is not None:
            yield earlier, True
        if claim.frequency == "8" or fate == "back":
            if fate == "back":
                self._due.append((number, claim, "paid"))
            return
        paid = self._judged(number, claim, fate)
        self._standing[number] = paid
        yield paid, False
        if fate in ("cut", "denied"):
            self._due.append((number, claim, "paid"))  # the appeal is heard
        elif fate == "taken back":
            self._due.append((number, claim, "back"))
        elif fate == "denied for good":
            self.denied_for_good.add(claim.control)
        elif fate == "overpaid":
            self.overpaid.add(claim.control)

    def _judged(self, number: str, claim: ReadClaim, fate: str) -> Paid:
        lines = []
        for place, line in enumerate(claim.lines):
            charge, worth = cents_of(line.charge) or 0, self._worth(claim, line)
            cents = {"denied": 0, "denied for good": 0}.get(fate, worth)
            if fate == "cut" and place == 0:
                cents = worth // 2
            if fate == "overpaid" and place == 0:
                cents = min(charge, worth + 100)
            code = "50" if not cents and worth else "45"
            lines.append((line, cents, ((code, charge - cents),) if charge != cents else ()))
        return Paid(claim, number, DENIED if fate.startswith("denied") else PAID, tuple(lines))

    def _fate(self, claim: ReadClaim) -> str:
        if claim.frequency != "1":
            return "paid"
        return Random(f"{self._seed} {claim.control}").choice(FATES)

    def _next(self) -> str:
        self._numbers += 1
        return f"SP{self._seed:03}{self._numbers:06}"

    def _number(self, file: ReadFile) -> int:
        self._numbers += 1
        return self._numbers


def _interchange(kind: str, id: str, version: str, file: ReadFile, day: date, number: int, body: list[str]) -> bytes:
    told = {"blank": "", "sender": file.receiver, "receiver": file.sender, "day": day, "number": number}
    told |= {"kind": kind, "version": version}
    head = [each.format(**told) for each in _ENVELOPE]
    first = f"ST*{id}*0001*{version}" if id == "277" else f"ST*{id}*0001"
    tail = [f"SE*{len(body) + 2}*0001", f"GE*1*{number}", f"IEA*1*{number:09}"]
    return ("~\n".join([*head, first, *body, *tail]) + "~\n").encode("ascii")


def _head_277(file: ReadFile, day: date) -> list[str]:
    billing = file.claims[0].billing
    return [
        f"BHT*0085*08*{file.batch}*{day:%Y%m%d}*0810*TH", "HL*1**20*1", "NM1*PR*2*SIMULATED PAYER*****46*00001",
        "TRN*1*CA1", f"DTP*050*D8*{day:%Y%m%d}", f"DTP*009*D8*{day:%Y%m%d}", "HL*2*1*21*1",
        f"NM1*41*2*HOUSE*****46*{file.sender}", f"TRN*2*{file.batch}", f"STC*A1:19:PR*{day:%Y%m%d}*WQ*1",
        "HL*3*2*19*1", f"NM1*85*2*HOUSE*****XX*{billing.id}", "TRN*1*0", "STC*A1:19:PR**WQ*1",
    ]  # fmt: skip


def _acknowledged(level: int, claim: ReadClaim, number: str, day: date) -> Iterator[str]:
    first, last = min(line.from_ for line in claim.lines), max(line.to for line in claim.lines)
    yield f"HL*{level}*3*PT"
    yield f"NM1*QC*1*PATIENT*****MI*{claim.insured.id}"
    yield f"TRN*2*{claim.control}"
    yield f"STC*{'A2:20:PR' if number else 'A7:164:IL'}*{day:%Y%m%d}*{'WQ' if number else 'U'}*{claim.charge}"
    if number:
        yield f"REF*1K*{number}"
    yield f"DTP*472*D8*{first}" if first == last else f"DTP*472*RD8*{first}-{last}"


def _posted(paid: Paid, *, back: bool) -> Iterator[str]:
    claim, sign = paid.claim, -1 if back else 1
    status = REVERSED if back else paid.status
    charge = sum(cents_of(line.charge) or 0 for line, _, _ in paid.lines)
    yield (
        f"CLP*{claim.control}*{status}*{dollars(sign * charge)}*{dollars(sign * paid.cents)}**12*{paid.number}*12*"
        f"{claim.frequency}"
    )
    yield f"NM1*QC*1*PATIENT*****MI*{claim.insured.id}"
    for line, cents, adjusted in paid.lines:
        code = ":".join(("HC", line.code, *line.modifiers))
        yield f"SVC*{code}*{dollars(sign * (cents_of(line.charge) or 0))}*{dollars(sign * cents)}**{line.units}"
        if line.from_ == line.to:
            yield f"DTM*472*{line.from_}"
        else:
            yield f"DTM*150*{line.from_}"
            yield f"DTM*151*{line.to}"
        for reason, amount in adjusted:
            yield f"CAS*CO*{reason}*{dollars(sign * amount)}"
        yield f"REF*6R*{line.number}"


def eighty_percent(claim: ReadClaim, line: ReadLine) -> int:
    """What a payer allows of whom nothing else is known."""
    return (cents_of(line.charge) or 0) * 4 // 5


def rounds(contents: list[bytes], seed: int, first: date) -> Iterator[tuple[str, bytes]]:
    """Every answer to some files, round by round, by the name of its file."""
    payers = [(Payer(seed + place, eighty_percent), content) for place, content in enumerate(contents)]
    for place, (payer, content) in enumerate(payers, 1):
        yield f"{place}-277ca.x12", payer.answer(content, first)
        (file,), number = read_claims(content), 0
        while not payer.is_done:
            number += 1
            yield f"{place}-835-{number}.x12", payer.check(file, first + timedelta(days=14 * number))
