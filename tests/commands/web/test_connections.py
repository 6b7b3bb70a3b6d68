"""How long a connection may take to send a request, by who sends it."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import Mock

import pytest
import uvicorn
from uvicorn.server import ServerState

from commands.web.guard.connections import REQUEST_SECONDS, SIGNED_IN_SECONDS, BoundedConnection
from tests.in_process_site import apart

BEGINNING = b"POST /import HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"


@pytest.mark.parametrize(("session", "seconds"), [(None, REQUEST_SECONDS), ("somebody", SIGNED_IN_SECONDS)])
def test_a_file_may_come_over_a_slow_line_from_whoever_is_signed_in(session: str | None, seconds: float) -> None:
    async def guarded(scope: dict[str, Any], receive: Any, send: Any) -> None:
        scope["session"] = session
        await receive()

    async def half_a_request() -> float:
        loop = asyncio.get_running_loop()
        config = uvicorn.Config(guarded, log_config=None, lifespan="off")
        config.load()
        connection = BoundedConnection(config, ServerState(), {}, loop)
        connection.connection_made(Mock(spec=asyncio.Transport, get_extra_info=Mock(return_value=None)))
        connection.data_received(BEGINNING)
        await asyncio.sleep(0)
        connection.data_received(b"half")
        assert connection._patience is not None
        left = connection._patience.when() - loop.time()
        connection.connection_lost(None)
        return left

    assert seconds - 5 < apart(half_a_request()) <= seconds
