"""What every fact and act is, before it says anything: so that they can be declared in more than one module."""

from __future__ import annotations

from msgspec import Struct


class Stated(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", gc=False):
    """Anything the ledger can be told; ``type`` is the name of the struct."""
