"""One world on the command line: the same seed, the same story."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.deterministic.ground import Ground, InAFile, InMemory
from tests.deterministic.model import Contradiction
from tests.deterministic.world import World


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.deterministic", description=__doc__)
    asked.add_argument("--seed", type=int, default=time.time_ns() % 2**32, help="default: another one each time")
    asked.add_argument("--steps", type=int, default=10_000)
    asked.add_argument("--file", action="store_true", help="on a real SQLite file instead of in memory")
    given = asked.parse_args()
    print(f"seed {given.seed}, {given.steps} steps", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        ground: Ground = InAFile(Path(folder) / "ledger.db") if given.file else InMemory()
        world = World(ground, given.seed)
        try:
            world.run(given.steps)
        except Contradiction as found:
            print(found, file=sys.stderr)
            return 1
        finally:
            world.close()
    told = dict(sorted((world.counts + world.troubles.tally).items()))
    print(f"{world.model.last} entries, seal {world.model.seal.hex()}")
    print(", ".join(f"{name} {count}" for name, count in told.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
