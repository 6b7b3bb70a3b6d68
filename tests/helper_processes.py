"""The processes that a rebuild or a judgement starts to help it, forked from one that has loaded what they need.

Each is as fresh as one that is started anew; to load everything takes longer than most of their work. What tests start
as programs of their own starts its helpers as ever.
"""

from __future__ import annotations

import multiprocessing
import sys
from multiprocessing.context import BaseContext
from multiprocessing.util import get_temp_dir
from typing import Final

from tests import at_once

LOADED: Final = ["projections.rebuild.build", "projections.distributed.local", "projections.distributed.bucket"]


def forked_from_one() -> None:
    """From now on in this process, for whoever asks for processes that are spawned."""
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload([*LOADED, *at_once.LOADED])
    get_temp_dir()  # its socket's folder: now, or it lies where the test that happens to be first has its own TMPDIR
    spawned_by(forking)


def spawned_by(context: BaseContext) -> None:
    """From now on another way serves whoever asks for processes that are spawned."""
    ask = multiprocessing.get_context

    def asked(method: str | None = None) -> BaseContext:
        return context if method == "spawn" else ask(method)

    multiprocessing.get_context = asked  # type: ignore[assignment]
    for name in LOADED:  # who has asked for it by name already
        if hasattr(module := sys.modules.get(name), "get_context"):
            module.get_context = asked  # type: ignore[union-attr]
