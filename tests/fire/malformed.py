"""Lines that are malformed, at the door: none is let in, and none raises."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from commands.door.intake import Line, parse_line
from tests.command_line import run
from tests.intake_samples import BAD_VALUES, entry, every_fact, line, put, required

Breaks = Callable[[dict[str, Any], Random], bytes]

AT_ONCE = 2_000
ENVELOPE = ("episode", "source", "id", "by", "fact")


def _cut_off(whole: dict[str, Any], rng: Random) -> bytes:
    raw = _raw(whole)
    return raw[: rng.randrange(1, len(raw))]


def _without(whole: dict[str, Any], rng: Random) -> bytes:
    taken = rng.choice(ENVELOPE)
    return _raw({name: value for name, value in whole.items() if name != taken})


def _unknown(whole: dict[str, Any], rng: Random) -> bytes:
    name = "x" * rng.randint(1, 9) + "_unheard_of"
    return _raw(whole | {name: 1} if rng.random() < 0.5 else whole | {"fact": whole["fact"] | {name: 1}})


def _repeated(whole: dict[str, Any], rng: Random) -> bytes:
    raw = _raw(whole)
    name = rng.choice(ENVELOPE)
    return raw[:-1] + b',"%s":%s}' % (name.encode(), json.dumps(whole[name]).encode())


def _wrong_type(whole: dict[str, Any], rng: Random) -> bytes:
    name = rng.choice([name for name in whole["fact"] if name != "bill"])  # that one may be null
    return _raw(whole | {"fact": whole["fact"] | {name: rng.choice([{}, {"a": 1}, [[]], None, [None], 1e300])}})


def _not_utf8(whole: dict[str, Any], rng: Random) -> bytes:
    raw = _raw(whole)
    at = rng.randrange(len(raw) + 1)
    return raw[:at] + rng.choice([b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf"]) + raw[at:]


def _control(whole: dict[str, Any], rng: Random) -> bytes:
    mark = chr(rng.choice([*range(32), 127, 133, 155]))
    return _raw(whole | {rng.choice(ENVELOPE[:4]): f"a{mark}b"})


def _too_long(whole: dict[str, Any], rng: Random) -> bytes:
    return _raw(whole | {rng.choice(ENVELOPE[:4]): "x" * rng.randint(129, 500)})


def _more_after(whole: dict[str, Any], rng: Random) -> bytes:
    return _raw(whole) + rng.choice([b"}", b"{}", b",", b"null", b" x", b"\x00", _raw(whole)])


def _bad_value(whole: dict[str, Any], rng: Random) -> bytes:
    name, path, wrong = BAD_VALUES[rng.choice(list(BAD_VALUES))]
    value = rng.choice(list(wrong))
    return line(put(required(name), path, value)) if name else line(required("DayServed"), **{path: value})


def _no_object(whole: dict[str, Any], rng: Random) -> bytes:
    return rng.choice([b"[%s]" % _raw(whole), json.dumps(_raw(whole).decode()).encode(), b"NaN", b"1", b"{}", b"\x00"])


BREAKS: tuple[Breaks, ...] = (
    _cut_off, _without, _unknown, _repeated, _wrong_type, _not_utf8, _control, _too_long, _more_after, _bad_value,
    _no_object,
)  # fmt: skip
"""Each makes a line that no reading of the forms lets in, whatever the line was."""


def _raw(whole: dict[str, Any]) -> bytes:
    return json.dumps(whole, ensure_ascii=False).encode("utf-8", "surrogatepass")


def malformed(folder: Path, count: int, rng: Random) -> Counter[str]:
    """So many malformed lines at the door; of each thousands, some hundred are recorded through the command line."""
    found: Counter[str] = Counter(lines=0, accepted=0, tracebacks=0, through_commands=0)
    wholes = [entry(fact) for fact in every_fact()]
    through: list[bytes] = []
    for number in range(count):
        raw = rng.choice(BREAKS)(rng.choice(wholes), rng)
        found["lines"] += 1
        try:
            found["accepted"] += isinstance(parse_line(number + 1, raw), Line)
        except Exception:
            found["tracebacks"] += 1
        if b"\n" not in raw and raw.strip() and len(through) < AT_ONCE:
            through.append(raw)
    found.update(_recorded(folder, through))
    return found


def _recorded(folder: Path, lines: list[bytes]) -> Counter[str]:
    ended = run("--ledger", folder / "ledger.db", "record", "-", stdin=b"\n".join(lines) + b"\n")
    outcomes = Counter(row["outcome"] for row in ended.rows)
    plain = "Traceback" not in ended.err and "unforeseen" not in ended.err
    return Counter(
        through_commands=len(lines),
        accepted=len(lines) - outcomes["refused"],
        tracebacks=int(not plain or ended.status != 1),
    )
