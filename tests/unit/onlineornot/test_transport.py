"""One exchange: what comes back, and what is known when nothing does."""

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
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fault_server import (
    DEEP_JSON,
    EARLY_HINTS,
    FAULTS,
    FOREVER,
    LOST_ANSWERS,
    WELL,
    End,
    Fault,
    FaultServer,
    Phase,
    Play,
    VirtualClock,
    response,
)

from onlineornot_action.onlineornot.deadline import Deadline, Limits
from onlineornot_action.onlineornot.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    CancelledError,
    CertificateError,
    Effect,
    ProxyError,
)
from onlineornot_action.onlineornot.transport import Request, Response, Transport
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID

PATH = f"/v1/status_pages/{PAGE_ID}/incidents/{INCIDENT_ID}/updates"
UPDATE = b'{"status": "UPDATE", "description": "We are still at it.", "notify_subscribers": false}'
SHORT = Limits(connect=0.2, response=0.2)
PASSWORD = "proxy-password"
PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
SLOW_ANSWERS = ("silence", "headers stop", "headers drip", "body stops", "body drips", "103 for ever")

MakeTransport = Callable[..., Transport]


@pytest.fixture(autouse=True)
def _no_proxy_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def make_transport() -> Iterator[MakeTransport]:
    """Make transports that are closed after the test."""
    with contextlib.ExitStack() as stack:

        def make(limits: Limits = Limits(), ca_bundle: str | None = None) -> Transport:  # noqa: B008 - frozen
            transport = Transport(EDIT_TOKEN, user_agent="tests/1", ca_bundle=ca_bundle, limits=limits)
            stack.callback(transport.close)
            return transport

        yield make


@pytest.fixture
def transport(make_transport: MakeTransport) -> Transport:
    return make_transport()


def serving_as(authority: trustme.CA, host: str) -> ssl.SSLContext:
    """Make the context of a server whose certificate is for this host."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


@pytest.fixture
def refusing_url() -> Iterator[str]:
    """The address of a port at which nobody listens, and nobody else can."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def silent_url() -> Iterator[str]:
    """The address of a port whose queue is full: connecting to it is never answered."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def get(transport: Transport, url: str, deadline: Deadline | None = None) -> Response:
    """List the updates of the sandbox's incident."""
    return transport.exchange(Request("GET", url + PATH, {"page": 1}), deadline or Deadline.after(20))


def post(transport: Transport, url: str, deadline: Deadline | None = None) -> Response:
    """Post an update."""
    return transport.exchange(Request("POST", url + PATH, body=UPDATE), deadline or Deadline.after(20))


def failure(transport: Transport, url: str) -> APIConnectionError:
    """Post an update, and catch what goes wrong."""
    with pytest.raises(APIConnectionError) as caught:
        post(transport, url)
    return caught.value


# What a healthy exchange looks like


def test_request_bears_token_name_and_json(transport: Transport) -> None:
    with FaultServer() as server:
        result = post(transport, server.url)

    headers = server.requests[0].headers
    assert result.status == 201
    assert server.requests[0].body == UPDATE
    assert headers["Authorization"] == f"Bearer {EDIT_TOKEN}"
    assert headers["User-Agent"] == "tests/1"
    assert headers["Accept"] == "application/json"
    assert headers["Content-Type"] == "application/json"
    assert len(server.store.timeline()) == 2


def test_request_without_a_body_names_no_type_of_one(transport: Transport) -> None:
    with FaultServer() as server:
        get(transport, server.url)

    assert server.requests[0].path == f"{PATH}?page=1"
    assert "Content-Type" not in server.requests[0].headers


@pytest.mark.parametrize("status", [200, 202, 204, 301, 400, 404, 407, 408, 429, 500, 501, 503, 520, 599])
def test_complete_response_comes_back_whatever_its_status(status: int, transport: Transport) -> None:
    with FaultServer([Play(response(status, headers={"Retry-After": "7"}))]) as server:
        result = post(transport, server.url)

    assert (result.status, result.body) == (status, b"")
    assert result.headers["retry-after"] == "7"
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", ["103 first", "100 first", "chunked", "gzip"])
def test_unusual_form_does_not_change_the_response(name: str, transport: Transport) -> None:
    with FaultServer([Play(FAULTS[name], Phase.AFTER)]) as server:
        result = post(transport, server.url)

    assert result.status == 201
    assert server.store.timeline()[-1].id.encode() in result.body


def test_deep_json_is_only_bytes_here(transport: Transport) -> None:
    with FaultServer([Play(FAULTS["200 deep JSON"])]) as server:
        result = get(transport, server.url)

    assert result.body == DEEP_JSON.encode()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(status: int, transport: Transport) -> None:
    with FaultServer() as target, FaultServer([Play(response(status, "", {"Location": target.url + PATH}))]) as server:
        result = post(transport, server.url)

    assert result.status == status
    assert result.headers["location"] == target.url + PATH
    assert target.connections == 0


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


def test_https_trusts_the_given_authority(make_transport: MakeTransport, tls: ssl.SSLContext, ca_bundle: str) -> None:
    with FaultServer(ssl_context=tls) as server:
        result = post(make_transport(ca_bundle=ca_bundle), server.url)

    assert result.status == 201


# Which connection is used again


def test_connection_is_kept_while_all_is_well(transport: Transport) -> None:
    with FaultServer() as server:
        get(transport, server.url)
        post(transport, server.url)
        get(transport, server.url)

    assert server.connections == 1


@pytest.mark.parametrize("name", ["500 envelope", "404 envelope", "429 for a second", "307 elsewhere"])
def test_connection_is_dropped_after_a_refusal(name: str, transport: Transport) -> None:
    with FaultServer([Play(FAULTS[name])]) as server:
        get(transport, server.url)
        get(transport, server.url)

    assert server.connections == 2


@pytest.mark.parametrize("name", ["close", "gzip that is none", "huge body"])
def test_connection_is_dropped_after_a_lost_response(name: str, transport: Transport) -> None:
    with FaultServer([Play(FAULTS[name])]) as server:
        failure(transport, server.url)
        result = get(transport, server.url)

    assert result.status == 200
    assert server.connections == 2


@pytest.mark.parametrize(("seconds", "connections"), [(1.9, 1), (2.1, 2)])
def test_connection_that_stood_idle_for_long_is_not_used_again(
    seconds: float, connections: int, transport: Transport
) -> None:
    clock = VirtualClock()
    deadline = Deadline.after(60, clock)

    with FaultServer() as server:
        get(transport, server.url, deadline)
        clock.sleep(seconds)
        get(transport, server.url, deadline)

    assert server.connections == connections


def test_connection_that_the_server_closed_is_made_anew(transport: Transport) -> None:
    with FaultServer([Play(FAULTS["closed afterwards"])]) as server:
        get(transport, server.url)
        result = post(transport, server.url)

    assert result.status == 201
    assert server.connections == 2


def test_closing_twice_does_no_harm(transport: Transport) -> None:
    with FaultServer() as server:
        get(transport, server.url)

        transport.close()
        transport.close()

        assert get(transport, server.url).status == 200


# Before the request left, nothing can have happened


def test_refused_connection_is_not_sent(transport: Transport, refusing_url: str) -> None:
    error = failure(transport, refusing_url)

    assert (error.effect, error.final) == (Effect.NOT_SENT, False)
    assert str(error).endswith("could not be reached: the connection was refused")


@pytest.mark.parametrize("host", ["nothing.invalid", "nothing..invalid", f"{'x' * 64}.invalid"])
def test_unknown_name_is_not_sent(host: str, transport: Transport) -> None:
    error = failure(transport, f"https://{host}")

    assert (type(error), error.effect, error.final) == (APIConnectionError, Effect.NOT_SENT, False)
    assert str(error).startswith(f"{host} could not be reached")


def test_connection_that_nobody_answers_is_not_sent(make_transport: MakeTransport, silent_url: str) -> None:
    begin = time.monotonic()

    error = failure(make_transport(SHORT), silent_url)

    assert (type(error), error.effect, error.final) == (APITimeoutError, Effect.NOT_SENT, False)
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("end", [End.RESET, End.CLOSE, End.SILENCE])
def test_broken_handshake_is_not_sent(
    end: End, make_transport: MakeTransport, tls: ssl.SSLContext, ca_bundle: str
) -> None:
    with FaultServer(ssl_context=tls, handshakes=[end]) as server:
        error = failure(make_transport(SHORT, ca_bundle), server.url)

    assert (error.effect, error.status, error.final) == (Effect.NOT_SENT, None, False)
    assert server.requests == []


def test_server_that_speaks_no_tls_is_not_sent(transport: Transport) -> None:
    with FaultServer([Play(FAULTS["not HTTP"], times=FOREVER)]) as server:
        error = failure(transport, server.url.replace("http:", "https:"))

    assert (error.effect, error.final) == (Effect.NOT_SENT, False)


def test_certificate_of_an_unknown_authority_is_final(transport: Transport, tls: ssl.SSLContext) -> None:
    with FaultServer(ssl_context=tls) as server:
        error = failure(transport, server.url)

    assert (type(error), error.effect, error.final) == (CertificateError, Effect.NOT_SENT, True)
    assert str(error).startswith("the certificate of localhost:")
    assert server.requests == []


def test_certificate_for_another_host_is_final(
    make_transport: MakeTransport, authority: trustme.CA, ca_bundle: str
) -> None:
    with FaultServer(ssl_context=serving_as(authority, "elsewhere.invalid")) as server:
        error = failure(make_transport(ca_bundle=ca_bundle), server.url)

    assert (type(error), error.effect, error.final) == (CertificateError, Effect.NOT_SENT, True)
    assert "Hostname mismatch" in str(error)
    assert server.requests == []


@pytest.mark.parametrize("text", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"])
def test_bundle_without_certificates_is_final(
    text: str, make_transport: MakeTransport, tls: ssl.SSLContext, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text(text)

    with FaultServer(ssl_context=tls) as server:
        error = failure(make_transport(ca_bundle=str(bundle)), server.url)

    assert (type(error), error.effect) == (CertificateError, Effect.NOT_SENT)
    assert server.requests == []


def test_request_that_was_given_up_while_connecting_never_leaves(
    make_transport: MakeTransport, tls: ssl.SSLContext, ca_bundle: str
) -> None:
    with FaultServer(ssl_context=tls, handshakes=[0.2]) as server:
        with pytest.raises(APITimeoutError) as caught:
            get(make_transport(ca_bundle=ca_bundle), server.url, Deadline.after(0.1))
        time.sleep(0.3)

    assert caught.value.effect is Effect.NOT_SENT
    assert server.connections == 1
    assert server.requests == []


# Once it may have left, nothing is certain


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("name", LOST_ANSWERS)
def test_lost_response_is_ambiguous(name: str, phase: Phase, make_transport: MakeTransport) -> None:
    limits = Limits(response=0.2 if name in SLOW_ANSWERS else 10)

    with FaultServer([Play(LOST_ANSWERS[name], phase)]) as server:
        error = failure(make_transport(limits), server.url)

    assert (error.effect, error.final) == (Effect.AMBIGUOUS, False)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("reset", "the connection was reset"),
        ("close", "the connection was closed without a response"),
        ("headers cut between lines", "the response was cut short"),
        ("body cut", "the response was cut short"),
        ("chunk cut", "the response was cut short"),
        ("last chunk missing", "the response was cut short"),
        ("huge body", "the response is too large"),
        ("gzip that is none", "the response cannot be decompressed"),
        ("not HTTP", "the response is not HTTP"),
    ],
)
def test_lost_response_is_told_in_plain_words(name: str, words: str, transport: Transport) -> None:
    with FaultServer([Play(LOST_ANSWERS[name])]) as server:
        error = failure(transport, server.url)

    assert str(error) == f"the response of {address_of(server.url)} was lost: {words}"


@pytest.mark.parametrize("name", ["reset", "close", "body cut"])
def test_response_lost_over_tls_is_ambiguous(
    name: str, make_transport: MakeTransport, tls: ssl.SSLContext, ca_bundle: str
) -> None:
    with FaultServer([Play(LOST_ANSWERS[name], Phase.AFTER)], ssl_context=tls) as server:
        error = failure(make_transport(ca_bundle=ca_bundle), server.url)

    assert (error.effect, error.final) == (Effect.AMBIGUOUS, False)
    assert len(server.store.timeline()) == 2


@pytest.mark.parametrize("end", [End.RESET, End.CLOSE])
def test_connection_that_ends_before_the_server_has_read_is_ambiguous(end: End, transport: Transport) -> None:
    with FaultServer(handshakes=[end]) as server:
        error = failure(transport, server.url)

    assert error.effect is Effect.AMBIGUOUS
    assert server.requests == []


@pytest.mark.parametrize(
    "name", ["status line cut", "headers cut between lines", "headers drip", "body reset", "body drips", "huge body"]
)
def test_status_is_known_as_soon_as_its_line_was_read(name: str, make_transport: MakeTransport) -> None:
    limits = Limits(response=1 if name in SLOW_ANSWERS else 10)

    with FaultServer([Play(LOST_ANSWERS[name], Phase.AFTER)]) as server:
        error = failure(make_transport(limits), server.url)

    assert error.status == 201


@pytest.mark.parametrize("prefix", [EARLY_HINTS, b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_interim_status_is_not_the_status(prefix: bytes, transport: Transport) -> None:
    with FaultServer([Play(Fault(lambda _: [prefix], End.CLOSE))]) as server:
        error = failure(transport, server.url)

    assert (error.effect, error.status) == (Effect.AMBIGUOUS, None)


def cancelled() -> Deadline:
    """Make a deadline that lies far ahead, but is cancelled."""
    return Deadline.after(20, cancelled=lambda: True)


def test_cancelled_read_is_waited_for_no_longer(make_transport: MakeTransport) -> None:
    begin = time.monotonic()

    with FaultServer([Play(FAULTS["silence"])]) as server, pytest.raises(CancelledError):
        get(make_transport(Limits(grace=10)), server.url, cancelled())

    assert time.monotonic() - begin < 5


def test_cancelled_write_that_is_not_sent_is_not_waited_for(make_transport: MakeTransport, silent_url: str) -> None:
    begin = time.monotonic()

    with pytest.raises(CancelledError):
        post(make_transport(Limits(grace=10)), silent_url, cancelled())

    assert time.monotonic() - begin < 5


def test_cancelled_write_gets_a_little_time_for_its_response(make_transport: MakeTransport) -> None:
    late = Fault(lambda reply: [0.3, reply.wire()])

    with FaultServer([Play(late, Phase.AFTER)]) as server:
        result = post(make_transport(Limits(grace=10)), server.url, cancelled())

    assert result.status == 201


def test_cancelled_write_whose_response_does_not_come_is_ambiguous(make_transport: MakeTransport) -> None:
    begin = time.monotonic()

    with FaultServer([Play(FAULTS["silence"])]) as server, pytest.raises(APITimeoutError) as caught:
        post(make_transport(Limits(grace=0.2)), server.url, cancelled())

    assert caught.value.effect is Effect.AMBIGUOUS
    assert 0.2 <= time.monotonic() - begin < 5


@pytest.mark.parametrize("name", SLOW_ANSWERS)
def test_slow_response_is_cut_at_its_limit(name: str, make_transport: MakeTransport) -> None:
    begin = time.monotonic()

    with FaultServer([Play(LOST_ANSWERS[name])]) as server:
        error = failure(make_transport(Limits(response=0.2)), server.url)

    assert isinstance(error, APITimeoutError)
    assert str(error).endswith("did not response in time")
    assert 0.2 <= time.monotonic() - begin < 5


@pytest.mark.parametrize("name", ["silence", "headers drip", "body drips"])
def test_nothing_outlives_the_deadline(name: str, transport: Transport) -> None:
    begin = time.monotonic()

    with FaultServer([Play(LOST_ANSWERS[name])]) as server, pytest.raises(APITimeoutError):
        get(transport, server.url, Deadline.after(0.2))

    assert time.monotonic() - begin < 5


def test_connecting_does_not_outlive_the_deadline_either(transport: Transport, silent_url: str) -> None:
    begin = time.monotonic()

    with pytest.raises(APITimeoutError) as caught:
        get(transport, silent_url, Deadline.after(0.2))

    assert caught.value.effect is Effect.NOT_SENT
    assert time.monotonic() - begin < 5


SHAPES = {"as it is": WELL.fault, "gzip": FAULTS["gzip"], "chunked": FAULTS["chunked"]}


def sized(shape: Fault, size: int) -> Fault:
    """Make the fault that is a response of this shape and size."""
    return Fault(lambda reply: shape.stream(replace(reply, body=b"x" * size)))


@pytest.mark.parametrize("shape", SHAPES)
def test_body_may_be_as_large_as_the_cap(shape: str, make_transport: MakeTransport) -> None:
    with FaultServer([Play(sized(SHAPES[shape], 1000))]) as server:
        result = get(make_transport(Limits(body=1000)), server.url)

    assert result.body == b"x" * 1000


@pytest.mark.parametrize("shape", SHAPES)
def test_body_that_is_larger_than_the_cap_when_unpacked_is_ambiguous(shape: str, make_transport: MakeTransport) -> None:
    with FaultServer([Play(sized(SHAPES[shape], 1001))]) as server:
        error = failure(make_transport(Limits(body=1000)), server.url)

    assert error.effect is Effect.AMBIGUOUS
    assert str(error).endswith("the response is too large")


@pytest.mark.parametrize("status", [200, 302, 500])
def test_gzip_bomb_is_not_unpacked_much_further_than_the_cap(status: int, transport: Transport) -> None:
    bomb = FAULTS["gzip bomb"].stream
    fault = Fault(lambda reply: bomb(replace(reply, status=status).having(Location="/")), End.CLOSE)

    with FaultServer([Play(fault)]) as server:
        tracemalloc.start()
        failure(transport, server.url)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 40 * 1024 * 1024


def test_response_that_was_given_up_is_waited_for_no_further(make_transport: MakeTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        failure(make_transport(SHORT), f"http://127.0.0.1:{listener.getsockname()[1]}")

        with listener.accept()[0] as connection:
            connection.settimeout(5)
            received = b"".join(iter(lambda: connection.recv(65536), b""))

    assert received.endswith(UPDATE)


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

    with FaultServer([Play(garbage)]) as server, contextlib.closing(Transport(EDIT_TOKEN, user_agent="x")) as transport:
        outcome = outcome_of(transport, server.url)

    assert isinstance(outcome, Response) or outcome.effect is Effect.AMBIGUOUS


def outcome_of(transport: Transport, url: str) -> Response | APIError:
    """Post an update; the outcome is what comes of it."""
    try:
        return post(transport, url)
    except APIError as error:
        return error


# No error tells the token


@pytest.mark.parametrize("name", ["reset", "silence", "body cut", "huge body", "gzip that is none", "not HTTP"])
def test_token_is_in_no_traceback(name: str, make_transport: MakeTransport) -> None:
    limits = Limits(response=0.2 if name in SLOW_ANSWERS else 10)

    with FaultServer([Play(LOST_ANSWERS[name])]) as server:
        error = failure(make_transport(limits), server.url)

    assert EDIT_TOKEN not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("line", ["{}", "HTTP/1.1 {}", "HTTP/1.1 200 {}", "HTTP/1.1 200 OK\r\nContent-Length: {}, 1"])
def test_server_that_echoes_the_token_does_not_get_it_into_the_message(line: str, transport: Transport) -> None:
    echo = Fault(lambda _: [line.format(EDIT_TOKEN).encode(), b"\r\n"], End.CLOSE)

    with FaultServer([Play(echo)]) as server:
        error = failure(transport, server.url)

    assert EDIT_TOKEN not in f"{error!s} {error!r}"


# Proxies


@contextlib.contextmanager
def tunnel_to(server: FaultServer) -> Iterator[tuple[str, list[bytes]]]:
    """Run a proxy whose one tunnel leads to a server, whatever it is asked for; yield its address and what it hears."""
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


def through(address: str) -> str:
    """Word a proxy's address as the environment has it, with a password."""
    return f"http://someone:{PASSWORD}@{address}"


def address_of(url: str) -> str:
    """Take the host and port out of an address."""
    return url.rpartition("/")[2]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_tunnel_of_a_proxy_is_used(
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
    script = [Play(FAULTS["close"], Phase.AFTER)]
    with FaultServer(script, ssl_context=tls) as server, tunnel_to(server) as (proxy, _):
        monkeypatch.setenv("HTTPS_PROXY", through(proxy))

        error = failure(make_transport(ca_bundle=ca_bundle), "https://localhost")

    assert error.effect is Effect.AMBIGUOUS
    assert PASSWORD not in str(error)


def test_certificate_behind_a_proxy_is_verified(
    transport: Transport, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer(ssl_context=tls) as server, tunnel_to(server) as (proxy, _):
        monkeypatch.setenv("HTTPS_PROXY", through(proxy))

        error = failure(transport, "https://localhost")

    assert isinstance(error, CertificateError)
    assert f"localhost through the proxy {proxy}" in str(error)
    assert PASSWORD not in str(error)


def test_plain_http_goes_through_its_proxy(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", through(address_of(proxy.url)))

        result = post(transport, "http://nothing.invalid")

    assert result.status == 201
    assert proxy.requests[0].path == f"http://nothing.invalid{PATH}"


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "example.com,127.0.0.1", "127.0.0.0/8", "*"])
def test_host_in_no_proxy_is_asked_directly(
    no_proxy: str, transport: Transport, refusing_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", refusing_url)
    monkeypatch.setenv("NO_PROXY", no_proxy)

    with FaultServer() as server:
        result = post(transport, server.url)

    assert result.status == 201


def test_proxy_that_asks_for_a_password_is_final(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultServer([Play(response(407))]) as proxy:
        address = address_of(proxy.url)
        monkeypatch.setenv("HTTPS_PROXY", through(address))

        error = failure(transport, "https://nothing.invalid")

    assert (type(error), error.effect, error.final) == (ProxyError, Effect.NOT_SENT, True)
    assert str(error) == f"nothing.invalid through the proxy {address} could not be reached: the proxy answered 407"


@pytest.mark.parametrize("name", ["403 envelope", "502 html", "503 empty", "504 html"])
def test_proxy_that_makes_no_tunnel_is_not_sent(
    name: str, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer([Play(FAULTS[name])]) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", through(address_of(proxy.url)))

        error = failure(transport, "https://nothing.invalid")

    assert (error.effect, error.status, error.final) == (Effect.NOT_SENT, None, False)
    assert str(error).endswith(f"the proxy answered {name[:3]}")
    assert PASSWORD not in str(error)


@pytest.mark.parametrize("name", ["reset", "close", "silence", "headers drip", "not HTTP", "200 html"])
def test_proxy_that_breaks_is_not_sent(
    name: str, make_transport: MakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer([Play(FAULTS[name])]) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", through(address_of(proxy.url)))

        error = failure(make_transport(Limits(connect=0.3)), "https://nothing.invalid")

    assert (error.effect, error.status, error.final) == (Effect.NOT_SENT, None, False)
    assert PASSWORD not in str(error)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_that_refuses_the_connection_is_not_sent(
    scheme: str, transport: Transport, refusing_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = address_of(refusing_url)
    monkeypatch.setenv("ALL_PROXY", through(address))

    error = failure(transport, f"{scheme}://nothing.invalid")

    assert (error.effect, error.final) == (Effect.NOT_SENT, False)
    assert str(error) == f"nothing.invalid through the proxy {address} could not be reached: the connection was refused"


@pytest.mark.parametrize("proxy", ["http://", "{}:abc", "{}:99999", "socks5://{}:1", "ftp://{}:1", "http://[::1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_whose_address_is_none_is_final(
    scheme: str, proxy: str, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy.format(f"someone:{PASSWORD}@127.0.0.1"))

    error = failure(transport, f"{scheme}://nothing.invalid")

    assert (type(error), error.effect, error.final) == (ProxyError, Effect.NOT_SENT, True)
    assert PASSWORD not in str(error)
