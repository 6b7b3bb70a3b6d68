"""Section 2, *Stays* and *Holds*: beginnings and ends of one number, read in turn."""

from __future__ import annotations

from typing import Any

from .entries import Entry

Told = tuple[str, Any, Entry]
"""A number, when it was (an instant or a date), and the entry that says so."""
Group = tuple[list[Entry], list[Entry]]
"""One or more beginnings, and the ends that follow them; none means open."""


def alternating(beginnings: list[Told], ends: list[Told]) -> tuple[list[Group], list[Entry]]:
    """The groups of every number, and the ends that come before every beginning of theirs."""
    groups: list[Group] = []
    unmatched: list[Entry] = []
    for number in sorted({told[0] for told in beginnings + ends}):
        of_number: list[Group] = []
        for when in sorted({told[1] for told in beginnings + ends if told[0] == number}):
            begin = [told[2] for told in beginnings if told[:2] == (number, when)]
            end = [told[2] for told in ends if told[:2] == (number, when)]
            runs = bool(of_number) and not of_number[-1][1]
            for is_end, entries in ((True, end), (False, begin)) if runs else ((False, begin), (True, end)):
                for entry in entries:
                    place(of_number, unmatched, is_end, entry)
        groups += of_number
    return groups, unmatched


def place(groups: list[Group], unmatched: list[Entry], is_end: bool, entry: Entry) -> None:
    """Put the next entry of a number where it belongs."""
    if is_end:
        (groups[-1][1] if groups else unmatched).append(entry)
    elif groups and not groups[-1][1]:
        groups[-1][0].append(entry)
    else:
        groups.append(([entry], []))
