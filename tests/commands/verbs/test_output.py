"""What commands write: nothing that is there is written over unasked, and what a ledger lives by never is."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import click
import pytest

from commands.cli import cli
from commands.terminal.output import LedgerOutput, OutputPath, OutputUri
from tests import kept
from tests.command_line import INTAKE, SERVED, Ended, House, assert_plain, lines_of, run, told
from tests.encrypted_house import Locked

KEY = "signing.key"

WRITING: dict[str, tuple[str, ...]] = {
    "page": ("EP-1", "--out"),
    "report": ("--out",),
    "checkpoint": ("--out",),
    "bundle": ("EP-1", "--out"),
    "backup": ("--out",),
    "restore": ("{folder}/kept.backup", "--out"),
    "export": ("days", "--format", "csv", "--out"),
    "master-key": (),
    "record": ("{folder}/../more.jsonl", "--effect-to"),
    "book new": (),
    "import": (),
    "archive": ("--in-the-open", "--out"),
    "judge": ("--archive", "{folder}/../archive", "--out"),
    "claims write": ("--out",),
    "claims again": ("EP-1-1", "--out"),
}
"""Each verb that writes to a path that somebody names, up to that path."""
INTO_A_FOLDER = {"export", "book new", "import", "archive", "judge", "claims write"}
OF_CLAIMS = {"claims again"}
"""Writes only where claims were written: what it makes, and that it is not made twice, is in ``test_claims_out.py``."""

READING = {
    ("checkpoint", "key"), ("verify", "key"), ("bundle", "key"), ("doctor", "key"),  # checkpoint --init-key: see below
    ("export", "key"),  # likewise
    ("restore", "file"), ("book check", "folder"), ("book diff", "folder_a"), ("book diff", "folder_b"),
    ("judge", "against"), ("access", "files"),
}  # fmt: skip
"""Parameters that are paths of files to be read, without ``exists=True``."""


def unguarded(verbs: Iterable[click.Command]) -> Iterator[str]:
    """Parameters by which a command might write where it should not."""
    for verb in verbs:
        for each in verb.params:
            names = {each.name, *(option.lstrip("-") for option in each.opts)}
            if isinstance(each.type, OutputPath | OutputUri | LedgerOutput) or (verb.name, each.name) in READING:
                continue
            if isinstance(each.type, click.Path) and each.type.exists:
                continue
            if isinstance(each.type, click.File) and each.type.mode in ("r", "rb"):
                continue
            said = f"{each.metavar or ''} {getattr(each, 'help', None) or ''}"
            is_path = isinstance(each.type, click.Path | click.File) or "FILE" in (each.metavar or "")
            if is_path or "out" in names or "write it" in said or "Where to write" in said:
                yield f"{verb.name} {each.opts[0]}"


def verbs() -> list[click.Command]:
    context = click.Context(cli)
    found = [cli.get_command(context, name) for name in cli.list_commands(context)]
    return [each for verb in found if verb is not None for each in subverbs(verb)]


def subverbs(verb: click.Command) -> list[click.Command]:
    if not isinstance(verb, click.Group):
        return [verb]
    for name, each in verb.commands.items():
        each.name = f"{verb.name} {name}"
    return list(verb.commands.values())


def test_every_path_that_a_command_is_told_to_write_goes_through_the_one_guard() -> None:
    assert list(unguarded(verbs())) == ["bundle --signer", "verify --signer", "verify --witness"]  # a key, or a file


def test_a_new_verb_with_a_path_of_its_own_to_write_to_is_found() -> None:
    @click.command()
    @click.option("--out")
    @click.option("--target", type=click.Path(path_type=Path))
    @click.option("--log", type=click.File("wb"))
    @click.option("--copy-to", metavar="FILE")
    @click.option("--known", type=click.Path(exists=True))
    @click.argument("given", type=click.File("rb"))
    def sly() -> None:
        raise AssertionError

    assert list(unguarded([sly])) == ["sly --out", "sly --target", "sly --log", "sly --copy-to"]


def test_the_verbs_tried_below_are_those_that_write() -> None:
    found = {
        verb.name
        for verb in verbs()
        for each in verb.params
        if isinstance(each.type, OutputPath | OutputUri | LedgerOutput)
    }
    assert found == WRITING.keys()


class Lived(Locked):
    """An encrypted ledger with all that a ledger may have beside it, its log open, its keys in another folder."""

    def __init__(self, folder: Path) -> None:
        kept.copied(folder, "lived by", _live)
        self._settle(folder / "house", "book")
        self.key = folder / "keys" / "ledger.key"
        self.signing = self.key.with_name(KEY)
        self.open_log = sqlite3.connect(self.ledger)
        self.open_log.execute("SELECT count(*) FROM entries").fetchone()

    def write(self, verb: str, out: object, *options: str) -> Ended:
        """One command that is to write to a path."""
        before = [each.replace("{folder}", str(self.folder)) for each in WRITING[verb]]
        named = ["--key", self.signing] if verb in ("checkpoint", "bundle") else []
        return self.run(*verb.split(), *before, out, *named, *options)


def _live(folder: Path) -> None:
    house = Locked(folder)
    for command in (
        ("record", INTAKE), ("days",), ("rebuild",), ("checkpoint", "--init-key", "--key", house.key.with_name(KEY)),
        ("page", "EP-1", "--out", folder / "given.html"), ("backup", "--out", house.folder / "kept.backup"),
    ):  # fmt: skip
        assert house.run(*command).status == 0, command
    (folder / "more.jsonl").write_bytes(lines_of([told("more", SERVED | {"date": "2026-02-21"})]))
    (house.folder / "ledger.access.jsonl").write_text("{}\n")


@pytest.fixture
def lived(tmp_path: Path) -> Iterator[Lived]:
    house = Lived(tmp_path)
    with closing(house.open_log):
        yield house


def snapshot(folder: Path) -> dict[str, str]:
    """Every name under a folder, with what it is and holds; what is passing or only ever added to is left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.endswith((".given.jsonl", ".given.lock", "-shm", "-wal")) or path.is_dir():
            found[name] = str(path.lstat().st_ino)
        else:
            found[name] = os.readlink(path) if path.is_symlink() else _hash(path) if path.is_file() else ""
    return found


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def forced(verb: str) -> list[list[str]]:
    """Without ``--force``, and with it where there is one."""
    (command,) = (each for each in verbs() if each.name == verb)
    return [[], ["--force"]] if any(each.name == "force" for each in command.params) else [[]]


def treasures(house: Lived) -> Iterator[Path]:
    """Every path at which a file would do harm, by every name it can be called."""
    beside = house.folder
    yield from (path for path in beside.iterdir() if path != house.book)
    yield from (beside / "ledger.views.certificates").iterdir()
    yield from (beside / name for name in ("ledger.db-wal", "ledger.db-shm", "ledger.db-journal"))
    yield from (beside / name for name in ("ledger.views.7.db", "ledger.views.7.db-wal", "ledger.views.building-x"))
    yield beside / "ledger.views.certificates" / "new.json"
    yield from (house.key, house.signing, house.signing.with_name(KEY + ".pub"), house.book / "codes.toml")
    yield from (house.book / "payers").iterdir()
    yield beside / "book" / ".." / "ledger.db"
    linked = beside.parent / "linked"
    linked.symlink_to(beside)
    yield linked / "ledger.db"
    yield linked / "ledger.views.given.jsonl"
    other = beside.parent / "other.html"
    other.hardlink_to(house.ledger)
    yield other
    given = beside.parent / "given.link"
    given.hardlink_to(beside / "ledger.views.given.jsonl")
    yield given
    link = beside.parent / "link.html"
    link.symlink_to(beside.parent / "nowhere.html")
    yield link
    yield Path("/dev/null")
    pipe = beside.parent / "pipe"
    os.mkfifo(pipe)
    yield pipe


@pytest.mark.parametrize("verb", sorted(WRITING.keys() - INTO_A_FOLDER))
def test_no_command_writes_over_what_a_ledger_lives_by_not_even_by_force(lived: Lived, verb: str) -> None:
    paths = list(treasures(lived))
    assert len(paths) > 30
    before = snapshot(lived.folder.parent)
    for path in paths:
        for more in forced(verb):
            ended = lived.write(verb, path, *more)
            assert_plain(ended, 2)
            assert snapshot(lived.folder.parent) == before, (verb, path, more)


@pytest.mark.parametrize("verb", sorted(WRITING.keys() - INTO_A_FOLDER - OF_CLAIMS))
def test_a_command_writes_a_file_that_was_not_there_and_over_one_only_by_force(lived: Lived, verb: str) -> None:
    out = lived.folder.parent / "new folder" / "out"
    out.parent.mkdir()
    assert lived.write(verb, out).status == 0
    assert out.stat().st_size
    out.unlink()
    out.write_bytes(b"somebody's")
    assert_plain(lived.write(verb, out), 2)
    assert out.read_bytes() == b"somebody's"
    if ["--force"] in forced(verb):
        assert lived.write(verb, out, "--force").status == 0
        assert out.read_bytes() != b"somebody's"


@pytest.mark.parametrize("verb", ["archive", "judge", "claims write"])
def test_no_folder_of_files_is_begun_among_what_a_ledger_lives_by(lived: Lived, tmp_path: Path, verb: str) -> None:
    linked = tmp_path / "certificates"
    linked.symlink_to(lived.folder / "ledger.views.certificates")
    for out in (lived.folder / "ledger.views.certificates", linked, lived.ledger):
        before = snapshot(tmp_path)
        assert_plain(lived.write(verb, out), 2, "never written over")
        assert snapshot(tmp_path) == before


URIS = ("file://{}", "local://{}", "file:///nowhere/..{}", "local://{}/", "file://{}/")
CHAINS = (
    "simplecache::file://{}", "simplecache::local://{}", "filecache::file://{}", "blockcache::file://{}",
    "dir::file://{}", "dir://x::file://{}", "simplecache::dir::file://{}", "zip://x::file://{}", "memory://x::{}",
    "generic://file://{}", "generic::file://{}",
)  # fmt: skip
"""Spellings of a path of this machine; ``{}`` is the path. No folder needs the chains."""


def uri_options() -> list[tuple[str, str]]:
    """Every option of every verb that takes the URI of what is to be written."""
    return [
        (verb.name or "", each.opts[0]) for verb in verbs() for each in verb.params if isinstance(each.type, OutputUri)
    ]


def test_the_options_that_take_a_uri_are_these() -> None:
    assert uri_options() == [("archive", "--out"), ("judge", "--out"), ("judge", "--out-b")]


@pytest.mark.parametrize(("verb", "option"), uri_options())
def test_no_spelling_of_a_path_reaches_what_a_ledger_lives_by(
    lived: Lived, tmp_path: Path, verb: str, option: str
) -> None:
    pytest.importorskip("fsspec")
    linked = tmp_path / "certificates"
    linked.symlink_to(lived.folder / "ledger.views.certificates")
    before = snapshot(tmp_path)
    first = () if option == "--out" else ("--archive", "nowhere", "--out", tmp_path / "elsewhere")
    for place in (lived.folder / "ledger.views.certificates", linked, lived.ledger):
        for uri in URIS + CHAINS:
            named = uri.format(place)
            ended = lived.write(verb, named) if option == "--out" else lived.run(verb, *first, option, named)
            assert_plain(ended, 2, "never written over" if uri in URIS else "chain")
            assert snapshot(tmp_path) == before, named


def test_a_chain_that_only_stores_elsewhere_is_taken_and_a_spelling_of_another_folder(
    lived: Lived, tmp_path: Path
) -> None:
    pytest.importorskip("fsspec")
    pytest.importorskip("pyarrow")
    for out in (f"local://{tmp_path}/one", "memory://two", "simplecache::memory://three"):
        ended = lived.write("archive", out)
        assert ended.status == 0, (out, ended)
    assert any((tmp_path / "one").iterdir())


@pytest.mark.parametrize(
    "verb", sorted(WRITING.keys() - {"archive", "judge", "restore", "backup", "import", "book new"})
)
def test_a_command_that_writes_to_a_path_takes_no_uri_for_one(lived: Lived, tmp_path: Path, verb: str) -> None:
    """It would be a folder of that name here, where nobody looks for it."""
    before = snapshot(tmp_path)
    for uri in ("file://{}/x", "local://{}/x", "simplecache::file://{}/x", "s3://bucket/x"):
        assert_plain(lived.write(verb, uri.format(tmp_path)), 2, "URI")
    assert snapshot(tmp_path) == before


def test_an_export_is_not_made_among_what_a_ledger_lives_by_nor_around_it(lived: Lived, tmp_path: Path) -> None:
    linked = tmp_path / "certificates"
    linked.symlink_to(lived.folder / "ledger.views.certificates")
    for out in (lived.folder / "ledger.views.certificates", linked, lived.ledger):
        before = snapshot(tmp_path)
        assert_plain(lived.write("export", out), 2)
        assert snapshot(tmp_path) == before
    inside = tmp_path / "out" / ".days.3"
    inside.mkdir(parents=True)
    around = House(inside)
    around.run("record", INTAKE)
    for _ in range(3):
        assert_plain(around.run("export", "days", "--format", "csv", "--out", tmp_path / "out"), 2, "inside the export")
    assert around.run("days").status == 0


def test_a_key_is_not_made_where_the_read_model_is(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    house, apart = House(tmp_path / "house"), tmp_path / "apart"
    apart.mkdir()
    house.run("record", INTAKE)
    views = ["--ledger", str(house.ledger), "--views", str(apart)]
    for place in ("ledger.views.given.jsonl", "ledger.access.jsonl", "ledger.views.db"):
        for command in (
            ["master-key", apart / place],
            ["checkpoint", "--init-key", "--key", apart / place],
            ["export", "days", "--format", "csv", "--deidentified", "--out", tmp_path / "de", "--key", apart / place],
        ):
            assert_plain(run(*views, *command), 2, "never written over")
            assert not (apart / place).exists()


def test_a_checkpoint_that_is_read_is_not_written_over_by_its_own_bundle(lived: Lived) -> None:
    kept = lived.folder.parent / "kept.checkpoint"
    assert lived.write("checkpoint", kept).status == 0
    note = kept.read_bytes()
    ended = lived.write("bundle", kept, "--force", "--checkpoint", str(kept))
    assert_plain(ended, 2, "read by this command")
    assert kept.read_bytes() == note


@pytest.mark.parametrize("name", ["ledger.views.db", "ledger.views.3.db", "x.views.12.db"])
def test_no_ledger_is_made_under_the_name_of_a_read_model_which_a_rebuild_would_remove(
    tmp_path: Path, name: str
) -> None:
    house = House(tmp_path)
    house.run("record", INTAKE)
    house.run("backup", "--out", tmp_path / "kept.backup")
    assert_plain(run("--ledger", str(tmp_path / name), "record", INTAKE), 2, "read model")
    assert_plain(run("restore", tmp_path / "kept.backup", "--out", tmp_path / name), 2)
    assert not (tmp_path / name).exists()
