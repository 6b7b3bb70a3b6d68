"""The child's side: one task, its arguments as JSON on stdin, its answer as JSON on stdout.

Nothing heavy is imported up here: a process that a rebuild starts imports this module again.
"""

from __future__ import annotations

import json
import resource
import sys
from importlib import import_module


def main() -> None:
    module, function = sys.argv[1].split(":")
    rows, told = getattr(import_module(f"benchmark.{module}"), function)(**json.load(sys.stdin))
    unit = 2**20 if sys.platform == "darwin" else 2**10
    own_peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    json.dump({"rows": rows, "told": told, "own_peak_mb": own_peak_mb}, sys.stdout)


if __name__ == "__main__":
    main()
