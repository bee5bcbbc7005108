"""The action as a process, however it is started: its arguments, environment, streams and signals."""

import gc
import io
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence

TYPE_CHECKING = False  # `typing` is slow to import, and no signal is caught until then
if TYPE_CHECKING:
    from typing import NoReturn, TextIO


OPENSSL_VARIABLES = ("OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES")
"""They name code that OpenSSL would run in this process, in spite of -I, once `ssl` or `hashlib` is imported.

https://docs.openssl.org/master/man7/openssl-env/
"""


def main() -> "NoReturn":
    """Run the action with this process's arguments and environment."""
    signal_received = catch_signals()
    drop_openssl_variables()
    run(sys.argv[1:], os.environ, signal_received)


def run(arguments: Sequence[str], environ: Mapping[str, str], signal_received: Callable[[], int | None]) -> "NoReturn":
    """Run the action, and end the process with its exit status."""
    # A run is short and creates few reference cycles; looking for them would take 5 % of its time.
    gc.disable()
    from onlineornot_action.main import main as run_action  # noqa: PLC0415 - a job can be cancelled meanwhile
    from onlineornot_action.network import connect  # noqa: PLC0415 - likewise

    connect.install()
    stdout, stderr = as_utf_8(sys.stdout), as_utf_8(sys.stderr)
    exit_status = run_action(arguments, environ, stdout, stderr, signal_received, stdin=sys.stdin)
    # All output is written and flushed. Do not wait for a thread that may still be waiting for a response.
    os._exit(exit_status)


def drop_openssl_variables() -> None:
    """Drop the variables by which OpenSSL would run code, for this process and those that it starts."""
    for name in OPENSSL_VARIABLES:
        os.environ.pop(name, None)


def catch_signals() -> Callable[[], int | None]:
    """Catch the signals that end a job; return a function that returns the number of the first one, or None.

    On Windows, a job is cancelled with Ctrl+C, then with Ctrl+Break, which counts as SIGTERM here.
    https://github.com/actions/runner/blob/main/src/Runner.Sdk/ProcessInvoker.cs
    """
    received: list[int] = []
    signal.signal(signal.SIGINT, lambda *_: received.append(signal.SIGINT))
    for name in ("SIGTERM", "SIGBREAK"):
        if number := getattr(signal, name, None):
            signal.signal(number, lambda *_: received.append(signal.SIGTERM))
    return lambda: received[0] if received else None


def as_utf_8(stream: "TextIO | None") -> "TextIO | None":
    """Make a stream write UTF-8, whatever the locale; leave None, which is a closed one, as it is."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="replace")
    return stream
