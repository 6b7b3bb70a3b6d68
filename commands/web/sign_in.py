"""Signing in and out: by the printed link or token on this machine, or by name and password; and a new password."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from commands.people.passwords import fault_of_password, hashed, is_right
from commands.people.users import User
from commands.web.forms import Fields
from commands.web.guard.security import Reach
from commands.web.guard.sessions import LOCKED_SECONDS
from commands.web.site import Site


def door(site: Site, request: Request, status: int = 200, wrong: str = "") -> Response:
    """The page to sign in on."""
    reach: Reach = request.scope["reach"]
    return site.render(
        "door.html", request, status, wrong=wrong, by_token=reach.token, by_name=site.users.may_sign_in()
    )


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
    kept = user.password if user and not user.is_disabled else None
    if not is_right(kept, password) or user is None:
        site.requests.refused_sign_ins += 1
        site.tell("a sign-in was refused")
        return door(site, request, 403, "password")
    site.attempts.right(name)
    return _let_in(request, site.sessions.by_user(user), "/password" if user.must_change else "/")


def leave(site: Site, request: Request, told: Fields) -> Response:
    """Sign out."""
    reach: Reach = request.scope["reach"]
    site.sessions.end(request.cookies.get(reach.cookie))
    answer = RedirectResponse("/enter", 303)
    answer.delete_cookie(reach.cookie, path="/", httponly=True, samesite="strict", secure=reach.tls)
    return answer


def password_page(site: Site, request: Request) -> Response:
    """The form for a new password."""
    return site.render("password.html", request, wrong="")


def change_password(site: Site, request: Request, told: Fields) -> Response:
    """Change one's own password: every session of the user ends, and a new one begins."""
    session, new = request.scope["session"], told.get("new", "")
    user = site.users.named(session.user) if session.changed_at else None
    if user is None:
        return site.render("password.html", request, 409, wrong="The printed link and token have no password.")
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
    answer.set_cookie(reach.cookie, cookie, path="/", httponly=True, samesite="strict", secure=reach.tls)
    return answer
