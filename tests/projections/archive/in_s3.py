"""Archives and results in a store that speaks S3: moto's server, asked over the network by s3fs, as a user's would be.

``scripts/s3`` runs this in an environment of its own, for botocore holds an older version of a library than our tests;
``test_object_stores.py`` has it run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
import s3fs
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from projections.archive.commits import commit, manifest_path
from projections.archive.compact import compact
from projections.archive.folder import RemoteFolder, folder_at
from projections.archive.manifest import archive_in
from projections.distributed.local import local_engine
from projections.distributed.run import result_in
from projections.read_model.trouble import NotNow
from tests.archives import Archived
from tests.harness import book_of
from tests.histories import history


class Asked(NamedTuple):
    """A request that the store got."""

    method: str
    key: str
    copies: bool


class Store:
    """The store, and what it was asked."""

    def __init__(self, bucket: str) -> None:
        self.bucket = bucket
        self.asked: list[Asked] = []
        self._serve = DomainDispatcherApplication(create_backend_app)
        self.server = make_server("127.0.0.1", 0, self._noting, threaded=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _noting(self, environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        key, copies = environ["PATH_INFO"].removeprefix(f"/{self.bucket}/"), "HTTP_X_AMZ_COPY_SOURCE" in environ
        self.asked.append(Asked(environ["REQUEST_METHOD"], key, copies))
        return self._serve(environ, start)

    def written(self) -> list[str]:
        """The names that were given, in order."""
        return [each.key for each in self.asked if each.method in ("PUT", "POST")]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Store]:
    made = Store(sha256(request.node.name.encode()).hexdigest()[:20])
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{made.server.port}", "AWS_ACCESS_KEY_ID": "house",
        "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem().mkdir(made.bucket)
    made.asked.clear()
    yield made
    made.server.shutdown()


@pytest.fixture
def archived(store: Store, tmp_path: Path) -> Archived:
    """A ledger half of which is archived in the store."""
    entries, tables = history(Random(8), house=True)
    house = Archived(tmp_path, book_of(tables))
    house.archive, house.out = f"s3://{store.bucket}/ledger", f"s3://{store.bucket}/judged"
    half = len(entries) // 2
    house.tell(entries[:half])
    house.grow(3)
    house.tell(entries[half:])
    return house


def test_it_is_grown_checked_judged_and_compacted_there_as_in_a_folder(archived: Archived) -> None:
    archived.grow()
    assert archived.check().differing == []
    assert archived.judged() == archived.built()
    assert list(archived.judge(engine=local_engine(2)).manifest.fingerprints.values()) == archived.built()[0]
    compact(folder_at(archived.archive))
    assert archived.check().differing == []
    assert archived.judged() == archived.built()
    named = {file.path for file in result_in(archived.out).manifest.files}
    assert {path for path in folder_at(archived.out).paths() if not path.startswith("manifests/")} == named


def test_nothing_is_renamed_and_the_manifest_is_written_last(archived: Archived, store: Store) -> None:
    store.asked.clear()
    archived.grow()
    assert store.written()[-1] == f"ledger/{manifest_path(2)}"
    store.asked.clear()
    archived.judge()
    assert store.written()[-1] == f"judged/{manifest_path(1)}"
    assert len(store.written()) == len(set(store.written())) > 1  # no name is given twice
    assert not [each for each in store.asked if each.copies]


def test_what_buckets_are_in_lies_under_prefixes_drawn_at_random(archived: Archived) -> None:
    archived.grow()
    found = archive_in(folder_at(archived.archive))
    assert found
    firsts = [file.path.partition("/")[0] for file in found.manifest.files]
    assert all(len(first) == 2 for first in firsts)
    assert len(set(firsts)) > 1


def test_of_two_writers_who_begin_at_once_the_second_is_refused(
    archived: Archived, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = archived.grow()
    folder = folder_at(archived.archive)
    assert isinstance(folder, RemoteFolder)
    with pytest.raises(NotNow):
        commit(folder, 2, made, ())
    monkeypatch.setattr(folder._files, "exists", lambda path: False)  # it looked before the other one wrote
    with pytest.raises(NotNow):
        commit(folder, 2, made, ())


def test_what_another_process_wrote_is_seen(archived: Archived, store: Store) -> None:
    folder = folder_at(archived.archive)
    before = folder.paths()
    elsewhere = s3fs.S3FileSystem(skip_instance_cache=True)
    elsewhere.pipe_file(f"{store.bucket}/ledger/ab/00000009-other", b"more")
    assert folder_at(archived.archive).paths() == sorted([*before, "ab/00000009-other"])
    folder.remove("ab/00000009-other")
    assert folder.paths() == before
