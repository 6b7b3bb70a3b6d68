"""The tests, in rooms that mirror the code; what they share is beside this file."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOLDENS = ROOT / "tests" / "golden"
