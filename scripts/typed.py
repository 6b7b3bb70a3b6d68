"""A command of a page's transcript, handed with its streams to the process that has it loaded (as_on_a_terminal.py).

Started with ``python -S -I typed.py SOCKET WORD...``, so that it loads next to nothing itself.
"""

from __future__ import annotations

import os
import socket
import sys

with socket.socket(socket.AF_UNIX) as there:
    there.connect(sys.argv[1])
    words = "\0".join([os.getcwd(), *sys.argv[2:]])
    environment = "\0".join(f"{name}={value}" for name, value in os.environ.items())
    socket.send_fds(there, [f"{words}\0\0{environment}".encode()], [0, 1, 2])
    there.shutdown(socket.SHUT_WR)
    sys.exit((there.recv(1) or b"F")[0])
