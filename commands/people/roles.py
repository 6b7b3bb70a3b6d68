"""What somebody may be on the site; ``commands/web/guard/rights.py`` says which address asks for which role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

Role = Literal["viewer", "biller", "auditor", "operator"]

ROLES: Final[tuple[Role, ...]] = get_args(Role)

DOES: Final[Mapping[Role, str]] = {
    "viewer": "looks at every page",
    "biller": "looks, records, corrects, retracts, resolves and imports",
    "auditor": "looks, and reads the site's figures; changes nothing",
    "operator": "does all of that, voids episodes, merges and parts patients, and closes months",
}
"""What each role does, in a sentence."""
