"""A signature is checked once for each key, text and signature: most changes leave all three as they were."""

from __future__ import annotations

from functools import cache

import pytest

from projections.bundle import verify_bundle

_once = cache(verify_bundle.ed25519_verify)
"""A function of its arguments alone, which takes most of a check, since it does without any library."""


@pytest.fixture(autouse=True)
def _signatures_are_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_bundle, "ed25519_verify", _once)
