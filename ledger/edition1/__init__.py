"""The judge of edition 1 of the rulebook, as it judged: for months that were closed by it, and for nothing else.

It is kept so that such a month comes out byte for byte, and is never changed. It reads entries and book as they are
read today; what edition 2 added to them did not exist when these months were closed.
"""
