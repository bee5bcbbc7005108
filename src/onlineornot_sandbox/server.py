"""The sandbox on a port of this machine."""

import contextlib
import socket
import ssl
from threading import Thread
from types import TracebackType
from typing import Any, Self

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Response

from onlineornot_sandbox.app import create_app
from onlineornot_sandbox.store import Store

POLL_SECONDS = 0.02  # how long the end of a sandbox may have to wait for its thread


class Sandbox:
    """Serve a store over HTTP, or over HTTPS for `localhost`, as long as the block runs.

    Port 0 is any free port; `url` says which it became.
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
        self._server = Server(self._host, self._port, create_app(self.store), self._ssl_context)
        self._thread = Thread(target=self._server.serve_forever, args=[POLL_SECONDS], daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.drop_connections()

    @property
    def url(self) -> str:
        """The address, without a slash at its end; a certificate is for `localhost`, hence that name."""
        if self._ssl_context:
            return f"https://localhost:{self._server.port}"
        return f"http://{self._host}:{self._server.port}"


class Server(ThreadedWSGIServer):
    """What werkzeug's `make_server(threaded=True)` makes, but able to end connections that are kept."""

    def __init__(self, host: str, port: int, app: Flask, ssl_context: ssl.SSLContext | None) -> None:
        super().__init__(host, port, app, Connection)
        self._connections: set[socket.socket] = set()
        if ssl_context:
            # Hands shake in the connection's own thread: a client that is slow at it delays nobody else.
            self.socket = ssl_context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self.ssl_context = ssl_context

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's
        """Note the connection before its thread begins."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - socketserver's
        """Forget the connection once it is over."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        """End what is still open, below TLS, so that the reading threads see the end of the stream."""
        for connection in tuple(self._connections):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


class Connection(WSGIRequestHandler):
    """One connection, kept for as many requests as the client likes, and without a log."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body leave separately: the second must not wait for an ACK

    def run_wsgi(self) -> None:
        """Response one request; werkzeug's own would close the connection after it."""
        response = Response.from_app(self.server.app, self.make_environ(), buffered=True)
        self.send_response(response.status_code)
        for name, value in response.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.get_data())

    def log(self, *_arguments: object) -> None:
        """Say nothing: a test's output is its own."""
