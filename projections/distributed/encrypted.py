"""What judging an encrypted archive needs of its ledger: who was forgotten by now, and the keys, wrapped as they are.

The archive itself holds neither, so that forgetting reaches it, and every copy of it, without touching a file.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ledger.facts.administration import HOUSE
from ledger.facts.stored import StoredRow
from ledger.keys.cipher import WrappedKey
from projections.archive.folder import Folder
from projections.archive.grow import Source, refuse_other
from projections.archive.manifest import archive_in
from projections.archive.reading import pairs_in
from projections.archive.trouble import WrongArchive
from projections.distributed.run import FromLedger, ResultManifest, named_again


def from_ledger_for(folder: Folder, source: Source, key_file: str) -> FromLedger:
    """The acts of the ledger as they stand, and the keys of each bucket's episodes."""
    found = archive_in(folder)
    if found is None:
        raise WrongArchive(f"there is no archive in {folder.uri}")
    refuse_other(found.manifest, source.ledger)
    acts = source.stored.rows_of([HOUSE])
    named = [episode for act in acts for episode in _episodes_in(act)]
    keys = [
        source.stored.keys_of([*{episode for episode, _ in pairs_in(folder, found.manifest, bucket)}, *named])
        for bucket in range(found.manifest.buckets)
    ]
    return FromLedger(key_file, tuple(acts), [_once(each) for each in keys])


def _episodes_in(act: StoredRow) -> list[str]:
    """The episodes under whose keys names in an act are hidden."""
    try:
        told: dict[str, Any] = msgspec.json.decode(act[4])
    except (msgspec.MsgspecError, UnicodeError):
        return []
    hidden = [each for value in told.values() if isinstance(value, list) for each in value]
    return [each["episode"] for each in hidden if isinstance(each, dict) and isinstance(each.get("episode"), str)]


def _once(keys: list[WrappedKey]) -> list[WrappedKey]:
    return list({key.episode: key for key in keys}.values())


def named_by(source: Source, manifest: ResultManifest) -> ResultManifest:
    """The same with the names of the patients who were set aside, where workers knew marks alone."""
    if not manifest.set_aside:
        return manifest
    names = {patient for _, patient, _, _ in source.ledger.extents(manifest.position)}
    return named_again(manifest, {source.mark(name): name for name in names})
