"""``serve``: the same answers in a browser, for the person at this machine, or for a team over TLS."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from commands.outside import utc_now
from commands.terminal.options import Setup
from commands.terminal.progress import progress
from commands.terminal.show import say
from commands.web.guard.reach import LOOPBACK, Unguarded, Wanted, key_in, reach_of, refuse_unguarded
from projections.reading.turn import let_go_at_once

if TYPE_CHECKING:
    from commands.people.provider import Provider
    from commands.web.guard.requests import Answered
    from commands.web.guard.security import Reach
    from commands.web.site import Site

GRACE_SECONDS: Final = 3
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="The address to listen on. Beyond this machine only with TLS or behind a proxy, and with users.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8321, show_default=True, help="0 takes any that is free."
)
@click.option("--tls-cert", type=_FILE, metavar="FILE", help="The certificate, with those between it and its root.")
@click.option("--tls-key", type=_FILE, metavar="FILE", help="Its private key, for its owner alone.")
@click.option("--behind-proxy", is_flag=True, help="A proxy on this machine or network speaks TLS with browsers.")
@click.option("--origin", metavar="https://NAME[:PORT]", help="The address that browsers use, where it is another.")
@click.option(
    "--log", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="On stderr: faults alone in sentences, or every request as a JSON line.",
)  # fmt: skip
@click.option(
    "--metrics-key", type=_FILE, metavar="FILE",
    help="A file with a key, by which a program reads /metrics: Authorization: Bearer KEY.",
)  # fmt: skip
@click.option(
    "--oidc", type=_FILE, metavar="FILE",
    help="Settings of the provider at which users sign in by OpenID Connect ('help serve').",
)  # fmt: skip
@click.pass_obj
def serve(
    setup: Setup, /, host: str, port: int, tls_cert: Path | None, tls_key: Path | None, behind_proxy: bool,
    origin: str | None, log: str, metrics_key: Path | None, oidc: Path | None,
) -> None:  # fmt: skip
    """Show worklist, episodes, findings and the Monday report in a browser.

    On this machine alone it prints a link that lets one browser in, once, and a token for others. Users with
    passwords and roles ('users add') sign in by name; for a team the site listens beyond this machine, which it does
    only with --tls-cert and --tls-key, or --behind-proxy, with --origin, and with users: link and token let nobody in
    then. Each page with a patient's data leaves a line in the file of access records beside the ledger. Needs no
    script in the browser. Ctrl-C ends it. 'episode-ledger help serve' says more.

    \b
    Examples:
      episode-ledger serve
      episode-ledger --ledger ledger.db serve --port 0
      episode-ledger serve --behind-proxy --origin https://billing.example.org
      episode-ledger serve --host 0.0.0.0 --tls-cert a.pem --tls-key a.key --origin https://a.example
    """
    wanted = Wanted(host, tls_cert, tls_key, behind_proxy, origin)
    try:
        named_host, key = refuse_unguarded(wanted), key_in(metrics_key)
    except Unguarded as refused:
        raise click.UsageError(str(refused)) from None
    let_go_at_once()
    site = _site(setup, log, key)
    site.provider = _provider(oidc) if oidc else None
    if not wanted.is_for_one and not (site.users.may_sign_in() or site.provider):
        raise click.UsageError("nobody could sign in: add a user first, with 'episode-ledger users add NAME --role'")
    _caught_up(setup)
    with _listening(host, port) as listener:
        taken = listener.getsockname()[1]
        reach = reach_of(wanted, taken, named_host)
        _refuse_other_redirect(site, reach)
        _tell_address(site, wanted, taken, named_host)
        say(f"Each look at a patient's data is recorded in {site.access.path}. Ctrl-C ends the site.")
        _run(site, listener, reach, wanted)


def _tell_address(site: Site, wanted: Wanted, port: int, named_host: str | None) -> None:
    """Where it is, and how to get in; on loopback the link and the token."""
    scheme = "https" if wanted.tls_cert or wanted.behind_proxy else "http"
    host = f"[{wanted.host}]" if ":" in wanted.host else wanted.host
    if not wanted.is_for_one:
        click.echo(f"https://{named_host}/")
        if wanted.behind_proxy:
            say(f"Behind a proxy, on {host} port {port}, where nothing is encrypted: let the proxy alone reach it.")
        return
    click.echo(f"{scheme}://{host}:{port}/enter/{site.sessions.ticket}")
    click.echo(f"The link lets one browser in, once. For others: {scheme}://{host}:{port}/ and the token")
    click.echo(site.sessions.token)


def _site(setup: Setup, log: str, metrics_key: str | None) -> Site:
    try:
        import argon2  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise click.UsageError("the site needs the extra 'web': pip install 'episode-ledger[web]'") from error
    from commands.web.guard.requests import Requests
    from commands.web.site import Site

    if log == "text":
        return Site(setup, say, metrics_key=metrics_key)
    return Site(setup, _log_told, Requests(_log_answered), metrics_key)


def _provider(file: Path) -> Provider:
    try:
        from commands.people.provider import Provider
        from commands.people.provider_settings import ProviderTrouble, secret_of, settings_in
    except ImportError as error:
        raise click.UsageError("--oidc needs the extra 'oidc': pip install 'episode-ledger[oidc]'") from error
    try:
        settings = settings_in(file)
        return Provider(settings, secret_of(settings))
    except ProviderTrouble as trouble:
        raise click.UsageError(f"--oidc: {trouble}") from None


def _refuse_other_redirect(site: Site, reach: Reach) -> None:
    if site.provider is None:
        return
    settings = site.provider.settings
    if settings.host not in reach.hosts or settings.scheme != reach.scheme:
        raise click.UsageError("--oidc: redirect: expected an address of this site, as browsers reach it")


def _log_told(says: str) -> None:
    """A line of the structured log for what is told otherwise."""
    _log({"event": "told", "says": says})


def _log_answered(answered: Answered) -> None:
    """A line for a request: by the address as the site names it, never by what was asked for."""
    _log({"event": "request", **answered._asdict() | {"seconds": round(answered.seconds, 6)}})


def _log(said: dict[str, Any]) -> None:
    say(msgspec.json.encode({"at": utc_now().isoformat()} | said).decode())


def _caught_up(setup: Setup) -> None:
    """The read model brought up before anybody waits for a page."""
    from commands.verbs.read import derived

    with progress("Opening", "patients"), derived(setup, work=True):
        pass


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    # asyncio sends small packets at once only where the protocol is named; else each page waits for 40 ms
    family = LOOPBACK.get(host) or (socket.AF_INET6 if ":" in host else socket.AF_INET)
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1" if host == "localhost" else host, port))
            listener.listen(128)
        except OSError as error:
            raise click.UsageError(
                f"port {port} of that address cannot be used ({error.strerror}); --port 0 takes a free one"
            ) from error
        yield listener


def _run(site: Site, listener: socket.socket, reach: Reach, wanted: Wanted) -> None:
    import uvicorn

    from commands.web.app import make_app
    from commands.web.guard.connections import BACKLOG, BoundedConnection
    from commands.web.looking.addresses import LOOKING

    class Server(uvicorn.Server):
        """Stops at Ctrl-C or a request to end, after the pages under way, and that is a good end."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            if threading.current_thread() is not threading.main_thread():
                yield
                return

            def stop(number: int, frame: FrameType | None) -> None:
                self.should_exit = True

            before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

    config = uvicorn.Config(
        make_app(site, reach, LOOKING),
        log_config=None, access_log=False, log_level="critical",
        server_header=False, proxy_headers=False, lifespan="off", ws="none", http=BoundedConnection, loop="asyncio",
        backlog=BACKLOG, ssl_certfile=wanted.tls_cert, ssl_keyfile=wanted.tls_key,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )  # fmt: skip
    Server(config).run(sockets=[listener])
