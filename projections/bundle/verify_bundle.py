"""Checks a bundle of a ledger's entries, with Python 3.8 or later alone: no other file, no library, no secret.

    python3 verify_bundle.py FILE.zip --signer VKEY
    python3 verify_bundle.py CONSISTENCY.json --signer VKEY

FILE.zip may also be the folder it was unpacked to; VKEY is the signer's public key or a file that holds it, from the
sender by another way than the bundle. The other file proves that a later checkpoint's ledger begins with all that an
earlier one stood for. With --witness VKEY, once for each, the checkpoint must bear that witness's cosignature, too.

Ends with 0 if all is proven and vouched for, 1 if something is refused (its reason is printed), 2 if nothing can be
said: a wrong command line, or no key to check the signature with; 3 if the entries are proven, and nobody vouches for
what is said of them.

It stands by itself on purpose: who does not trust the ledger's programs can read this one file, which shares no line
of code with them. It says what is proven and what is only stated; it writes nothing and asks no network.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    del sys.path[0]  # this file's own folder: nothing that was unpacked beside it is to be run in place of a library

import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import stat
import struct
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple


class Wrong(Exception):
    """Something does not hold; the text says what, in one plain sentence."""


# ---- 1. Hashes: an entry's leaf, and the chain of seals ----


def _framed(kind: bytes, value: bytes) -> bytes:
    return kind + len(value).to_bytes(8, "big") + value


def leaf_of(position: int, episode: bytes, version: int, tag: bytes, text: bytes) -> bytes:
    """The leaf of a stored entry: SHA-256 over 0x00 and its fields, each with its kind and its length."""
    fields = (
        _framed(b"i", position.to_bytes(8, "big")),
        _framed(b"t", episode),
        _framed(b"i", version.to_bytes(8, "big")),
        _framed(b"t", tag),
        _framed(b"t", text),
    )
    return hashlib.sha256(b"\x00" + b"".join(fields)).digest()


def node_of(left: bytes, right: bytes) -> bytes:
    """Two hashes made one: a node of the Merkle tree; and of the seal before and an entry's leaf, the entry's seal."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def first_seal(ledger_id: str) -> bytes:
    """What the first entry is chained to: the ledger's id, hashed as a leaf of one text."""
    return hashlib.sha256(b"\x00" + _framed(b"t", ledger_id.encode())).digest()


# ---- 2. Merkle proofs (RFC 6962; checked as in RFC 9162, section 2.1.3.2) ----


def root_from_proof(index: int, size: int, leaf: bytes, proof: Iterable[bytes]) -> bytes | None:
    """The root that a proof leads to, or None if no tree of that size has such a proof for that index."""
    if not 0 <= index < size or len(leaf) != 32:
        return None
    root, place, last = leaf, index, size - 1
    for beside in proof:
        if last == 0 or len(beside) != 32:
            return None
        if place % 2 == 1 or place == last:
            root = node_of(beside, root)
            while place % 2 == 0 and place > 0:
                place, last = place // 2, last // 2
        else:
            root = node_of(root, beside)
        place, last = place // 2, last // 2
    return root if last == 0 else None


def are_consistent(earlier: int, later: int, roots: tuple[bytes, bytes], proof: list[bytes]) -> bool:
    """Whether a tree of the earlier size and root is the beginning of the later one (RFC 9162, section 2.1.4.2)."""
    if earlier == later or earlier == 0:
        return not proof and (earlier == 0 or roots[0] == roots[1])
    way = [roots[0], *proof] if earlier & (earlier - 1) == 0 else proof
    if earlier > later or not way or any(len(each) != 32 for each in way):
        return False
    place, last = earlier - 1, later - 1
    while place % 2 == 1:
        place, last = place // 2, last // 2
    old = new = way[0]
    for beside in way[1:]:
        if last == 0:
            return False
        if place % 2 == 1 or place == last:
            old, new = node_of(beside, old), node_of(beside, new)
            while place % 2 == 0 and place > 0:
                place, last = place // 2, last // 2
        else:
            new = node_of(new, beside)
        place, last = place // 2, last // 2
    return (old, new, last) == (*roots, 0)


# ---- 3. Ed25519 (RFC 8032, section 5.1): checking a signature; nothing here is secret, so it may be slow ----

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)


class _Point(NamedTuple):
    """x = x / z and y = y / z; t = x * y / z, carried along because adding needs it."""

    x: int
    y: int
    z: int
    t: int


_NEUTRAL = _Point(0, 1, 1, 0)


def _add(one: _Point, other: _Point) -> _Point:
    a = (one.y - one.x) * (other.y - other.x) % _P
    b = (one.y + one.x) * (other.y + other.x) % _P
    c = 2 * one.t * other.t * _D % _P
    d = 2 * one.z * other.z % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return _Point(e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _times(factor: int, point: _Point) -> _Point:
    total = _NEUTRAL
    while factor:
        if factor & 1:
            total = _add(total, point)
        point = _add(point, point)
        factor >>= 1
    return total


def _encoded(point: _Point) -> bytes:
    inverse = pow(point.z, _P - 2, _P)
    x, y = point.x * inverse % _P, point.y * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decoded(data: bytes) -> _Point | None:
    """The point of 32 bytes, or None if there is none, or this is not the one way to write it."""
    number = int.from_bytes(data, "little")
    y, odd = number & (1 << 255) - 1, number >> 255
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if (x * x - square) % _P or (x == 0 and odd):
        return None
    if x & 1 != odd:
        x = _P - x
    return _Point(x, y, 1, x * y % _P)


_BASE = _decoded((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little")) or _NEUTRAL


def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the key signed the message. Keys of small order, with which one signature fits many, never did."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key = _decoded(public)
    s = int.from_bytes(signature[32:], "little")
    if key is None or s >= _ORDER or _times(8, key).x == 0:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _ORDER
    minus_key = _Point(-key.x % _P, key.y, key.z, -key.t % _P)
    return _encoded(_add(_times(s, _BASE), _times(h, minus_key))) == signature[:32]


# ---- 4. Signed checkpoints (C2SP signed-note and tlog-checkpoint) ----

_NAME = re.compile(r"[^\s+\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_EXTENSIONS = ("ledger", "head", "time")


class Checkpoint(NamedTuple):
    """What a checkpoint says: the ledger's size, Merkle root and last seal at a time (UTC)."""

    origin: str
    ledger: str
    size: int
    root: bytes
    head: bytes
    time: str


SIGNER, WITNESS = 1, 4
"""The kinds of keys: Ed25519 over a note's text, and over a cosignature's (C2SP signed-note and tlog-cosignature)."""


def parse_vkey(vkey: str, kind: int = SIGNER) -> tuple[str, bytes, bytes]:
    """Name, mark and public key of a line ``name+mark+key``; the mark must be their own."""
    parts = vkey.split("+", 2)
    key = _unbase64(parts[2]) if len(parts) == 3 else None
    if key is None or not _NAME.fullmatch(parts[0]) or len(key) != 33 or key[0] != kind:
        raise Wrong("this is not a verifier key: name+mark+key")
    mark = hashlib.sha256(parts[0].encode() + b"\n" + key).digest()[:4]
    if parts[1] != mark.hex():
        raise Wrong("the verifier key's mark does not belong to its name and key")
    return parts[0], mark, key[1:]


def check_note(note: bytes, vkey: str) -> Checkpoint:
    """What a checkpoint says, if that key signed it; else Wrong. Other keys' signatures do not count."""
    text, signatures = _split(note)
    checkpoint = _checkpoint(text)
    _check_signed("checkpoint", text, signatures, vkey)
    return checkpoint


def _check_signed(what: str, text: str, signatures: list[tuple[str, bytes, bytes]], vkey: str) -> None:
    """Wrong unless that key signed the text."""
    name, mark, public = parse_vkey(vkey)
    ours = [signature for signer, its_mark, signature in signatures if (signer, its_mark) == (name, mark)]
    if not ours:
        raise Wrong(f"the {what} is not signed by this key")
    if not all(ed25519_verify(public, text.encode(), signature) for signature in ours):
        raise Wrong(f"the {what}'s signature does not hold: the text or the signature was changed")


def check_witness(note: bytes, vkey: str) -> str:
    """When this witness saw the checkpoint, in seconds since 1970; Wrong unless its cosignature stands there."""
    name, mark, public = parse_vkey(vkey, WITNESS)
    text, signatures = _split(note)
    ours = [signature for signer, its_mark, signature in signatures if (signer, its_mark) == (name, mark)]
    if not ours:
        raise Wrong(f"the checkpoint does not bear the cosignature of {seen(name)}")
    for signature in ours:
        at = int.from_bytes(signature[:8], "big")
        if not ed25519_verify(public, f"cosignature/v1\ntime {at}\n{text}".encode(), signature[8:]):
            raise Wrong(f"the cosignature of {seen(name)} does not hold: the text or the signature was changed")
    return f"{at}"


def _split(note: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    try:
        text = note.decode()
    except UnicodeDecodeError:
        raise Wrong("the checkpoint is not UTF-8 text") from None
    if re.search(r"[\x00-\x09\x0b-\x1f]", text) or len(note) > 1 << 20:
        raise Wrong("the checkpoint has control characters in it, or is too long")
    text, empty, below = text.rpartition("\n\n")
    if not empty or not below.endswith("\n"):
        raise Wrong("the checkpoint lacks the empty line or the signatures below it")
    return text + "\n", [_signature(line) for line in below[:-1].split("\n")]


def _signature(line: str) -> tuple[str, bytes, bytes]:
    parts = line.split(" ")
    value = _unbase64(parts[-1])
    if len(parts) != 3 or parts[0] != "\u2014" or not _NAME.fullmatch(parts[1]) or value is None or len(value) < 5:
        raise Wrong("a line below the checkpoint is not a signature")
    return parts[1], value[:4], value[4:]


def _checkpoint(text: str) -> Checkpoint:
    lines = text[:-1].split("\n")
    if len(lines) < 6 or any(not line or line != line.strip() for line in lines):
        raise Wrong("the checkpoint's text has too few lines, an empty one, or one with spaces around it")
    names = [line.split(" ")[0] for line in lines[3:]]
    if tuple(names[:3]) != _EXTENSIONS or any(name in _EXTENSIONS for name in names[3:]):
        raise Wrong("the checkpoint's fourth to sixth lines are not its ledger, head and time, each once")
    ledger, head, time = (line.partition(" ")[2] for line in lines[3:6])
    if not (_NAME.fullmatch(lines[0]) and _NAME.fullmatch(ledger)):
        raise Wrong("the checkpoint does not name its origin and ledger")
    if not re.fullmatch("0|[1-9][0-9]{0,17}", lines[1]):
        raise Wrong("the checkpoint's second line is not a size")
    return Checkpoint(lines[0], ledger, int(lines[1]), _hash(lines[2]), _hash(head), _time(time))


def _hash(value: str) -> bytes:
    data = _unbase64(value)
    if data is None or len(data) != 32:
        raise Wrong("the checkpoint's root or head is not a hash")
    return data


def _time(value: str) -> str:
    try:
        same = datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").isoformat() + "Z" == value
    except ValueError:
        same = False
    if not same:
        raise Wrong("the checkpoint's time is not written like 2026-11-23T16:00:00Z")
    return value


def _unbase64(value: str) -> bytes | None:
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == value else None


# ---- 5. The bundle's members: out of a zip that is written in one way only, or out of the unpacked folder ----

_LARGEST_BUNDLE = 512 << 20
_MOST_MEMBERS = 20_000
_LOCAL, _CENTRAL, _END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s4H2LH")
_AS_STORED = (20, 0, 0, 0, 33)
"""How each member stands in the zip: version 2.0, no flags, not compressed, 00:00 on 1980-01-01."""
_REPACKED = "; if the zip was packed anew on its way, unpack it and check the folder"


def members_of(place: Path) -> dict[str, bytes]:
    """Every member of a bundle by name; Wrong for what could not have come out of one."""
    if place.is_dir():
        return _in_folder(place)
    if place.stat().st_size > _LARGEST_BUNDLE:
        raise Wrong("the file is too large for a bundle")
    data = place.read_bytes()
    members = _in_zip(data)
    _check_members(members)  # which member was changed says more than at which byte the zip differs
    if _zip_of(members) != data:
        raise Wrong("the zip is not written as a bundle is: something in it belongs to no member" + _REPACKED)
    return members


def _in_zip(data: bytes) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    at = 0
    while data[at : at + 4] == b"PK\x03\x04":
        if at + _LOCAL.size > len(data) or len(members) == _MOST_MEMBERS:
            raise Wrong("the zip ends within a member, or has too many")
        header = _LOCAL.unpack_from(data, at)
        size, start = header[7], at + _LOCAL.size + header[9]
        name = _member_name(data[at + _LOCAL.size : start])
        if header[1:6] != _AS_STORED or header[8] != size or header[10] != 0 or start + size > len(data):
            raise Wrong(f"the zip is not written as a bundle is: {name} is compressed, locked or cut off" + _REPACKED)
        if name in members:
            raise Wrong(f"the zip has two members named {name}")
        members[name] = data[start : start + size]
        at = start + size
    if not members:
        raise Wrong("this is no bundle: not a zip that begins with a member")
    return members


def _member_name(name: bytes) -> str:
    if not re.fullmatch(rb"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*", name):
        raise Wrong("a member's name is none that a bundle has")
    return name.decode("ascii")


def _zip_of(members: Mapping[str, bytes]) -> bytes:
    """The one way in which a bundle of these members is written."""
    parts, directory, at = [], [], 0
    for name, content in sorted(members.items()):
        sizes = binascii.crc32(content), len(content), len(content), len(name)
        local = _LOCAL.pack(b"PK\x03\x04", *_AS_STORED, *sizes, 0) + name.encode()
        owner_only = (stat.S_IFREG | 0o600) << 16
        entry = _CENTRAL.pack(b"PK\x01\x02", 3 << 8 | 20, *_AS_STORED, *sizes, 0, 0, 0, 0, owner_only, at)
        parts += [local, content]
        directory.append(entry + name.encode())
        at += len(local) + len(content)
    length = sum(map(len, directory))
    end = _END.pack(b"PK\x05\x06", 0, 0, len(members), len(members), length, at, 0)
    return b"".join([*parts, *directory, end])


def _in_folder(folder: Path) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    room = _LARGEST_BUNDLE
    for place, folders, files in os.walk(folder):
        for name in sorted(folders + files):
            path = Path(place, name)
            shown = path.relative_to(folder).as_posix()
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode):
                continue
            room -= status.st_size
            if not stat.S_ISREG(status.st_mode) or room < 0 or len(members) == _MOST_MEMBERS:
                raise Wrong(f"{seen(shown)} is no plain file, or the folder holds more than a bundle can")
            members[shown] = path.read_bytes()
    return members


# ---- 6. What is in the members; whoever wrote them may be hostile ----

_MANIFEST = "manifest.json"
_BESIDE = (_MANIFEST, "manifest.sha256", "manifest.note")
"""What the manifest cannot list: itself, its hash, and the signature over that."""
_FIXED = (
    "README.txt",
    "book/codes.json",
    "book/payers.json",
    "book/providers.json",
    "checkpoint.txt",
    "verify_bundle.py",
)
_OF_EPISODE = ("claimed/{}.jsonl", "entries/{}.jsonl", "report/{}.html", "verdicts/{}.jsonl")
_PAPERS = "papers/{}.jsonl"
"""The claims and what came back for them; bundles that were made before have none."""
_ENTRY = {"position", "episode", "version", "topic", "state", "proof"}
_WITHHELD = _ENTRY - {"state"} | {"leaf"}
"""An entry without its text, which says who somebody is: the hash that the tree has of it stands in its place."""
_ENVELOPE = {"episode", "version", "type", "key", "content", "sealed"}
"""What an encrypted ledger stores of an entry; ``content`` is the SHA-256, in hex, of the text that is sealed in it."""
_SEALING_ADDS = 12 + 16
"""AES-GCM makes a text longer by the random bytes before it and the tag behind it."""


class Shown(NamedTuple):
    """An episode of the bundle: the number its members bear, its name, and its last version by the manifest."""

    number: int
    name: str
    last_version: int


class Manifest(NamedTuple):
    """What the manifest says of the bundle."""

    ledger: str
    position: int
    known_at: str | None
    episodes: list[Shown]


def seen(text: str) -> str:
    """Text for the screen, in which nothing hides and nothing commands the terminal; long ones are cut."""
    return "".join(mark if mark.isprintable() else f"<U+{ord(mark):04X}>" for mark in text[:200])


def _json(data: bytes | str, where: str) -> Any:
    """The value of a JSON text; Wrong for one that two readers could read as two things, or that breaks readers."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise Wrong(f"{where}: a key is given twice")
        return dict(pairs)

    def whole(digits: str) -> int:
        if len(digits) > 200:
            raise Wrong(f"{where}: a number is too long")
        return int(digits)

    def unknown(constant: str) -> None:
        raise Wrong(f"{where}: {constant} is no JSON")

    try:
        text = data if isinstance(data, str) else data.decode()
        value = json.loads(text, object_pairs_hook=once, parse_int=whole, parse_constant=unknown)
        json.dumps(value, ensure_ascii=False).encode()  # half a character breaks here rather than later
    except UnicodeError:
        raise Wrong(f"{where}: not UTF-8 text") from None
    except ValueError:
        raise Wrong(f"{where}: no JSON") from None
    except RecursionError:
        raise Wrong(f"{where}: nested too deeply") from None
    return value


def _field(table: Any, name: str, kind: type, where: str) -> Any:
    value: Any = table.get(name) if isinstance(table, dict) else None
    if type(value) is not kind or (isinstance(value, int) and not 0 <= value < 2**63):
        raise Wrong(f"{where}: {name} is missing, or not what it must be")
    return value


def _check_members(members: Mapping[str, bytes]) -> Manifest:
    """The manifest, if every member is one it lists, of that size and SHA-256, and none is missing or beside them."""
    if _MANIFEST not in members:
        raise Wrong(f"{_MANIFEST} is missing: this is no bundle, or the folder is not the one it was unpacked to")
    digest = hashlib.sha256(members[_MANIFEST]).hexdigest()
    if members.get("manifest.sha256") != f"{digest}  {_MANIFEST}\n".encode():
        raise Wrong(f"{_MANIFEST} was changed: it does not have the SHA-256 of manifest.sha256")
    table = _json(members[_MANIFEST], _MANIFEST)
    listed = _listed(table)
    for name in sorted(members.keys() | listed.keys()):
        if name in _BESIDE:
            continue
        if name not in members:
            raise Wrong(f"{seen(name)} is missing: the manifest lists it")
        if name not in listed:
            raise Wrong(f"{seen(name)} was added: the manifest does not list it")
        content = members[name]
        if (len(content), hashlib.sha256(content).hexdigest()) != listed[name]:
            raise Wrong(f"{seen(name)} was changed: it does not have the size and SHA-256 of the manifest")
    manifest = _manifest(table)
    expected = {*_FIXED, *(name.format(each.number) for each in manifest.episodes for name in _OF_EPISODE)}
    papers = {_PAPERS.format(each.number) for each in manifest.episodes}
    odd = sorted((expected | papers if papers & listed.keys() else expected) ^ listed.keys())
    if odd:
        raise Wrong(f"{_MANIFEST}: {seen(odd[0])} is missing from it, or does not belong there")
    return manifest


def _listed(table: Any) -> dict[str, tuple[int, str]]:
    listed: dict[str, tuple[int, str]] = {}
    for member in _field(table, "members", list, _MANIFEST):
        name = _field(member, "name", str, _MANIFEST)
        if name in listed:
            raise Wrong(f"{_MANIFEST}: {seen(name)} is listed twice")
        listed[name] = _field(member, "size", int, _MANIFEST), _field(member, "sha256", str, _MANIFEST)
    return listed


def _manifest(table: Any) -> Manifest:
    if _field(table, "schema", str, _MANIFEST) != "episode-ledger-bundle/1":
        raise Wrong(f"{_MANIFEST}: a bundle of another schema; this program reads episode-ledger-bundle/1")
    known_at = None if table.get("known_at", "") is None else _field(table, "known_at", str, _MANIFEST)
    episodes: list[Shown] = []
    for number, each in enumerate(_field(table, "episodes", list, _MANIFEST), 1):
        numbers = [_field(each, name, int, _MANIFEST) for name in ("number", "first_version", "last_version")]
        shown = Shown(number, _field(each, "episode", str, _MANIFEST), numbers[2])
        if numbers[:2] != [number, 1] or shown.last_version < 1 or shown.name in [one.name for one in episodes]:
            raise Wrong(f"{_MANIFEST}: episode {number} is not numbered in order, from version 1, each once")
        episodes.append(shown)
    if not episodes:
        raise Wrong(f"{_MANIFEST}: it names no episode")
    ledger, position = _field(table, "ledger", str, _MANIFEST), _field(table, "position", int, _MANIFEST)
    return Manifest(ledger, position, known_at, episodes)


# ---- 7. The checks, in order ----


def check_bundle(members: Mapping[str, bytes], signer: str | None, witnesses: Iterable[str] = ()) -> Iterator[str]:
    """What holds, a line for each check; Wrong at the first that does not. Without a signer none is believed."""
    manifest = _check_members(members)
    yield f"manifest: {len(members)} members, none missing, changed or added"
    checkpoint = _check_checkpoint(members["checkpoint.txt"], manifest, signer)
    yield _signed_words("checkpoint", checkpoint, signer)
    if signer and is_vouched_for(members):
        _check_manifest_note(members, manifest, signer)
        yield f"manifest: signed by {seen(signer.split('+')[0])}, who vouches for all that is listed in it"
    yield from _witnessed(members["checkpoint.txt"], witnesses)
    for shown in manifest.episodes:
        where = f"entries/{shown.number}.jsonl"
        enveloped, withheld = _check_episode(members[where], where, shown, checkpoint, manifest.known_at)
        papers = _PAPERS.format(shown.number)
        said = _check_papers(members[papers], papers, members[where]) if papers in members else ""
        yield (
            f"{seen(shown.name)}: versions 1 to {shown.last_version:,} are whole, and each is in the ledger of the"
            " checkpoint; later ones, if any, are not shown by this bundle"
        )
        if said:
            yield f"{seen(shown.name)}: {said}"
        if enveloped:
            yield f"{seen(shown.name)}: the ledger stores it encrypted; its texts have the hashes on their envelopes"
        if withheld:
            yield (
                f"{seen(shown.name)}: {withheld:,} of them are shown by their hashes alone, because, as is stated, they"
                " say who the patient is"
            )


def is_vouched_for(members: Mapping[str, bytes]) -> bool:
    """Whether the manifest came with a signature, so that what is only stated is somebody's word."""
    return "manifest.note" in members


def _check_manifest_note(members: Mapping[str, bytes], manifest: Manifest, signer: str) -> None:
    """The manifest's note says its ledger and hash, and nothing else, and the signer signed it."""
    try:
        text, signatures = _split(members["manifest.note"])
    except Wrong as wrong:
        raise Wrong(f"manifest.note: {str(wrong).replace('checkpoint', 'note')}") from None
    digest = hashlib.sha256(members[_MANIFEST]).hexdigest()
    if text != f"episode-ledger-bundle/1 manifest\n{manifest.ledger}\n{digest}\n":
        raise Wrong("manifest.note: it is not that of this manifest")
    _check_signed("manifest", text, signatures, signer)


def _signed_words(what: str, checkpoint: Checkpoint, signer: str | None) -> str:
    says = f"ledger {seen(checkpoint.ledger)} with {checkpoint.size:,} entries, time {checkpoint.time}"
    return f"{what}: {'signed by ' + seen(signer.split('+')[0]) + ', ' if signer else 'NOT proven, '}{says}"


def _witnessed(note: bytes, witnesses: Iterable[str]) -> Iterator[str]:
    for vkey in witnesses:
        at = check_witness(note, vkey)
        yield f"witness: {seen(vkey.split('+')[0])} cosigned it at {at} seconds since 1970, by its own clock"


_CONSISTENCY = "episode-ledger-consistency/1"


def check_consistency(data: bytes, signer: str | None, witnesses: Iterable[str] = ()) -> Iterator[str]:
    """That the later of two checkpoints stands for all that the earlier one did; Wrong if it is not shown."""
    table = _json(data, "the file")
    if _field(table, "schema", str, "the file") != _CONSISTENCY or table.keys() != {"schema", "from", "to", "proof"}:
        raise Wrong(f"the file is neither a bundle nor of the schema {_CONSISTENCY}")
    notes = [_field(table, name, str, "the file").encode() for name in ("from", "to")]
    first, then = (check_note(note, signer) if signer is not None else _checkpoint(_split(note)[0]) for note in notes)
    yield _signed_words("earlier", first, signer)
    yield _signed_words("later", then, signer)
    yield from _witnessed(notes[1], witnesses)
    if (first.origin, first.ledger) != (then.origin, then.ledger):
        raise Wrong("the checkpoints are of two ledgers")
    proof = [_unbase64(each) if isinstance(each, str) else None for each in _field(table, "proof", list, "the file")]
    hashes = [each for each in proof if each is not None]
    if len(hashes) != len(proof) or len(proof) > 130:
        raise Wrong("the proof is not a list of hashes")
    if first.size > then.size:
        raise Wrong("the later checkpoint has fewer entries than the earlier one: entries were taken away")
    if not are_consistent(first.size, then.size, (first.root, then.root), hashes):
        raise Wrong("the proof does not lead from one root to the other: what was there was changed, or it is forged")
    yield f"the first {first.size:,} entries of the later are those of the earlier, to the letter"


def _check_checkpoint(note: bytes, manifest: Manifest, signer: str | None) -> Checkpoint:
    checkpoint = check_note(note, signer) if signer is not None else _checkpoint(_split(note)[0])
    if checkpoint.ledger != manifest.ledger or checkpoint.origin != f"episode-ledger/{manifest.ledger}":
        raise Wrong("the checkpoint is of another ledger than the manifest says")
    if checkpoint.size != manifest.position:
        raise Wrong("the checkpoint stands for another number of entries than the manifest says")
    return checkpoint


def _check_episode(
    data: bytes, where: str, shown: Shown, checkpoint: Checkpoint, known_at: str | None
) -> tuple[bool, int]:
    """Every entry from version 1 to the last, each in the ledger that was signed; whether in envelopes, and how many
    have no text here."""
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        raise Wrong(f"{where}: not UTF-8 text") from None
    if lines.pop() != "":
        raise Wrong(f"{where}: the last line is cut off")
    before, enveloped, withheld = 0, False, 0
    for version, line in enumerate(lines, 1):
        here = f"{where}, line {version}"
        entry = _json(line, here)
        if not isinstance(entry, dict) or (entry.keys() - {"content"} != _ENTRY and entry.keys() != _WITHHELD):
            raise Wrong(f"{here}: not an entry")
        position = _field(entry, "position", int, here)
        if position <= before:
            raise Wrong(f"{here}: the entries are not in the order of their positions")
        before = position
        if _field(entry, "version", int, here) != version:
            raise Wrong(f"{here}: version {version} is missing or out of place; here is version {entry['version']}")
        if _field(entry, "episode", str, here) != shown.name:
            raise Wrong(f"{here}: an entry of another episode")
        _check_entry(entry, here, checkpoint)
        if "leaf" in entry:
            withheld += 1
            continue
        _check_text(entry, here, known_at)
        enveloped = enveloped or "content" in entry
    if len(lines) != shown.last_version:
        raise Wrong(f"{where}: versions {len(lines) + 1} to {shown.last_version} are missing: the manifest has them")
    return enveloped, withheld


def _check_entry(entry: dict[str, Any], here: str, checkpoint: Checkpoint) -> None:
    """The entry's leaf, made from what stands there, is in the tree whose root was signed."""
    leaf = _leaf(entry, here)
    proof = [_unbase64(each) if isinstance(each, str) else None for each in _field(entry, "proof", list, here)[:65]]
    hashes = [each for each in proof if each is not None]
    if len(hashes) != len(proof):
        raise Wrong(f"{here}: its proof is not a list of hashes")
    root = root_from_proof(entry["position"] - 1, checkpoint.size, leaf, hashes)
    if root is None:
        raise Wrong(
            f"{here}: its proof does not fit a ledger of {checkpoint.size:,} entries: forged, or of another tree"
        )
    if root != checkpoint.root:
        raise Wrong(
            f"{here}: the proof does not lead to the checkpoint's root: entry or proof was changed, or is another"
            " ledger's"
        )


def _leaf(entry: dict[str, Any], here: str) -> bytes:
    """The hash that the tree has of the entry: made from what stands there, or, of one without a text, given."""
    if "leaf" in entry:
        given = _field(entry, "leaf", str, here)
        if not re.fullmatch("[0-9a-f]{64}", given):
            raise Wrong(f"{here}: leaf is not a hash")
        return bytes.fromhex(given)
    texts = [_field(entry, name, str, here).encode() for name in ("episode", "topic", "state")]
    return leaf_of(entry["position"], texts[0], entry["version"], texts[1], texts[2])


def _check_text(entry: dict[str, Any], here: str, known_at: str | None) -> None:
    """The entry's text says the same as what stands beside it, and was recorded by the time the bundle speaks of."""
    text, which = _json(entry["state"], f"{here}, state"), "stored text"
    if "content" in entry:
        _check_envelope(text, entry, here)
        text, which = _json(entry["content"], f"{here}, content"), "text of the envelope"
    elif isinstance(text, dict) and "sealed" in text:
        raise Wrong(f"{here}: the entry is stored in an envelope, and content, its text, is missing")
    fact = _field(text, "fact", dict, here)
    says = text.get("episode"), text.get("version"), fact.get("type")
    if says != (entry["episode"], entry["version"], entry["topic"]):
        raise Wrong(f"{here}: the {which} is another entry's than its columns say")
    recorded_at = _moment(_field(text, "recorded_at", str, here), here)
    if known_at is not None and recorded_at > _moment(known_at, _MANIFEST):
        raise Wrong(f"{here}: recorded after the instant as known at which the bundle was made")


def _check_envelope(envelope: Any, entry: dict[str, Any], here: str) -> None:
    """The stored text is this entry's envelope, and bears the hash of the text that is given beside it."""
    where = f"{here}, state"
    if not isinstance(envelope, dict) or envelope.keys() != _ENVELOPE:
        raise Wrong(f"{here}: content is given, but the stored text is no envelope")
    texts = {name: _field(envelope, name, str, where) for name in sorted(_ENVELOPE - {"version"})}
    says = texts["episode"], _field(envelope, "version", int, where), texts["type"]
    if says != (entry["episode"], entry["version"], entry["topic"]):
        raise Wrong(f"{here}: the envelope is another entry's than its columns say")
    content = _field(entry, "content", str, here).encode()
    if hashlib.sha256(content).hexdigest() != texts["content"]:
        raise Wrong(f"{here}: content does not have the SHA-256 that stands on the envelope")
    sealed = _unbase64(texts["sealed"])
    if sealed is None or len(sealed) != len(content) + _SEALING_ADDS:
        raise Wrong(f"{here}: what is sealed in the envelope is not as long as its content")


def _check_papers(data: bytes, where: str, entries: bytes) -> str:
    """The claims, acknowledgements and remittances that are named are those of the proven entries, to the cent."""
    facts: dict[int, Any] = {}
    for line in entries.decode().splitlines():
        entry = _json(line, where)
        if "leaf" not in entry:
            fact = _json(entry.get("content", entry["state"]), where)["fact"]
            facts[entry["version"]] = fact.get("fact", fact) if isinstance(fact, dict) else fact
    counts = {"claims": 0, "acknowledgements": 0, "remittances": 0}
    for number, line in enumerate(data.decode(errors="replace").splitlines(), 1):
        here = f"{where}, line {number}"
        paper = _json(line, here)
        charge = _is_of(paper, facts, "ClaimSubmitted", ("claim", "payer", "frequency"), here)
        if sum(_field(each, "charge_cents", int, here) for each in _field(charge, "lines", list, here)) != (
            paper.get("charge_cents")
        ):
            raise Wrong(f"{here}: the claim asks for another amount than its entry says")
        counts["claims"] += 1
        for each in _field(paper, "acknowledgements", list, here):
            _is_of(each, facts, "ClaimAcknowledged", ("kind", "status", "date"), here)
            counts["acknowledgements"] += 1
        paid = 0
        for each in _field(paper, "remittances", list, here):
            told = ("payment", "paid_on", "status", "charge_cents", "paid_cents")
            paid += _is_of(each, facts, "RemittancePosted", told, here)["paid_cents"]
            counts["remittances"] += 1
        if paid != paper.get("paid_cents"):
            raise Wrong(f"{here}: the claim was paid another amount than its remittances say")
    words = ", ".join(f"{count:,} {name[: -1 if count == 1 else None]}" for name, count in counts.items() if count)
    return f"{words}, each as its entry says" if words else ""


def _is_of(paper: Any, facts: Mapping[int, Any], kind: str, names: Iterable[str], here: str) -> dict[str, Any]:
    """The fact of the entry that a paper names, if it is of that kind and says the same."""
    fact = facts.get(_field(paper, "version", int, here))
    if not isinstance(fact, dict) or fact.get("type") != kind:
        raise Wrong(f"{here}: version {paper['version']} is no {kind} of this bundle")
    for name in names:
        if fact.get(name) != paper.get(name):
            raise Wrong(f"{here}: {name} is not what version {paper['version']} says")
    return fact


def _moment(text: str, where: str) -> str:
    """An instant as text that sorts by time."""
    found = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,6}))?Z", text)
    if not found:
        raise Wrong(f"{where}: not an instant such as 2026-11-23T16:00:00Z")
    return f"{found[1]}.{(found[2] or '').ljust(6, '0')}"


# ---- 8. The command line ----

_STATED = "verdicts, claim comparison, report and terms: as {} states them; its program derives them anew"
_NOT_VOUCHED = (
    "PROVEN ARE THE ENTRIES ALONE: nobody signed the manifest, so verdicts, claim comparison, report, terms and the"
    " check itself may have been changed by anybody on the way. Ask the sender for a bundle with manifest.note"
)
_NOT_PROVEN = (
    "NOT PROVEN: all fits together, but the signature was NOT checked. Get the signer's key from the sender by another"
    " way than this bundle, and give it with --signer"
)


def main(args: list[str] | None = None) -> int:
    """Check a bundle and print what holds; returns the exit status."""
    parser = argparse.ArgumentParser(
        description="Checks a bundle of an episode ledger, or a proof that one checkpoint goes on from another. Ends"
        " with 0: proven; 1: refused; 2: not proven; 3: the entries are proven, and nobody vouches for the rest."
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="the zip, the folder it was unpacked to, or such a proof")
    parser.add_argument("--signer", metavar="VKEY", help="the signer's public key (name+mark+key), or a file with it")
    parser.add_argument(
        "--witness", metavar="VKEY", action="append", default=[], help="a witness whose cosignature must be there, too"
    )
    wanted = parser.parse_args(args)
    try:
        signer = None if wanted.signer is None else key_named(wanted.signer, SIGNER)
    except Wrong as wrong:
        return _end(f"--signer: {wrong}", 2)
    try:
        witnesses = [key_named(each, WITNESS) for each in wanted.witness]
    except Wrong as wrong:
        return _end(f"--witness: {wrong}", 2)
    try:
        place = Path(wanted.bundle)
        lines, members = _checks(place, signer, witnesses)
        for line in lines:
            _say(f"ok      {line}")
    except Wrong as wrong:
        return _end(f"REFUSED: {wrong}", 1)
    except (RecursionError, MemoryError):
        return _end("REFUSED: what is in it breaks whoever reads it", 1)
    except (OSError, ValueError) as error:
        return _end(f"the bundle cannot be read: {getattr(error, 'strerror', None) or 'no such place'}", 2)
    if members is not None:
        vouched = signer is not None and is_vouched_for(members)
        _say(f"stated  {_STATED.format('the signer' if vouched else 'the sender')}")
        if signer is not None and not vouched:
            return _end(_NOT_VOUCHED, 3)
    return _end(_NOT_PROVEN, 2) if signer is None else _end("PROVEN", 0)


def _checks(place: Path, signer: str | None, witnesses: list[str]) -> tuple[Iterator[str], Mapping[str, bytes] | None]:
    """The checks of what stands there, and the members if it is a bundle."""
    if place.is_file():
        with open(place, "rb") as file:
            if file.read(1) == b"{":
                return check_consistency(b"{" + file.read(1 << 20), signer, witnesses), None
    members = members_of(place)
    return check_bundle(members, signer, witnesses), members


def key_named(given: str, kind: int) -> str:
    """The key itself, or the one that a file of that name holds."""
    try:
        if Path(given).is_file():
            with open(given, "rb") as file:
                given = file.read(4096).decode()
    except (OSError, ValueError):
        pass
    vkey = given.strip()
    parse_vkey(vkey, kind)
    return vkey


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _end(line: str, status: int) -> int:
    _say(line)
    return status


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(main())
