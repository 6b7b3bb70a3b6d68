"""The zip of a bundle: the same members always as the same bytes, on every machine."""

from __future__ import annotations

import hashlib
import io
import stat
import zipfile
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

MANIFEST: Final = "manifest.json"
SCHEMA: Final = "episode-ledger-bundle/1"
_FIRST_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
_ON_UNIX: Final = 3


class Bundled(msgspec.Struct, frozen=True):
    """An episode of a bundle; its members bear its number, because its name could be any text."""

    number: int
    episode: str
    first_version: int
    last_version: int


class Member(msgspec.Struct, frozen=True):
    """A member of the zip, so that a change of it shows."""

    name: str
    size: int
    sha256: str


class BundleManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle holds and what it was made from; ``position`` is the last entry that anything in it rests on."""

    schema: str = SCHEMA
    ledger: str
    position: int
    known_at: str | None
    book: str
    code: str
    episodes: tuple[Bundled, ...]
    members: tuple[Member, ...] = ()


Vouch = Callable[[str], bytes]
"""Signs a text: the text and the signature below it, as a note."""


def with_manifest(
    members: Mapping[str, bytes], manifest: BundleManifest, vouch: Vouch | None = None
) -> dict[str, bytes]:
    """The members and their manifest, by name; and a note in which somebody vouches for it, if anybody does."""
    listed = tuple(
        Member(name, len(content), hashlib.sha256(content).hexdigest()) for name, content in sorted(members.items())
    )
    written = msgspec.json.encode(msgspec.structs.replace(manifest, members=listed))
    text = msgspec.json.format(written, indent=1) + b"\n"
    digest = hashlib.sha256(text).hexdigest()
    own = {MANIFEST: text, "manifest.sha256": f"{digest}  {MANIFEST}\n".encode()}
    if vouch is not None:
        own["manifest.note"] = vouch(f"{SCHEMA} manifest\n{manifest.ledger}\n{digest}\n")
    return dict(sorted({**members, **own}.items()))


def zip_of(members: Mapping[str, bytes]) -> bytes:
    """The zip: stored and not compressed, in the order of names, without times, for its owner alone."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(members.items()):
            info = zipfile.ZipInfo(name, _FIRST_MOMENT)
            info.create_system = _ON_UNIX
            info.external_attr = (stat.S_IFREG | 0o600) << 16
            archive.writestr(info, content)
    return written.getvalue()
