"""A checkpoint has one text, and reading it is strict; what the key signed is taken, anything else is refused.

Two programs read checkpoints: ours, and the one that goes out with a bundle. They share no code and agree.
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.proof.checkpoint import (
    LARGEST_NOTE_BYTES,
    Checkpoint,
    CheckpointError,
    Signature,
    VerifierKey,
    format_vkey,
    key_id,
    note_of,
    origin_of,
    parse_note,
    parse_text,
    parse_vkey,
    signature_line,
    text_of,
)
from projections.bundle import verify_bundle
from projections.bundle.verify_bundle import Wrong, check_note
from tests.tiers import many

LEDGER = "5f" * 16
ROOT, HEAD = hashlib.sha256(b"root").digest(), hashlib.sha256(b"head").digest()
AT = datetime(2026, 11, 23, 16, tzinfo=UTC)
CHECKPOINT = Checkpoint(origin_of(LEDGER), LEDGER, 1203, ROOT, HEAD, AT)
TEXT = f"""\
episode-ledger/{LEDGER}
1203
SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=
ledger {LEDGER}
head ny5tM6NxfugmNTpAS6RhjRrutoea15Nrzo7V9GgUkk0=
time 2026-11-23T16:00:00Z
"""
NAME = "example.com/ledger"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
VKEY = format_vkey(NAME, PUBLIC)
DASH = "\u2014"


def signature_of(text: str, key: Ed25519PrivateKey = KEY, name: str = NAME) -> str:
    return signature_line(name, key.public_key().public_bytes_raw(), key.sign(text.encode()))


NOTE = note_of(TEXT, signature_of(TEXT))

GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
"""The key of the examples of Go's note package."""


def test_the_text_is_laid_out_line_by_line() -> None:
    assert text_of(CHECKPOINT) == TEXT


def test_a_note_is_text_empty_line_signature() -> None:
    *text, empty, signature = NOTE.decode().split("\n")[:-1]
    assert len(text) == 6
    assert empty == ""
    dash, name, value = signature.split(" ")
    assert (dash, name) == (DASH, NAME)
    assert base64.b64decode(value) == key_id(NAME, PUBLIC) + KEY.sign(TEXT.encode())
    assert NOTE.endswith(b"\n")


def test_a_note_reads_back_as_what_was_signed() -> None:
    note = parse_note(note_of(text_of(CHECKPOINT), signature_of(text_of(CHECKPOINT))))
    assert note.checkpoint == CHECKPOINT
    assert note.text == text_of(CHECKPOINT)
    assert note.signatures == (Signature(NAME, key_id(NAME, PUBLIC), KEY.sign(note.text.encode())),)


names = st.from_regex(re.compile(r"[!-*,-~ä–]{1,40}"), fullmatch=True)
hashes = st.binary(min_size=32, max_size=32)
checkpoints = st.builds(
    Checkpoint, names, names, st.integers(0, 10**18 - 1), hashes, hashes,
    st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
)  # fmt: skip


@given(checkpoints)
@settings(deadline=None)
def test_every_checkpoint_reads_back_in_both_programs(checkpoint: Checkpoint) -> None:
    text = text_of(checkpoint)
    assert parse_text(text) == checkpoint
    theirs = verify_bundle._checkpoint(text)
    assert theirs == (
        checkpoint.origin, checkpoint.ledger, checkpoint.size, checkpoint.root, checkpoint.head,
        checkpoint.at.isoformat().replace("+00:00", "Z"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"origin": ""},
        {"origin": "two words"},
        {"origin": "a\nb"},
        {"origin": "a+b"},
        {"ledger": ""},
        {"ledger": "a b"},
        {"ledger": "a\nhead b"},
        {"size": -1},
        {"size": 10**18},
        {"root": ROOT[1:]},
        {"root": ROOT + b"\0"},
        {"head": b""},
        {"at": AT.replace(microsecond=1)},
        {"at": AT.replace(tzinfo=None)},
        {"at": AT.astimezone(timezone(timedelta(hours=1)))},
    ],
    ids=str,
)
def test_what_a_text_cannot_say_is_not_written(change: dict[str, object]) -> None:
    with pytest.raises(CheckpointError, match=r"^line \d: "):
        text_of(replace(CHECKPOINT, **change))


LINES = TEXT.splitlines()


def with_line(number: int, line: str) -> str:
    return "".join(f"{each}\n" for each in [*LINES[: number - 1], line, *LINES[number:]])


BAD_TEXTS = {
    "an empty origin": (with_line(1, ""), 1),
    "an origin with a space": (with_line(1, "episode ledger"), 1),
    "an origin with a plus": (with_line(1, "a+b"), 1),
    "an origin and a space": (with_line(1, LINES[0] + " "), 1),
    "an origin after a space": (with_line(1, " " + LINES[0]), 1),
    "an origin and a wide space": (with_line(1, LINES[0] + "\u3000"), 1),
    "a size with a leading zero": (with_line(2, "01203"), 2),
    "two zeros": (with_line(2, "00"), 2),
    "a negative size": (with_line(2, "-1203"), 2),
    "a size with a plus": (with_line(2, "+1203"), 2),
    "a size and a space": (with_line(2, "1203 "), 2),
    "a size in other digits": (with_line(2, "١٢٠٣"), 2),
    "a size that is no number": (with_line(2, "many"), 2),
    "a size with a fraction": (with_line(2, "1203.0"), 2),
    "a size no ledger has": (with_line(2, "1" * 19), 2),
    "a size of five thousand digits": (with_line(2, "1" * 5000), 2),
    "no size": ("\n".join([LINES[0], *LINES[2:]]) + "\n", 6),
    "a root that is no base64": (with_line(3, "!" + LINES[2][1:]), 3),
    "a root without its padding": (with_line(3, LINES[2].rstrip("=")), 3),
    "a root with more padding": (with_line(3, LINES[2] + "="), 3),
    "a root with loose bits at its end": (with_line(3, LINES[2][:-2] + "Z="), 3),
    "a root in the other base64": (with_line(3, LINES[2].replace("+", "-")), 3),
    "a root of 31 bytes": (with_line(3, base64.b64encode(ROOT[1:]).decode()), 3),
    "a root of 33 bytes": (with_line(3, base64.b64encode(ROOT + b"\0").decode()), 3),
    "a root in letters of another script": (with_line(3, "ä" + LINES[2][1:]), 3),
    "an extension in place of the ledger": (with_line(4, "other x"), 4),
    "a ledger without a name": (with_line(4, "ledger"), 4),
    "a ledger of two words": (with_line(4, "ledger a b"), 4),
    "a ledger after two spaces": (with_line(4, "ledger  a"), 4),
    "a head that is no hash": (with_line(5, "head none"), 5),
    "a head under another name": (with_line(5, LINES[4].replace("head", "Head")), 5),
    "head and ledger exchanged": ("\n".join([*LINES[:3], LINES[4], LINES[3], LINES[5]]) + "\n", 4),
    "a time with an offset": (with_line(6, "time 2026-11-23T16:00:00+00:00"), 6),
    "a time without its zone": (with_line(6, "time 2026-11-23T16:00:00"), 6),
    "a time with a fraction": (with_line(6, "time 2026-11-23T16:00:00.0Z"), 6),
    "a time with one digit for two": (with_line(6, "time 2026-11-23T6:00:00Z"), 6),
    "a time in other digits": (with_line(6, "time ٢026-11-23T16:00:00Z"), 6),
    "a time that never was": (with_line(6, "time 2026-02-30T16:00:00Z"), 6),
    "a sixtieth second": (with_line(6, "time 2026-11-23T16:00:60Z"), 6),
    "a 24th hour": (with_line(6, "time 2026-11-23T24:00:00Z"), 6),
    "no time": ("\n".join(LINES[:5]) + "\n", 6),
    "a second ledger": (TEXT + LINES[3] + "\n", 7),
    "a second ledger without a name": (TEXT + "ledger\n", 7),
    "a second head after another line": (TEXT + "witness x\n" + LINES[4] + "\n", 8),
    "a second time": (TEXT + LINES[5] + "\n", 7),
    "an escape in another line": (TEXT + "more \x1b[2J x\n", 7),
    "a tab in another line": (TEXT + "more\tx\n", 7),
    "carriage returns": (TEXT.replace("\n", "\r\n"), 1),
    "a carriage return in another line": (TEXT + "more\rx\n", 7),
    "a zero byte in another line": (TEXT + "more \0 x\n", 7),
    "an empty line in the text": (with_line(4, "\n" + LINES[3]), 4),
    "an empty line at the end of the text": (TEXT + "\n", 7),
}


@pytest.mark.parametrize("case", BAD_TEXTS)
def test_another_text_is_refused_by_its_line_even_if_signed(case: str) -> None:
    text, line = BAD_TEXTS[case]
    note = note_of(text, signature_of(text))
    with pytest.raises(CheckpointError, match=rf"^line {line}: "):
        parse_note(note)
    with pytest.raises(Wrong):
        check_note(note, VKEY)


def test_a_text_ends_with_a_newline() -> None:
    with pytest.raises(CheckpointError, match=r"^line 6: does not end with a newline"):
        parse_text(TEXT[:-1])


SIGNATURE = signature_of(TEXT).encode()
BAD_NOTES = {
    "nothing": (b"", "no empty line"),
    "the text alone": (TEXT.encode(), "no empty line"),
    "no empty line": (TEXT.encode() + SIGNATURE, "no empty line"),
    "no signature": (TEXT.encode() + b"\n", "^line 8: "),
    "no newline at the end": (NOTE[:-1], "^line 8: "),
    "another end than a newline": (NOTE[:-1] + b"x", "^line 8: "),
    "an empty line at the end": (NOTE + b"\n", "^line 7: "),
    "a byte-order mark": (b"\xef\xbb\xbf" + NOTE, None),
    "carriage returns": (NOTE.replace(b"\n", b"\r\n"), "^line 1: a control"),
    "a carriage return at the end of the text": (NOTE.replace(b"Z\n\n", b"Z\r\n\n"), "^line 6: a control"),
    "a tab": (NOTE.replace(b"time ", b"time\t"), "^line 6: a control"),
    "a zero byte": (NOTE.replace(b"\n\n", b"\0\n\n"), "^line 6: a control"),
    "no UTF-8": (NOTE.replace(b"\nhead", b"\n\xffhead"), "^line 5: not UTF-8"),
    "a space after the signature": (NOTE[:-1] + b" \n", "^line 8: "),
    "a short dash": (NOTE.replace(DASH.encode(), b"-"), "^line 8: "),
    "no dash": (NOTE.replace(f"{DASH} ".encode(), b""), "^line 8: "),
    "two spaces": (NOTE.replace(b"ledger SB", b"ledger  SB").replace(DASH.encode(), DASH.encode() + b" "), "^line 8: "),
    "a signature without a name": (TEXT.encode() + f"\n{DASH} {VKEY[-8:]}\n".encode(), "^line 8: "),
    "a signature that is no base64": (TEXT.encode() + f"\n{DASH} {NAME} none!\n".encode(), "^line 8: "),
    "a signature of no bytes": (TEXT.encode() + f"\n{DASH} {NAME} \n".encode(), "^line 8: "),
    "a signature of four bytes": (
        TEXT.encode() + f"\n{DASH} {NAME} {base64.b64encode(key_id(NAME, PUBLIC)).decode()}\n".encode(),
        "^line 8: too short",
    ),
    "a name with a plus": (NOTE.replace(f"{DASH} example".encode(), f"{DASH} ex+ample".encode()), "^line 8: "),
    "something else below": (NOTE + b"and so on\n", "^line 9: "),
    "too much": (NOTE + SIGNATURE * (LARGEST_NOTE_BYTES // len(SIGNATURE)), "too long"),
}


@pytest.mark.parametrize("case", BAD_NOTES)
def test_what_is_no_note_is_refused_with_its_line(case: str) -> None:
    data, message = BAD_NOTES[case]
    assert data != NOTE
    if message is not None:
        with pytest.raises(CheckpointError, match=message):
            parse_note(data)
    with pytest.raises(Wrong):
        check_note(data, VKEY)


SOME_VALUE = base64.b64encode(b"mark" + b"signature").decode()


@pytest.mark.parametrize(
    "line",
    [
        "",
        DASH,
        f"{DASH} ",
        f"{DASH} name",
        f"{DASH} {SOME_VALUE}",
        f"{DASH}  {SOME_VALUE}",
        f"{DASH} two words {SOME_VALUE}",
        f"{DASH} a+b {SOME_VALUE}",
        f"{DASH} name  {SOME_VALUE}",
        f"{DASH} name {SOME_VALUE} ",
        f"{DASH} name {SOME_VALUE} x",
        f"{DASH}name {SOME_VALUE}",
        f" {DASH} name {SOME_VALUE}",
        f"\u2013 name {SOME_VALUE}",
        f"name {SOME_VALUE}",
        f"{DASH} name ",
        f"{DASH} name {SOME_VALUE[:-1]}",
        f"{DASH} name {base64.b64encode(b'mark').decode()}",
        f"{DASH} name {base64.b64encode(b'mar').decode()}",
    ],
)
def test_each_line_below_a_note_has_a_signatures_form(line: str) -> None:
    assert check_note(note_of(TEXT, signature_of(TEXT), f"{DASH} name {SOME_VALUE}\n"), VKEY)
    note = note_of(TEXT, signature_of(TEXT), line + "\n")
    with pytest.raises(CheckpointError, match=r"^line \d: "):
        parse_note(note)
    with pytest.raises(Wrong):
        check_note(note, VKEY)


def test_what_the_key_signed_is_taken() -> None:
    assert check_note(NOTE, VKEY) == (
        CHECKPOINT.origin,
        LEDGER,
        1203,
        parse_note(NOTE).checkpoint.root,
        HEAD,
        LINES[5][5:],
    )


def test_unknown_lines_are_kept_and_signed() -> None:
    text = TEXT + "witness  x+y z\n" + "kept-since 2026-01-01\n"
    note = note_of(text, signature_of(text))
    assert parse_note(note).text == text
    assert parse_note(note).checkpoint == parse_note(NOTE).checkpoint
    assert check_note(note, VKEY) == check_note(NOTE, VKEY)
    with pytest.raises(Wrong, match="does not hold"):
        check_note(note.replace(b"x+y", b"x+z"), VKEY)


def test_a_note_of_a_megabyte_is_taken_and_one_byte_more_is_not() -> None:
    room = (1 << 20) - len(NOTE)
    for filling, taken in ((room - len("more \n"), True), (room - len("more \n") + 1, False)):
        text = f"{TEXT}more {'x' * filling}\n"
        note = note_of(text, signature_of(text))
        assert (len(note) == 1 << 20) == taken
        if taken:
            assert parse_note(note).checkpoint == parse_note(NOTE).checkpoint
            assert check_note(note, VKEY) == check_note(NOTE, VKEY)
        else:
            with pytest.raises(CheckpointError, match="too long"):
                parse_note(note)
            with pytest.raises(Wrong, match="too long"):
                check_note(note, VKEY)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("\n1203\n", "\n1204\n"),
        (LINES[2], base64.b64encode(HEAD).decode()),
        (LINES[4], f"head {base64.b64encode(bytes(32)).decode()}"),
        ("16:00:00Z", "16:00:01Z"),
        (f"ledger {LEDGER}", f"ledger {'60' * 16}"),
        (f"episode-ledger/{LEDGER}", f"episode-ledger/{'60' * 16}"),
    ],
    ids=["size", "root", "head", "time", "ledger", "origin"],
)
def test_a_changed_text_is_no_longer_signed(was: str, now: str) -> None:
    changed = NOTE.decode().replace(was, now, 1).encode()
    assert parse_note(changed).checkpoint != parse_note(NOTE).checkpoint, "it still reads as a checkpoint"
    with pytest.raises(Wrong, match="signature does not hold"):
        check_note(changed, VKEY)


def test_another_keys_signature_is_none_of_this_key() -> None:
    for line in (signature_of(TEXT, OTHER), signature_of(TEXT, KEY, "example.com/other")):
        with pytest.raises(Wrong, match="not signed by this key"):
            check_note(note_of(TEXT, line), VKEY)


def test_another_key_behind_the_same_mark_is_found_out() -> None:
    """A mark has four bytes: somebody may find another key with the same."""
    line = f"{DASH} {NAME} {base64.b64encode(key_id(NAME, PUBLIC) + OTHER.sign(TEXT.encode())).decode()}\n"
    with pytest.raises(Wrong, match="signature does not hold"):
        check_note(note_of(TEXT, line), VKEY)
    with pytest.raises(Wrong, match="signature does not hold"):
        check_note(note_of(TEXT, signature_of(TEXT), line), VKEY)


def test_this_keys_mark_under_another_name_counts_for_nothing() -> None:
    for by in (KEY, OTHER):
        value = base64.b64encode(key_id(NAME, PUBLIC) + by.sign(TEXT.encode())).decode()
        line = f"{DASH} example.com/other {value}\n"
        with pytest.raises(Wrong, match="not signed by this key"):
            check_note(note_of(TEXT, line), VKEY)
        assert check_note(note_of(TEXT, line, signature_of(TEXT)), VKEY) == check_note(NOTE, VKEY)


def test_signatures_of_others_are_let_pass() -> None:
    lines = [signature_of(TEXT, OTHER, f"witness-{number}.example") for number in range(16)]
    witnessed = note_of(TEXT, *lines[:8], signature_of(TEXT), *lines[8:])
    assert check_note(witnessed, VKEY) == check_note(NOTE, VKEY)
    assert [signature.name for signature in parse_note(witnessed).signatures][8] == NAME
    later_kind = f"{DASH} witness.example {base64.b64encode(b'markand' * 500).decode()}\n"
    assert check_note(note_of(TEXT, later_kind, signature_of(TEXT)), VKEY) == check_note(NOTE, VKEY)


@given(st.data())
@settings(max_examples=many(100, 300), deadline=None)
def test_both_programs_take_the_same_notes(data: st.DataObject) -> None:
    """Of texts that were cut about, and signed as they are."""
    text = TEXT + data.draw(st.sampled_from(["", "more x\n", "time\n"]))
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 3))
    text = text[:at] + data.draw(st.text("0+= \n\tZaä\u2028", max_size=2)) + text[at + cut :]
    note = note_of(text, signature_of(text))
    try:
        theirs = check_note(note, VKEY)
    except Wrong:
        with pytest.raises(CheckpointError):
            parse_note(note)
    else:
        ours = parse_note(note).checkpoint
        assert theirs[:5] == (ours.origin, ours.ledger, ours.size, ours.root, ours.head)
        assert datetime.fromisoformat(theirs.time) == ours.at


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_bytes_that_are_no_note_are_told_plainly(data: bytes) -> None:
    with pytest.raises(CheckpointError):
        parse_note(data)
    with pytest.raises(Wrong):
        check_note(data, VKEY)


def test_a_verifier_key_reads_back() -> None:
    assert parse_vkey(VKEY) == VerifierKey(NAME, key_id(NAME, PUBLIC), PUBLIC)
    assert verify_bundle.parse_vkey(VKEY) == (NAME, key_id(NAME, PUBLIC), PUBLIC)


def test_go_s_verifier_key_is_read_and_written_alike() -> None:
    key = parse_vkey(GO_VKEY)
    assert (key.name, key.key_id.hex()) == ("PeterNeumann", "c74f20a3")
    assert format_vkey(key.name, key.public) == GO_VKEY
    assert verify_bundle.parse_vkey(GO_VKEY) == (key.name, key.key_id, key.public)


MARK = key_id(NAME, PUBLIC).hex()
VALUE = base64.b64encode(b"\1" + PUBLIC).decode()


def vkey_of(key: bytes, name: str = NAME) -> str:
    """A verifier key of whatever bytes, its mark right."""
    mark = hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8]
    return f"{name}+{mark}+{base64.b64encode(key).decode()}"


BAD_VKEYS = {
    "nothing": "",
    "no mark": f"{NAME}+{VALUE}",
    "no name": vkey_of(b"\1" + PUBLIC, ""),
    "a name with a space": vkey_of(b"\1" + PUBLIC, "a b"),
    "another key's mark": f"{NAME}+{key_id(NAME, OTHER.public_key().public_bytes_raw()).hex()}+{VALUE}",
    "another name's mark": f"{NAME}x+{MARK}+{VALUE}",
    "a mark in capitals": f"{NAME}+{MARK.upper()}+{VALUE}",
    "a mark cut short": f"{NAME}+{MARK[:-1]}+{VALUE}",
    "another kind of key": vkey_of(b"\2" + PUBLIC),
    "another kind of key under this one's mark": f"{NAME}+{MARK}+{base64.b64encode(bytes([2]) + PUBLIC).decode()}",
    "a key of 31 bytes": vkey_of(b"\1" + PUBLIC[:-1]),
    "a key of 33 bytes": vkey_of(b"\1" + PUBLIC + b"x"),
    "no base64": f"{NAME}+{MARK}+{VALUE[:-1]}!",
    "a newline": VKEY + "\n",
    "a space before": " " + VKEY,
    "the private half": "PRIVATE+KEY+" + VKEY,
}


def test_the_bad_keys_below_are_bad_for_one_reason_only() -> None:
    assert vkey_of(b"\1" + PUBLIC) == VKEY
    assert MARK.upper() != MARK


@pytest.mark.parametrize("case", BAD_VKEYS)
def test_another_line_is_no_verifier_key(case: str) -> None:
    with pytest.raises(CheckpointError, match="not a verifier key"):
        parse_vkey(BAD_VKEYS[case])
    with pytest.raises(Wrong, match="verifier key"):
        check_note(NOTE, BAD_VKEYS[case])


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b", "a\x7f", "a\ud800"])
def test_a_key_has_no_such_name(name: str) -> None:
    with pytest.raises(CheckpointError, match="neither spaces nor plus"):
        format_vkey(name, PUBLIC)
