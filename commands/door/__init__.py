"""How lines come in: read, checked for form, and refused with a plain message."""
