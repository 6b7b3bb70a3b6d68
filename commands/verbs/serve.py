"""``serve``: the same answers in a browser, on this machine alone."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

import click

from commands.terminal.options import Setup
from commands.terminal.progress import progress
from commands.terminal.show import say

if TYPE_CHECKING:
    from commands.web.site import Site

LOOPBACK: Final = {"127.0.0.1": socket.AF_INET, "localhost": socket.AF_INET, "::1": socket.AF_INET6}
GRACE_SECONDS: Final = 3


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="A loopback address: 127.0.0.1, ::1 or localhost. Others are refused.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8321, show_default=True, help="0 takes any that is free."
)
@click.pass_obj
def serve(setup: Setup, /, host: str, port: int) -> None:
    """Show worklist, episodes, findings and the Monday report in a browser, on this machine alone.

    Prints a link that lets one browser in, once, and a token for others. The site changes nothing; each page with a
    patient's data leaves a line in the file of access records beside the ledger. Needs no script in the browser.
    Ctrl-C ends it. 'episode-ledger help serve' says more.

    \b
    Examples:
      episode-ledger serve
      episode-ledger --ledger ledger.db serve --port 0
    """
    if host not in LOOPBACK:
        raise click.UsageError("--host takes a loopback address only; this site is not made for a network")
    site = _site(setup)
    _caught_up(setup)
    with _listening(host, port) as listener:
        taken = listener.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        click.echo(f"http://{shown}:{taken}/enter/{site.sessions.ticket}")
        click.echo(f"The link lets one browser in, once. For others: http://{shown}:{taken}/ and the token")
        click.echo(site.sessions.token)
        say(f"Each look at a patient's data is recorded in {site.access.path}. Ctrl-C ends the site.")
        _run(site, listener, taken)


def _site(setup: Setup) -> Site:
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise click.UsageError("the site needs the extra 'web': pip install 'episode-ledger[web]'") from error
    from commands.web.site import Site

    return Site(setup, say)


def _caught_up(setup: Setup) -> None:
    """The read model brought up before anybody waits for a page."""
    from commands.verbs.read import derived

    with progress("Opening", "patients"), derived(setup, work=True):
        pass


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    # asyncio sends small packets at once only where the protocol is named; else each page waits for 40 ms
    with socket.socket(LOOPBACK[host], socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1" if host == "localhost" else host, port))
            listener.listen(128)
        except OSError as error:
            raise click.UsageError(
                f"port {port} cannot be used ({error.strerror}); --port 0 takes a free one"
            ) from error
        yield listener


def _run(site: Site, listener: socket.socket, port: int) -> None:
    import uvicorn

    from commands.web.app import make_app
    from commands.web.connections import BACKLOG, BoundedConnection
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
        make_app(site, port, LOOKING),
        log_config=None, access_log=False, log_level="critical",
        server_header=False, proxy_headers=False, lifespan="off", ws="none", http=BoundedConnection, loop="asyncio",
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )  # fmt: skip
    Server(config).run(sockets=[listener])
