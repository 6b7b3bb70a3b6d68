"""The users of the site, in a file of its own beside the read model: never in the chain, which nothing leaves again.

The file is for its owner alone and is replaced as a whole. It is read again whenever it was changed, so that what is
said of a user on the command line holds for the site under way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from commands.outside import utc_now
from commands.people.roles import Role
from ledger.facts.texts import LONGEST_TEXT, fault_of
from ledger.files import locked, write_whole

MOST_USERS: Final = 1_000


class User(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who may sign in. ``changed_at`` is when anything of it was last changed: a session from before ends.

    ``subject`` is who they are at the provider, if they sign in there, without a password: empty until they first do.
    """

    name: str
    role: Role
    password: str
    must_change: bool
    added_at: str
    added_by: str
    changed_at: str
    disabled_at: str | UnsetType = UNSET
    subject: str | UnsetType = UNSET

    @property
    def is_disabled(self) -> bool:
        """Whether they may not sign in any more."""
        return self.disabled_at is not UNSET

    @property
    def is_at_provider(self) -> bool:
        """Whether they sign in at the provider, and not by a password."""
        return self.subject is not UNSET


class UsersTrouble(Exception):
    """The users cannot be read, or what was asked of one cannot be done; the message says why."""


class NotThisUser(Exception):
    """Somebody for whom the provider vouches is no user of this site; the message says why."""


_State = tuple[int, int, int]
_decode: Final = msgspec.json.Decoder(list[User]).decode


class Users:
    """The file of users; each call reads it if it was changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[_State, Mapping[str, User]] | None = None

    def all(self) -> Mapping[str, User]:
        """Every user by name, in the order they were added; UsersTrouble if they cannot be read."""
        try:
            if self.path.is_symlink():
                raise UsersTrouble(f"{self.path} is a link: nobody signs in by what it leads to")
            found = self.path.stat()
            state = found.st_ino, found.st_mtime_ns, found.st_size
            if self._read is None or self._read[0] != state:
                self._read = state, {user.name: user for user in _decode(self.path.read_bytes())}
            return self._read[1]
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError, UnicodeError) as error:
            raise UsersTrouble(f"the users in {self.path} cannot be read") from error

    def named(self, name: str) -> User | None:
        """The user of that name, None if there is none."""
        return self.all().get(name)

    def may_sign_in(self) -> bool:
        """Whether there is anybody who may."""
        return any(not user.is_disabled for user in self.all().values())

    def add(self, name: str, role: Role, password: str, by: str) -> None:
        """Add a user whose password is to be changed at its first use; UsersTrouble if the name is taken or is none."""
        fault = fault_of(name, "text") if 0 < len(name) <= LONGEST_TEXT else f"text of 1 to {LONGEST_TEXT} characters"
        if fault:
            raise UsersTrouble(f"the name of a user: expected {fault}")

        def added(users: dict[str, User]) -> None:
            if any(known.casefold() == name.casefold() for known in users):
                raise UsersTrouble("there is a user of that name already; 'users reset' gives a new first password")
            _refuse_more(users)
            now = _now()
            users[name] = User(name, role, password, must_change=True, added_at=now, added_by=by, changed_at=now)

        self._change(added)

    def vouched_for(self, name: str, role: Role, subject: str) -> User:
        """The user for whom the provider vouches, added at their first time and with the role that it gives them now;
        NotThisUser if that name is somebody else's, or may not sign in."""

        def met(users: dict[str, User]) -> None:
            same = [user for user in users.values() if user.name.casefold() == name.casefold()]
            known = next(iter(same), None)
            if any(user.subject == subject and user is not known for user in users.values()):
                raise NotThisUser("At the provider you have another name now than when you first signed in here")
            if known is None:
                now = _now()
                _refuse_more(users)
                users[name] = User(name, role, "", False, now, "the provider", now, subject=subject)
                return
            if known.is_disabled:
                raise NotThisUser("You may not sign in to this site any more")
            if known.name != name or not known.is_at_provider or known.subject not in ("", subject):
                raise NotThisUser("Somebody else signs in to this site by your name")
            if (known.role, known.subject) != (role, subject):
                users[name] = replace(known, role=role, subject=subject, changed_at=_now())

        self._change(met)
        return self.all()[name]

    def change(self, name: str, **to: Any) -> None:
        """Change something of a user; UsersTrouble if there is none of that name."""

        def changed(users: dict[str, User]) -> None:
            if name not in users:
                raise UsersTrouble("there is no user of that name; 'users list' shows them")
            users[name] = replace(users[name], changed_at=_now(), **to)

        self._change(changed)

    def _change(self, change: Callable[[dict[str, User]], None]) -> None:
        with locked(self.path.parent):
            users = dict(self.all())
            change(users)
            if users == self.all():
                return
            text = msgspec.json.format(msgspec.json.encode(list(users.values())), indent=1)
            write_whole(self.path, text + b"\n")


def _refuse_more(users: Mapping[str, User]) -> None:
    if len(users) >= MOST_USERS:
        raise UsersTrouble(f"there are {MOST_USERS:,} users already")


def users_file(views: Path) -> Path:
    """Where a ledger's users are: ``ledger.users.json`` beside the read model ``ledger.views.db``."""
    return views.with_name(views.name.removesuffix(".db").removesuffix(".views") + ".users.json")


def _now() -> str:
    return utc_now().isoformat()
