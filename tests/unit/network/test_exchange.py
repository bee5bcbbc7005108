"""One HTTP exchange: its response, or an error that says how far the request got."""

import contextlib
import socket
import ssl
import time
import traceback
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.exchanges import (
    PASSWORD,
    PATH,
    UPDATE_BODY,
    MakeTransport,
    address_of,
    exchange_failure,
    get,
    lasting,
    post,
    through,
)
from support.fault_server import (
    FAULTS,
    FOREVER,
    HEALTHY,
    End,
    Fault,
    FaultServer,
    Phase,
    Rule,
    VirtualClock,
    response,
)
from support.listeners import address_at, refusing_address, resolving_to, silent_address

from onlineornot_action.network.connect import install
from onlineornot_action.network.deadline import CancelledError, Deadline, Limits
from onlineornot_action.network.exchange import Cause, Effect, ExchangeError, Network, Transport
from onlineornot_action.network.tls import ssl_context
from onlineornot_sandbox.auth import EDIT_TOKEN


@pytest.fixture
def refusing_url() -> Iterator[str]:
    """The URL of a port that refuses connections."""
    with refusing_address() as address:
        yield "http://{}:{}".format(*address[1])


@pytest.fixture
def silent_url() -> Iterator[str]:
    """The URL of a port to which a connection is neither accepted nor refused."""
    with silent_address() as address:
        yield "http://{}:{}".format(*address[1])


@pytest.fixture
def resolving() -> Iterator[Callable[..., None]]:
    """Give every name these addresses."""
    yield lambda *addresses: install(resolving_to(*addresses))
    install()


def test_request_has_token_user_agent_and_json_and_without_a_body_no_content_type(transport: Transport) -> None:
    with FaultServer() as server:
        result = post(transport, server.url)
        get(transport, server.url)

    posted, got = server.requests
    assert (result.status, posted.body, got.path) == (201, UPDATE_BODY, f"{PATH}?page=1")
    assert posted.headers["Authorization"] == f"Bearer {EDIT_TOKEN}"
    assert posted.headers["User-Agent"] == "tests/1"
    assert posted.headers["Accept"] == "application/json"
    assert posted.headers["Content-Type"] == "application/json"
    assert "Content-Type" not in got.headers
    assert len(server.store.timeline()) == 2


@pytest.mark.parametrize("status", [200, 202, 204, 301, 302, 303, 307, 308, 400, 407, 408, 429, 500, 520, 599])
def test_complete_response_is_returned_whatever_its_status_and_no_redirect_is_followed(
    status: int, transport: Transport
) -> None:
    with FaultServer() as target:
        headers = {"Retry-After": "7", "Location": target.url + PATH}
        with FaultServer([Rule(response(status, headers=headers))]) as server:
            result = post(transport, server.url)

    assert (result.status, result.body) == (status, b"")
    assert (result.headers["retry-after"], result.headers["location"]) == ("7", target.url + PATH)
    assert (len(server.requests), target.connections) == (1, 0)


UNHEALTHY = ("500 envelope", "404 envelope", "429 for a second", "307 elsewhere", "closed afterwards")


@pytest.mark.parametrize("name", [*UNHEALTHY, "close", "gzip that is none", "huge body"])
def test_connection_is_dropped_after_a_failure_and_a_lost_response(name: str, transport: Transport) -> None:
    with FaultServer([Rule(FAULTS[name])]) as server:
        with contextlib.suppress(ExchangeError):
            get(transport, server.url)
        result = get(transport, server.url)

    assert result.status == 200
    assert server.connections == 2


@pytest.mark.parametrize(("seconds", "connections"), [(1.9, 1), (2.1, 2)])
def test_connection_is_reused_unless_it_was_idle_for_long(
    seconds: float, connections: int, transport: Transport
) -> None:
    clock = VirtualClock()
    deadline = Deadline.after(60, clock)

    with FaultServer() as server:
        get(transport, server.url, deadline)
        clock.sleep(seconds)
        get(transport, server.url, deadline)

    assert server.connections == connections


@pytest.mark.parametrize("host", ["nothing.invalid", "nothing..invalid", f"{'x' * 64}.invalid"])
def test_unknown_name_is_not_sent(host: str, transport: Transport) -> None:
    error = exchange_failure(transport, f"https://{host}")

    assert (error.cause, error.effect) == (Cause.CONNECTION, Effect.NOT_SENT)
    assert str(error).startswith(f"{host} could not be reached")


@pytest.mark.parametrize("limit", ["connect", "seconds"])
def test_connection_that_is_never_accepted_is_not_sent(limit: str, transport: Transport, silent_url: str) -> None:
    with lasting():
        error = exchange_failure(transport, silent_url, **{limit: 0.2})

    assert (error.cause, error.effect) == (Cause.TIMEOUT, Effect.NOT_SENT)


def test_server_without_tls_is_not_sent(transport: Transport) -> None:
    with FaultServer([Rule(FAULTS["not HTTP"], times=FOREVER)]) as server:
        error = exchange_failure(transport, server.url.replace("http:", "https:"))

    assert error.effect is Effect.NOT_SENT


TIMEOUT, CLOSED, RESET = "did not respond in time", "the connection was closed without a response", "was reset"
CUT, TOO_LARGE = "the response was cut short", "the response is too large"
LOST = {
    "reset": (RESET, None),
    "close": (CLOSED, None),
    "silence": (TIMEOUT, None),
    "headers cut inside a line": (CUT, 201),
    "headers cut between lines": (CUT, 201),
    "headers reset": (RESET, 201),
    "headers stop": (TIMEOUT, 201),
    "headers drip": (TIMEOUT, 201),
    "body cut": (CUT, 201),
    "body reset": (RESET, 201),
    "body stops": (TIMEOUT, 201),
    "body drips": (TIMEOUT, 201),
    "chunk cut": (CUT, 201),
    "last chunk missing": (CUT, 201),
    "huge body": (TOO_LARGE, 201),
    "gzip bomb": (TOO_LARGE, 201),
    "gzip that is none": ("the response cannot be decompressed", 201),
    "103, then close": (CLOSED, None),
    "103 for ever": (TIMEOUT, None),
    "not HTTP": ("the response is not HTTP", None),
}
"""How the message ends, and the status if its line was read."""


@pytest.mark.parametrize(("name", "words", "status"), [(name, *expected) for name, expected in LOST.items()])
def test_lost_response_is_ambiguous_and_has_its_reason_and_status(
    name: str, words: str, status: int | None, transport: Transport
) -> None:
    is_slow = words == TIMEOUT

    with FaultServer([Rule(FAULTS[name])]) as server, lasting(0.5 if is_slow else 0):
        error = exchange_failure(transport, server.url, response=0.5 if is_slow else 10)

    assert (error.effect, error.status) == (Effect.AMBIGUOUS, status)
    assert error.cause is (Cause.TIMEOUT if is_slow else Cause.CONNECTION)
    assert (address_of(server.url) in str(error), str(error).endswith(words)) == (True, True)
    assert EDIT_TOKEN not in "".join(traceback.format_exception(error))
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", ["reset", "close", "body cut"])
def test_response_lost_over_tls_is_ambiguous(name: str, trusting: Transport, tls: ssl.SSLContext) -> None:
    with FaultServer([Rule(FAULTS[name], Phase.AFTER)], ssl_context=tls) as server:
        error = exchange_failure(trusting, server.url)

    assert error.effect is Effect.AMBIGUOUS
    assert len(server.store.timeline()) == 2


def cancelled(grace: float) -> Deadline:
    """Make a deadline that is far ahead, in a run that was cancelled."""
    return Deadline.after(20, cancelled=lambda: True, limits=Limits(grace=grace))


def test_read_is_abandoned_at_once_when_the_run_was_cancelled(transport: Transport) -> None:
    with FaultServer([Rule(FAULTS["silence"])]) as server, lasting(), pytest.raises(CancelledError):
        get(transport, server.url, cancelled(grace=10))


def test_write_that_was_not_sent_is_abandoned_at_once_when_the_run_was_cancelled(
    transport: Transport, silent_url: str
) -> None:
    with lasting(), pytest.raises(CancelledError):
        post(transport, silent_url, cancelled(grace=10))


def test_write_that_was_sent_is_given_a_little_time_when_the_run_was_cancelled(transport: Transport) -> None:
    late = Fault(lambda reply: [0.3, reply.wire()])

    with FaultServer([Rule(late, Phase.AFTER)]) as server:
        result = post(transport, server.url, cancelled(grace=10))

    assert result.status == 201


def test_write_without_a_response_is_ambiguous_when_the_run_was_cancelled(transport: Transport) -> None:
    with FaultServer([Rule(FAULTS["silence"])]) as server, lasting(0.2), pytest.raises(ExchangeError) as caught:
        post(transport, server.url, cancelled(grace=0.2))

    assert caught.value.effect is Effect.AMBIGUOUS


@pytest.mark.parametrize("name", ["silence", "headers drip", "body drips"])
def test_nothing_outlives_the_deadline(name: str, transport: Transport) -> None:
    with FaultServer([Rule(FAULTS[name])]) as server, lasting(), pytest.raises(ExchangeError):
        get(transport, server.url, Deadline.after(0.2))


def sized(shape: Fault, size: int) -> Rule:
    """Make a response of this shape and size."""
    return Rule(Fault(lambda reply: shape.stream(replace(reply, body=b"x" * size))))


@pytest.mark.parametrize("shape", [HEALTHY.fault, FAULTS["gzip"], FAULTS["chunked"]])
def test_body_may_be_as_large_as_the_limit_when_decompressed_and_no_larger(shape: Fault, transport: Transport) -> None:
    with FaultServer([sized(shape, 1000), sized(shape, 1001)]) as server:
        result = get(transport, server.url, Deadline.after(20, limits=Limits(body=1000)))
        error = exchange_failure(transport, server.url, body=1000)

    assert result.body == b"x" * 1000
    assert error.effect is Effect.AMBIGUOUS
    assert str(error).endswith("the response is too large")


@pytest.mark.parametrize("line", ["{}", "HTTP/1.1 {}"])
def test_token_that_the_server_echoes_is_in_no_message(line: str, transport: Transport) -> None:
    echo = Fault(lambda _: [line.format(EDIT_TOKEN).encode(), b"\r\n"], End.CLOSE)

    with FaultServer([Rule(echo)]) as server:
        error = exchange_failure(transport, server.url)

    assert EDIT_TOKEN not in f"{error!s} {error!r}"


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
def test_loopback_is_never_reached_through_a_proxy_which_could_read_the_token(
    variable: str, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer() as proxy, FaultServer() as server:
        monkeypatch.setenv(variable, proxy.url)
        result = post(transport, server.url)

    assert (result.status, proxy.connections) == (201, 0)


@pytest.mark.parametrize("no_proxy", ["name.example", "example.com,.example", "*"])
def test_host_in_no_proxy_is_reached_directly(
    no_proxy: str,
    transport: Transport,
    refusing_url: str,
    resolving: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", refusing_url)
    monkeypatch.setenv("NO_PROXY", no_proxy)

    with FaultServer() as server:
        resolving(address_at(*server.address))
        result = post(transport, "http://name.example")

    assert result.status == 201


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_that_requires_a_password_is_final(
    scheme: str, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = f"{scheme.upper()}_PROXY"

    with FaultServer([Rule(response(407))]) as proxy:
        address = address_of(proxy.url)
        monkeypatch.setenv(variable, through(address))
        error = exchange_failure(transport, f"{scheme}://nothing.invalid")

    assert (error.cause, error.effect) == (Cause.PROXY, Effect.NOT_SENT)
    assert str(error) == (
        f"nothing.invalid through the proxy {address} could not be reached: "
        f"the proxy, which {variable} names, responded with 407"
    )


CLOSED_TUNNELS = ("403 envelope", "502 html", "503 empty", "504 html")
REFUSED_TUNNELS = {name: f"the proxy responded with {name[:3]}" for name in CLOSED_TUNNELS}
BROKEN_TUNNELS = dict.fromkeys(("reset", "close", "silence", "headers drip", "not HTTP", "200 html"), "")


@pytest.mark.parametrize(("name", "words"), (REFUSED_TUNNELS | BROKEN_TUNNELS).items())
def test_proxy_that_makes_no_tunnel_is_not_sent(
    name: str, words: str, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer([Rule(FAULTS[name])]) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", through(address_of(proxy.url)))

        error = exchange_failure(transport, "https://nothing.invalid", connect=0.3)

    assert (error.effect, error.status) == (Effect.NOT_SENT, None)
    assert str(error).endswith(words)
    assert PASSWORD not in str(error)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("host", "route"),
    [("{}", "{}"), ("nothing.invalid", "nothing.invalid through the proxy {}")],
    ids=["direct", "proxy"],
)
def test_refused_connection_is_not_sent(
    scheme: str, host: str, route: str, transport: Transport, refusing_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = address_of(refusing_url)
    monkeypatch.setenv("ALL_PROXY", through(address))  # never used for this machine itself

    error = exchange_failure(transport, f"{scheme}://{host.format(address)}")

    assert error.effect is Effect.NOT_SENT
    assert str(error) == f"{route.format(address)} could not be reached: the connection was refused"


@pytest.mark.parametrize("proxy", ["http://", "{}:abc", "{}:99999", "ftp://{}:1", "http://[::1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_with_an_invalid_address_is_final(
    scheme: str, proxy: str, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy.format(f"someone:{PASSWORD}@127.0.0.1"))

    error = exchange_failure(transport, f"{scheme}://nothing.invalid")

    assert (error.cause, error.effect) == (Cause.PROXY, Effect.NOT_SENT)
    assert PASSWORD not in str(error)
    assert "the proxy's address, in ALL_PROXY, is not valid" in str(error)


@pytest.mark.parametrize("proxy", ["socks5://{}:1", "socks5h://{}:1", "SOCKS4://{}:1", "socks://{}:1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("variable", ["ALL_PROXY", "all_proxy", "{}_PROXY", "{}_proxy"])
def test_socks_proxy_is_final_and_names_its_variable(
    variable: str, scheme: str, proxy: str, make_transport: MakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = variable.format(scheme.upper() if variable.isupper() else scheme)
    monkeypatch.setenv(name, proxy.format(f"someone:{PASSWORD}@127.0.0.1"))

    error = exchange_failure(make_transport(proxy_variables=(name,)), f"{scheme}://nothing.invalid")

    assert (error.cause, error.effect) == (Cause.SOCKS_PROXY, Effect.NOT_SENT)
    assert str(error).endswith(f"could not be reached: {name} names a SOCKS proxy, and SOCKS is not supported")
    assert PASSWORD not in str(error)


def test_address_that_is_silent_in_the_handshake_is_not_the_first_next_time(
    trusting: Transport, tls: ssl.SSLContext, resolving: Callable[..., None]
) -> None:
    with FaultServer(ssl_context=tls, handshakes=[End.SILENCE]) as stuck, FaultServer(ssl_context=tls) as server:
        resolving(address_at(*stuck.address), address_at(*server.address))
        error = exchange_failure(trusting, "https://localhost", connect=0.3)
        result = post(trusting, "https://localhost")

    assert error.effect is Effect.NOT_SENT
    assert result.status == 201
    assert stuck.requests == []


def test_request_that_was_abandoned_before_an_address_responded_is_never_sent(
    transport: Transport, resolving: Callable[..., None]
) -> None:
    with FaultServer() as server, silent_address() as silent:
        resolving(silent, address_at(*server.address))
        with pytest.raises(ExchangeError) as caught:
            post(transport, "http://name.example", Deadline.after(0.1))
        time.sleep(0.5)

    assert caught.value.effect is Effect.NOT_SENT
    assert server.requests == []


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


@pytest.mark.parametrize("end", [End.RESET, End.CLOSE])
def test_connection_that_ends_before_the_server_reads_the_request_is_ambiguous(end: End, transport: Transport) -> None:
    with FaultServer(handshakes=[end]) as server:
        error = exchange_failure(transport, server.url)

    assert error.effect is Effect.AMBIGUOUS
    assert server.requests == []


@pytest.mark.parametrize("end", [End.RESET, End.CLOSE, End.SILENCE])
def test_broken_handshake_is_not_sent(end: End, trusting: Transport, tls: ssl.SSLContext) -> None:
    with FaultServer(ssl_context=tls, handshakes=[end]) as server:
        error = exchange_failure(trusting, server.url, connect=0.2)

    assert (error.effect, error.status) == (Effect.NOT_SENT, None)
    assert server.requests == []


def test_request_that_was_abandoned_while_connecting_is_never_sent(
    trusting: Transport, tls: ssl.SSLContext, ca_bundle: str
) -> None:
    ssl_context((ca_bundle,))  # takes long the first time
    with FaultServer(ssl_context=tls, handshakes=[0.2]) as server:
        with pytest.raises(ExchangeError) as caught:
            get(trusting, server.url, Deadline.after(0.1))
        time.sleep(0.3)

    assert caught.value.effect is Effect.NOT_SENT
    assert server.connections == 1
    assert server.requests == []


def test_connection_is_closed_when_its_response_is_abandoned(transport: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        exchange_failure(transport, f"http://127.0.0.1:{listener.getsockname()[1]}", response=0.2)

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
    *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 201\r\n", b"HTTP/1.1 101 Other\r\n\r\n", b"HTTP/1.1 999 \xff\r\n"),
    *(b"Content-Length: 5\r\n", b"Content-Length: -5\r\n", b"Transfer-Encoding: chunked\r\n"),
    *(b"Content-Encoding: gzip, deflate, zstd\r\n", b"Set-Cookie: \x00=;;expires=\xff\r\n"),
    *(b"Location: //\xff:x\r\n", b": no name\r\n no colon\r\n", b"X: y\r\n" * 120, b"X" * 70_000),
    *(b"\r\n", b"5\r\nhello\r\n", b"-5\r\n", b"ffffffffffffffffff\r\n", b"0\r\n\r\n"),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=8), max_size=8))
def test_any_bytes_are_a_response_or_an_ambiguous_failure(fragments: list[bytes]) -> None:
    garbage = Fault(lambda _: fragments, End.CLOSE)

    transport, effects = Transport(EDIT_TOKEN, user_agent="x", network=Network()), set[Effect]()

    with FaultServer([Rule(garbage)]) as server, contextlib.closing(transport):
        try:
            post(transport, server.url)
        except ExchangeError as error:
            effects.add(error.effect)

    assert effects <= {Effect.AMBIGUOUS}


@contextlib.contextmanager
def tunnel_to(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, variable: str = "HTTPS_PROXY"
) -> Iterator[tuple[str, list[bytes]]]:
    """Run a proxy, named by a variable, whose one tunnel leads to a server; yield its address and what it receives."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=_tunnel, args=[listener, server.address, heard], daemon=True).start()
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        monkeypatch.setenv(variable, through(address))
        yield address, heard


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
    variable: str, trusting: Transport, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer(ssl_context=tls) as server, tunnel_to(server, monkeypatch, variable) as (_, heard):
        result = post(trusting, "https://api.example")

    assert result.status == 201
    assert heard[0].startswith(b"CONNECT api.example:443 ")
    assert b"Proxy-Authorization: Basic " in heard[0]
    assert EDIT_TOKEN.encode() not in heard[0]
    assert "Proxy-Authorization" not in server.requests[0].headers


def test_response_lost_in_a_tunnel_is_ambiguous(
    trusting: Transport, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = [Rule(FAULTS["close"], Phase.AFTER)]
    with FaultServer(script, ssl_context=tls) as server, tunnel_to(server, monkeypatch):
        error = exchange_failure(trusting, "https://api.example")

    assert error.effect is Effect.AMBIGUOUS
    assert PASSWORD not in str(error)


def test_certificate_in_a_tunnel_is_verified(
    transport: Transport, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer(ssl_context=tls) as server, tunnel_to(server, monkeypatch) as (proxy, _):
        error = exchange_failure(transport, "https://api.example")

    assert error.cause is Cause.UNKNOWN_AUTHORITY
    assert f"api.example through the proxy {proxy}" in str(error)
    assert PASSWORD not in str(error)
