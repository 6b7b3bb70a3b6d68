"""The key of the pseudonyms: a file for its owner alone, far from the ledger and from what is handed out."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from commands.outside import random_nonces
from commands.terminal.options import Setup
from commands.terminal.output import Output
from commands.terminal.show import say
from projections.export.deidentify import KEY_BYTES, Pseudonyms

_NONCES: Final = 2


def pseudonyms_of(key: Path | None, setup: Setup, out: Path) -> Pseudonyms:
    """The pseudonyms under the key of a file, drawn at random if there is none yet; UsageError if it cannot be used."""
    path = Path(click.get_app_dir("episode-ledger")) / "pseudonym.key" if key is None else key
    real = path.resolve()
    for folder, what in ((setup.beside.resolve().parent, "the ledger"), (out.resolve(), "the export")):
        if real.is_relative_to(folder):
            raise click.UsageError(f"the key must not lie in the folder of {what}; name another file with --key")
    return Pseudonyms(_read(path) if path.exists() else _draw(setup, path))


def _read(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise click.UsageError("the key can be read by others; take their rights to the file away (chmod 600)")
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise click.UsageError("the file of the key holds no key: 64 hexadecimal digits")
    return key


def _draw(setup: Setup, path: Path) -> bytes:
    text = "".join(random_nonces(_NONCES))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    Output(setup, path, key=True).write(f"{text}\n".encode("ascii"))
    say(f"A new key for pseudonyms was drawn: {path}. Keep it safe: another key gives other pseudonyms.")
    return bytes.fromhex(text)
