"""The sandbox as an HTTP or HTTPS server on this machine."""

import contextlib
import socket
import ssl
import sys
import time
from collections.abc import Callable
from threading import Thread
from typing import Any, Self

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Response

from onlineornot_action.process import catch_signals
from onlineornot_sandbox.app import create_app
from onlineornot_sandbox.auth import READ_METHODS
from onlineornot_sandbox.store import Store

POLL_SECONDS = 0.02
"""How often the server checks whether it should stop."""


class Sandbox:
    """Context manager that serves a store over HTTP, or over HTTPS for `localhost`.

    Port 0 picks a free port; `url` contains the one that was picked.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        store: Store | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.store = store or Store()
        self._host, self._port, self._ssl_context = host, port, ssl_context

    def __enter__(self) -> Self:
        self._server = Server(self._host, self._port, self.store, self._ssl_context)
        self._thread = Thread(target=self._server.serve_forever, args=[POLL_SECONDS], daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.drop_connections()

    @property
    def url(self) -> str:
        """Base URL without a trailing slash. Over HTTPS the host is `localhost`, as in the certificate."""
        if self._ssl_context:
            return f"https://localhost:{self._server.port}"
        return f"http://{self._host}:{self._server.port}"


def serve_until_stopped(sandbox: Sandbox, describe: Callable[[Sandbox], str]) -> None:
    """Start the sandbox, print its description, and wait for SIGINT or SIGTERM."""
    signal_received = catch_signals()
    with sandbox:
        sys.stdout.write(describe(sandbox))
        sys.stdout.flush()
        while signal_received() is None:  # Windows cannot wait for a signal
            time.sleep(POLL_SECONDS)


class Server(ThreadedWSGIServer):
    """A threaded server like the one of werkzeug's `make_server`, which can also close its open connections."""

    def __init__(self, host: str, port: int, store: Store, ssl_context: ssl.SSLContext | None) -> None:
        super().__init__(host, port, create_app(store), Connection)
        self.store = store
        self._connections: set[socket.socket] = set()
        if ssl_context:
            # The handshake runs in the connection's own thread, so that a slow client does not delay the others.
            self.socket = ssl_context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self.ssl_context = ssl_context

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's
        """Remember the connection before its thread starts."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - socketserver's
        """Forget the connection once it is closed."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        """Shut down the connections that are still open, so that their threads stop reading."""
        for connection in tuple(self._connections):
            # The plain socket's method, since SSLSocket's own also drops the TLS state that its thread is using.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


class Connection(WSGIRequestHandler):
    """A persistent connection that writes no log."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are sent separately; the body must not wait for an ACK

    def run_wsgi(self) -> None:
        """Handle one request and keep the connection open, unless the response is lost.

        werkzeug's own method adds "Connection: close" to every response:
        https://github.com/pallets/werkzeug/blob/main/src/werkzeug/serving.py
        """
        response = Response.from_app(self.server.app, self.make_environ(), buffered=True)
        is_write = self.path.startswith("/v1/") and self.command not in READ_METHODS
        if is_write and self.server.store.lose_response():
            self.close_connection = True
            return
        self.send_response(response.status_code)
        for name, value in response.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.get_data())

    def log(self, *_arguments: object) -> None:
        """Write nothing, to keep the output of tests and of the demo clean."""
