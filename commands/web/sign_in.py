"""Signing in and out: by the printed link or token on this machine, by name and password, or at the provider; and a
new password."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from commands.people.passwords import fault_of_password, hashed, is_right
from commands.people.users import NotThisUser, User
from commands.people.vouching import NotVouched
from commands.web.forms import Fields
from commands.web.guard.pending import PENDING_SECONDS
from commands.web.guard.security import Reach
from commands.web.guard.sessions import LOCKED_SECONDS, Session
from commands.web.site import Refused, Site


def door(site: Site, request: Request, status: int = 200, wrong: str = "", **said: object) -> Response:
    """The page to sign in on; ``sentences`` are what else is said."""
    reach: Reach = request.scope["reach"]
    return site.render(
        "door.html", request, status, wrong=wrong, by_token=reach.token, by_name=site.users.may_sign_in(),
        provider=site.provider, **said,
    )  # fmt: skip


def enter_by_link(site: Site, request: Request) -> Response:
    """Let a browser in by the link that works once."""
    if request.scope["session"] is not None:
        return RedirectResponse("/", 303)
    reach: Reach = request.scope["reach"]
    cookie = site.sessions.by_ticket(request.path_params["ticket"]) if reach.token else None
    return _let_in(request, cookie) if cookie else door(site, request, 403, "link")


def enter_by_token(site: Site, request: Request, told: Fields) -> Response:
    """Let a browser in by the token."""
    reach: Reach = request.scope["reach"]
    cookie = site.sessions.by_token(told.get("token", "")) if reach.token else None
    return _let_in(request, cookie) if cookie else door(site, request, 403, "token")


def sign_in(site: Site, request: Request, told: Fields) -> Response:
    """Let a user in by name and password; how it is refused does not tell which names there are."""
    name, password = told.get("name", "").strip(), told.get("password", "")
    if not site.attempts.begin(name):
        answer = door(site, request, 429, "often")
        answer.headers["retry-after"] = str(int(LOCKED_SECONDS))
        return answer
    user = site.users.named(name)
    kept = user.password if user and not (user.is_disabled or user.is_at_provider) else None
    if not is_right(kept, password) or user is None:
        site.requests.refused_sign_ins += 1
        site.tell("a sign-in was refused")
        return door(site, request, 403, "password")
    site.attempts.right(name)
    return _let_in(request, site.sessions.by_user(user), "/password" if user.must_change else "/")


def to_provider(site: Site, request: Request) -> Response:
    """Send a browser to the provider, with what it has to bring back."""
    if site.provider is None:
        raise _NO_PROVIDER
    reach: Reach = request.scope["reach"]
    begun, cookie = site.pending.begin()
    try:
        answer = RedirectResponse(site.provider.address(begun), 303)
    except NotVouched as refused:
        return _not_vouched(site, request, 503, refused.sentences)
    answer.set_cookie(
        reach.pending_cookie, cookie, int(PENDING_SECONDS), path="/", httponly=True, samesite="lax", secure=reach.tls
    )
    return answer


def from_provider(site: Site, request: Request) -> Response:
    """Let in who comes back from the provider, if it vouches for them and they have a role here.

    Answered with a page, not sent on: a browser brings no ``SameSite=Strict`` cookie on a way that another site began.
    """
    if site.provider is None:
        raise _NO_PROVIDER
    reach: Reach = request.scope["reach"]
    asked, issuer = request.query_params, site.provider.settings.issuer
    begun = site.pending.end(asked.get("state", ""), request.cookies.get(reach.pending_cookie))
    try:
        if begun is None:
            raise NotVouched("This answer of the provider is for no sign-in that this browser has begun.",
                             "It may have been used already, or have taken too long. Sign in once more.")  # fmt: skip
        if "error" in asked or not asked.get("code") or asked.get("iss", issuer) != issuer:
            raise NotVouched("The provider did not let you sign in.", "Try once more, or ask whoever runs it.")
        found = site.provider.vouched(asked["code"], begun)
        user = site.users.vouched_for(*found)
    except NotVouched as refused:
        return _not_vouched(site, request, 403, refused.sentences)
    except NotThisUser as refused:
        return _not_vouched(site, request, 403, (f"{refused}.", "'episode-ledger users' says who may sign in."))
    answer = site.render("signed_in.html", request, user=user)
    answer.delete_cookie(reach.pending_cookie, path="/", httponly=True, samesite="lax", secure=reach.tls)
    _set_cookie(answer, reach, site.sessions.by_user(user))
    return answer


_NO_PROVIDER: Final = Refused(404, "No such page", "Nobody signs in to this site at a provider.")


def _not_vouched(site: Site, request: Request, status: int, sentences: tuple[str, ...]) -> Response:
    site.requests.refused_sign_ins += 1
    site.tell(f"a sign-in at the provider was refused: {sentences[0]}")
    return door(site, request, status, "provider", sentences=sentences)


def leave(site: Site, request: Request, told: Fields) -> Response:
    """Sign out; whoever signed in at the provider is told how to sign out there, too."""
    reach: Reach = request.scope["reach"]
    session: Session | None = request.scope["session"]
    site.sessions.end(request.cookies.get(reach.cookie))
    answer: Response = RedirectResponse("/enter", 303)
    if session is not None and session.is_at_provider and site.provider is not None:
        request.scope["session"] = None
        answer = door(site, request, wrong="left", there=site.provider.sign_out_address())
    answer.delete_cookie(reach.cookie, path="/", httponly=True, samesite="strict", secure=reach.tls)
    return answer


def password_page(site: Site, request: Request) -> Response:
    """The form for a new password."""
    return site.render("password.html", request, wrong="")


def change_password(site: Site, request: Request, told: Fields) -> Response:
    """Change one's own password: every session of the user ends, and a new one begins."""
    session, new = request.scope["session"], told.get("new", "")
    user = site.users.named(session.user) if session.changed_at else None
    if user is None or user.is_at_provider:
        by = "The printed link and token have" if user is None else "Whoever signs in at the provider has"
        return site.render("password.html", request, 409, wrong=f"{by} no password here.")
    if wrong := _fault_of_change(site, user, told):
        return site.render("password.html", request, 400, wrong=wrong)
    site.users.change(user.name, password=hashed(new), must_change=False)
    changed = site.users.named(user.name)
    assert changed is not None, "it was just written"
    return _let_in(request, site.sessions.by_user(changed))


def _fault_of_change(site: Site, user: User, told: Fields) -> str | None:
    new = told.get("new", "")
    if not site.attempts.begin(user.name):
        return "Too many attempts. Wait 15 minutes."
    if not is_right(user.password, told.get("old", "")):
        return "That is not the password you signed in with."
    site.attempts.right(user.name)
    if new != told.get("again", ""):
        return "The new password is not the same in both fields."
    if new == told.get("old", ""):
        return "The new password is the old one."
    return fault_of_password(new, user.name)


def _let_in(request: Request, cookie: str, to: str = "/") -> Response:
    reach: Reach = request.scope["reach"]
    answer = RedirectResponse(to, 303)
    _set_cookie(answer, reach, cookie)
    return answer


def _set_cookie(answer: Response, reach: Reach, cookie: str) -> None:
    answer.set_cookie(reach.cookie, cookie, path="/", httponly=True, samesite="strict", secure=reach.tls)
