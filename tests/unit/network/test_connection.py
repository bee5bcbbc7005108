"""Connections: how far a request got, interim and unfinished responses, and tunnels."""

import contextlib
import socket
import ssl
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.exchanges import (
    PASSWORD,
    SHORT,
    SLOW_RESPONSES,
    UPDATE_BODY,
    MakeTransport,
    Transport,
    exchange_failure,
    get,
    post,
    through,
)
from support.fault_server import EARLY_HINTS, FAULTS, LOST_RESPONSES, End, Fault, FaultServer, Phase, Rule

from onlineornot_action.network.deadline import Deadline, Limits
from onlineornot_action.network.exchange import Cause, Effect, ExchangeError, Network, Response
from onlineornot_sandbox.auth import EDIT_TOKEN


@pytest.mark.parametrize(("variable", "name"), [("HOME", "."), ("NETRC", ".netrc")])
def test_netrc_does_not_replace_the_token(
    variable: str, name: str, transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv(variable, str(tmp_path / name))

    with FaultServer() as server:
        get(transport, server.url)

    assert server.requests[0].headers["Authorization"] == f"Bearer {EDIT_TOKEN}"


@pytest.mark.parametrize("name", ["103 first", "100 first", "chunked", "gzip"])
def test_unusual_form_does_not_change_the_response(name: str, transport: Transport) -> None:
    with FaultServer([Rule(FAULTS[name], Phase.AFTER)]) as server:
        result = post(transport, server.url)

    assert result.status == 201
    assert server.store.timeline()[-1].id.encode() in result.body


@pytest.mark.parametrize("name", ["headers cut between lines", "headers drip", "body reset", "body drips", "huge body"])
def test_status_is_known_once_the_status_line_was_read(name: str, make_transport: MakeTransport) -> None:
    limits = Limits(response=1 if name in SLOW_RESPONSES else 10)

    with FaultServer([Rule(LOST_RESPONSES[name], Phase.AFTER)]) as server:
        error = exchange_failure(make_transport(limits), server.url)

    assert error.status == 201


@pytest.mark.parametrize("prefix", [EARLY_HINTS, b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_status_of_an_interim_response_is_not_reported(prefix: bytes, transport: Transport) -> None:
    with FaultServer([Rule(Fault(lambda _: [prefix], End.CLOSE))]) as server:
        error = exchange_failure(transport, server.url)

    assert (error.effect, error.status) == (Effect.AMBIGUOUS, None)


@pytest.mark.parametrize("end", [End.RESET, End.CLOSE])
def test_connection_that_ends_before_the_server_reads_the_request_is_ambiguous(end: End, transport: Transport) -> None:
    with FaultServer(handshakes=[end]) as server:
        error = exchange_failure(transport, server.url)

    assert error.effect is Effect.AMBIGUOUS
    assert server.requests == []


@pytest.mark.parametrize("end", [End.RESET, End.CLOSE, End.SILENCE])
def test_broken_handshake_is_not_sent(
    end: End, make_transport: MakeTransport, tls: ssl.SSLContext, ca_bundle: str
) -> None:
    with FaultServer(ssl_context=tls, handshakes=[end]) as server:
        error = exchange_failure(make_transport(SHORT, ca_bundle), server.url)

    assert (error.effect, error.status) == (Effect.NOT_SENT, None)
    assert server.requests == []


def test_request_that_was_abandoned_while_connecting_is_never_sent(
    make_transport: MakeTransport, tls: ssl.SSLContext, ca_bundle: str
) -> None:
    with FaultServer(ssl_context=tls, handshakes=[0.2]) as server:
        with pytest.raises(ExchangeError) as caught:
            get(make_transport(ca_bundle=ca_bundle), server.url, Deadline.after(0.1))
        time.sleep(0.3)

    assert caught.value.effect is Effect.NOT_SENT
    assert server.connections == 1
    assert server.requests == []


def test_connection_is_closed_when_its_response_is_abandoned(make_transport: MakeTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        exchange_failure(make_transport(SHORT), f"http://127.0.0.1:{listener.getsockname()[1]}")

        with listener.accept()[0] as connection:
            connection.settimeout(5)
            received = b"".join(iter(lambda: connection.recv(65536), b""))

    assert received.endswith(UPDATE_BODY)


@pytest.mark.parametrize("status", [200, 302, 500])
def test_gzip_bomb_is_not_decompressed_much_beyond_the_limit(status: int, transport: Transport) -> None:
    bomb = FAULTS["gzip bomb"].stream
    fault = Fault(lambda reply: bomb(replace(reply, status=status).having(Location="/")), End.CLOSE)

    with FaultServer([Rule(fault)]) as server:
        tracemalloc.start()
        exchange_failure(transport, server.url)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 40 * 1024 * 1024


FRAGMENTS = (
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 201\r\n",
    b"HTTP/1.1 101 Other\r\n\r\n",
    b"HTTP/1.1 999 \xff\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: -5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: gzip, deflate, zstd\r\n",
    b"Set-Cookie: \x00=;;expires=\xff\r\n",
    b"Location: //\xff:x\r\n",
    b": no name\r\n no colon\r\n",
    b"X: y\r\n" * 120,
    b"X" * 70_000,
    b"\r\n",
    b"5\r\nhello\r\n",
    b"-5\r\n",
    b"ffffffffffffffffff\r\n",
    b"0\r\n\r\n",
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=8), max_size=8))
def test_any_bytes_are_a_response_or_an_ambiguous_failure(fragments: list[bytes]) -> None:
    garbage = Fault(lambda _: fragments, End.CLOSE)

    with (
        FaultServer([Rule(garbage)]) as server,
        contextlib.closing(Transport(EDIT_TOKEN, user_agent="x", network=Network())) as transport,
    ):
        outcome = exchange_outcome(transport, server.url)

    assert isinstance(outcome, Response) or outcome.effect is Effect.AMBIGUOUS


def exchange_outcome(transport: Transport, url: str) -> Response | ExchangeError:
    """Post an update, and return its response or its error."""
    try:
        return post(transport, url)
    except ExchangeError as error:
        return error


@contextlib.contextmanager
def tunnel_to(server: FaultServer) -> Iterator[tuple[str, list[bytes]]]:
    """Run a proxy whose one tunnel leads to a server; yield its address and what it receives."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=_tunnel, args=[listener, server.address, heard], daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", heard


def _tunnel(listener: socket.socket, address: tuple[str, int], heard: list[bytes]) -> None:
    with listener.accept()[0] as client, socket.create_connection(address) as server:
        heard.append(client.recv(65536))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = Thread(target=_pump, args=[server, client], daemon=True)
        back.start()
        _pump(client, server)
        back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_https_goes_through_the_tunnel_of_a_proxy(
    variable: str,
    make_transport: MakeTransport,
    tls: ssl.SSLContext,
    ca_bundle: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with FaultServer(ssl_context=tls) as server, tunnel_to(server) as (proxy, heard):
        monkeypatch.setenv(variable, through(proxy))

        result = post(make_transport(ca_bundle=ca_bundle), "https://localhost")

    assert result.status == 201
    assert heard[0].startswith(b"CONNECT localhost:443 ")
    assert b"Proxy-Authorization: Basic " in heard[0]
    assert EDIT_TOKEN.encode() not in heard[0]
    assert "Proxy-Authorization" not in server.requests[0].headers


def test_response_lost_in_a_tunnel_is_ambiguous(
    make_transport: MakeTransport, tls: ssl.SSLContext, ca_bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = [Rule(FAULTS["close"], Phase.AFTER)]
    with FaultServer(script, ssl_context=tls) as server, tunnel_to(server) as (proxy, _):
        monkeypatch.setenv("HTTPS_PROXY", through(proxy))

        error = exchange_failure(make_transport(ca_bundle=ca_bundle), "https://localhost")

    assert error.effect is Effect.AMBIGUOUS
    assert PASSWORD not in str(error)


def test_certificate_in_a_tunnel_is_verified(
    transport: Transport, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer(ssl_context=tls) as server, tunnel_to(server) as (proxy, _):
        monkeypatch.setenv("HTTPS_PROXY", through(proxy))

        error = exchange_failure(transport, "https://localhost")

    assert error.cause is Cause.UNKNOWN_AUTHORITY
    assert f"localhost through the proxy {proxy}" in str(error)
    assert PASSWORD not in str(error)
