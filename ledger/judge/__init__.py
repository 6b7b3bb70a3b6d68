"""What a day is: the numbered steps of the rulebook, what they read, and what follows from them."""

from typing import Final

EDITION: Final = 2
"""The edition of the rulebook by which it judges."""
