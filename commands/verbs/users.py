"""``users``: who may sign in to the site, and as what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
import msgspec
from msgspec import UNSET

from commands.people.roles import DOES, ROLES, Role
from commands.terminal.options import Setup, format_option
from commands.terminal.show import say, show_rows
from commands.terminal.who import named
from projections.words import sentence

if TYPE_CHECKING:
    from commands.people.users import Users


class UserRow(msgspec.Struct, frozen=True):
    """A user of the site as ``users list`` shows them; nothing of their password but whether it is to be changed."""

    name: str
    role: str
    state: str
    added_at: str
    added_by: str
    changed_at: str


@click.group()
def users() -> None:
    """Say who may sign in to the site of 'serve', and as what.

    Roles: viewer looks at every page; biller records, corrects, retracts, resolves and imports besides; auditor looks
    and reads the site's figures; operator does all of that, voids episodes, merges patients and closes months.

    Users are in a file beside the read model (ledger.users.json), for its owner alone; passwords in it are hashed
    (Argon2id). The site reads it again when it is changed, and a change of a user ends their sessions. 'backup' does
    not hold it: copy it.

    \b
    Examples:
      episode-ledger users add mgarcia --role biller
      episode-ledger users list
      episode-ledger users disable mgarcia
    """


_role = click.Choice(ROLES)


@users.command()
@click.argument("name")
@click.option("--role", type=_role, required=True, help="; ".join(f"{role} {does}" for role, does in DOES.items()))
@click.option("--by", metavar="NAME", help="Who adds them. Default: the name you are logged in by.")
@click.pass_obj
def add(setup: Setup, /, name: str, role: Role, by: str | None) -> None:
    """Add user NAME, and print the password to sign in with once; the site asks for another at once.

    \b
    Examples:
      episode-ledger users add mgarcia --role biller
    """
    from commands.people.passwords import first_password, hashed

    first, who = first_password(), named(by, "adds them")
    with _changing(setup) as users:
        users.add(name, role, hashed(first), who)
    click.echo(first)
    say("That is the first password: it is shown once, and changed when it is first used.")


@users.command("list")
@format_option
@click.pass_obj
def list_(setup: Setup, /, form: str | None) -> None:
    """Show the users, their roles, and whether they may sign in.

    \b
    Examples:
      episode-ledger users list
      episode-ledger users list --format csv
    """
    with _changing(setup) as users:
        show_rows(_rows(users), UserRow, form, nothing="There are no users.")


def _rows(users: Users) -> Iterator[UserRow]:
    for user in users.all().values():
        state = "first password" if user.must_change else "at the provider" if user.is_at_provider else "active"
        yield UserRow(
            user.name, user.role, "disabled" if user.is_disabled else state, user.added_at, user.added_by,
            user.changed_at,
        )  # fmt: skip


@users.command()
@click.argument("name")
@click.pass_obj
def disable(setup: Setup, /, name: str) -> None:
    """Disable user NAME: their sessions end at once, and they cannot sign in until 'users reset'.

    \b
    Examples:
      episode-ledger users disable mgarcia
    """
    from commands.outside import utc_now

    with _changing(setup) as users:
        users.change(name, disabled_at=utc_now().isoformat())
    say("Disabled.")


@users.command()
@click.argument("name")
@click.option("--at-provider", is_flag=True, help="They sign in at the provider of 'serve --oidc' from now on.")
@click.pass_obj
def reset(setup: Setup, /, name: str, at_provider: bool) -> None:
    """Give user NAME a new first password, and let them sign in again if they were disabled.

    With --at-provider they have none: whoever next comes from the provider under that name is them.

    \b
    Examples:
      episode-ledger users reset mgarcia
      episode-ledger users reset mgarcia --at-provider
    """
    from commands.people.passwords import first_password, hashed

    if at_provider:
        with _changing(setup) as users:
            users.change(name, password="", must_change=False, disabled_at=UNSET, subject="")
        say("From now on they sign in at the provider, and have no password here.")
        return
    first = first_password()
    with _changing(setup) as users:
        users.change(name, password=hashed(first), must_change=True, disabled_at=UNSET, subject=UNSET)
    click.echo(first)
    say("That is the new first password: it is shown once, and changed when it is first used.")


@users.command()
@click.argument("name")
@click.argument("role", type=_role)
@click.pass_obj
def role(setup: Setup, /, name: str, role: Role) -> None:
    """Give user NAME another ROLE; their sessions end.

    \b
    Examples:
      episode-ledger users role mgarcia operator
    """
    with _changing(setup) as users:
        known = users.named(name)
        if known is not None and known.is_at_provider:
            raise click.UsageError("their role is what the provider's groups give them; change it there")
        users.change(name, role=role)
    say(sentence(DOES[role]))


@contextmanager
def _changing(setup: Setup) -> Iterator[Users]:
    """The ledger's users; what cannot be done with them is a UsageError."""
    try:
        from commands.people.users import Users, UsersTrouble, users_file
    except ImportError as error:
        raise click.UsageError("users need the extra 'web': pip install 'episode-ledger[web]'") from error
    with setup.open():  # of a ledger that is there, and that this user may open
        pass
    try:
        yield Users(users_file(setup.places.live))
    except UsersTrouble as trouble:
        raise click.UsageError(str(trouble)) from None
