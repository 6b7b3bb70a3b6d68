"""What the templates of pages compile to, once a run: each site of a test has an environment of its own.

A function of the template's text, which a changed one does not share. To compile them again took a quarter to a third
of the time of the site's tests. A process that a test starts compiles them itself.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from types import CodeType

from jinja2 import Environment, FileSystemBytecodeCache
from jinja2.bccache import Bucket

from projections import rendering
from tests.kept import FOLDER


class _Compiled(FileSystemBytecodeCache):
    """In this process, and behind that in the folder of the run."""

    def __init__(self) -> None:
        super().__init__(os.environ[FOLDER])
        self._here: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._here.get((bucket.key, bucket.checksum))
        if bucket.code is None:
            super().load_bytecode(bucket)
            self._keep(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        Path(self.directory).mkdir(exist_ok=True)
        super().dump_bytecode(bucket)
        self._keep(bucket)

    def _keep(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._here[bucket.key, bucket.checksum] = bucket.code


def once_a_run() -> None:
    """From now on, in this process and its copies."""
    rendering.Environment = partial(Environment, bytecode_cache=_Compiled())  # type: ignore[assignment,misc]
