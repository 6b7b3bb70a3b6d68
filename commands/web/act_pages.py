"""The pages of an act: its form, its effect before anything is recorded, and what became of it.

One page serves every act. A form carries all that was told along, so that nothing is kept between its steps.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from commands.desk.act import Act, Desk, Stopped
from commands.web.forms import Fields
from commands.web.reading import Reading
from commands.web.site import Site

STEPS: Final = ("show", "record", "change", "more")
"""What a form's buttons ask: to see the effect, to record, to go back to the form, for more rows."""
CARRIED: Final = ("id", "seen", "work", "list")


def desk_of(site: Site, request: Request, reading: Reading) -> Desk:
    """Who acts, on what."""
    return Desk(site.reader.setup, reading.book, request.scope["session"].user)


def new_form(site: Site, request: Request, act: Act, back: str, **more: object) -> Response:
    """An act that nobody has filled in yet."""
    told = act.begin()
    return site.render(
        "act.html", request, act=act, action=request.url.path, back=back, hidden=act.hidden(),
        controls=act.controls(told, {}), problems=(), files=_has_files(act, told), **more,
    )  # fmt: skip


def sent_form(site: Site, request: Request, told: Fields, act: Act, back: str, **more: object) -> Response:
    """A form that was sent: back to it with what is wrong, its effect, or what became of it."""
    step = told.get("step", "show")
    errors = dict(act.errors(told)) if step in ("show", "record") else {}
    problems = tuple(filter(None, [errors.pop("", "")]))
    if errors or problems or step not in ("show", "record"):
        return _again(site, request, told, act, back, errors, problems, 400 if errors or problems else 200, **more)
    try:
        if step == "record":
            done = act.do(told)
            _log_look(site, request, done.patients)
            return site.render(
                "done.html", request, act=act, done=done, back=back, action=request.url.path, hidden=_carried(told)
            )
        preview = act.preview(told)
    except Stopped as stopped:
        _log_look(site, request, stopped.patients)
        return _again(site, request, told, act, back, {}, stopped.sentences, 409, **more)
    _log_look(site, request, preview.patients)
    return site.render(
        "effect.html", request, act=act, preview=preview, action=request.url.path, hidden=_carried(told), back=back
    )


def _carried(told: Fields) -> Fields:
    return {name: value for name, value in told.items() if name != "step"}


def _log_look(site: Site, request: Request, patients: frozenset[str]) -> None:
    """Log a look at patients who became known with the act alone, as by an import."""
    if new := patients - request.scope.get("looked_at", frozenset()):
        site.record(request, request.url.path.strip("/").partition("/")[0], new)


def _again(
    site: Site, request: Request, told: Fields, act: Act, back: str, errors: Fields, problems: tuple[str, ...],
    status: int, **more: object,
) -> Response:  # fmt: skip
    carried = (*CARRIED, *(("file", "own") if _has_files(act, told) else ()))
    hidden = {name: told[name] for name in carried if told.get(name)}
    return site.render(
        "act.html", request, status, act=act, action=request.url.path, back=back, hidden=hidden,
        controls=act.controls(told, errors), problems=problems, files=_has_files(act, told), **more,
    )  # fmt: skip


def _has_files(act: Act, told: Fields) -> bool:
    return any(each.kind == "file" for each in act.controls(told, {}))
