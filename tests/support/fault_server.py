"""A server that misbehaves according to a script, on real sockets, in front of a store that records what was written.

A script is a list of rules. Each request meets the first remaining rule that fits it; a request that no rule fits gets
the sandbox's response:

    script = [Rule(FAULTS["500 html"], method="GET"), Rule(FAULTS["reset"], Phase.AFTER, method="POST")]
    with FaultServer(script) as server:
        ...  # use server.url
    assert len(server.store.timeline()) == 2

`CASES` has every fault in every phase in which it claims nothing false about the store. Pauses end with the `with`
block; a late write is done by the first look at the store after its time has come.
"""

import contextlib
import gzip
import http.client
import json
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.message import Message
from email.utils import formatdate, parsedate_to_datetime
from enum import Enum
from functools import cached_property
from itertools import chain, cycle, repeat
from threading import Event, Lock, Thread
from typing import BinaryIO, Self

from flask import Flask

from onlineornot_sandbox.app import create_app
from onlineornot_sandbox.store import Store

FOREVER = float("inf")
DRIP_SECONDS = 0.02
MAX_SILENCE = 60.0
WRITES = frozenset({"POST", "PATCH", "DELETE"})
MEBIBYTE = 1024 * 1024

Step = bytes | float


class Phase(Enum):
    """Whether a fault strikes before or after the write; for a request that reads, both are the same."""

    BEFORE = "before the write"
    AFTER = "after the write"


BOTH = (Phase.BEFORE, Phase.AFTER)


class End(Enum):
    """What becomes of the connection once everything was sent."""

    KEEP = "it waits for the next request"
    CLOSE = "it is closed"
    RESET = "it is closed with RST"
    SILENCE = "it stays open until the client gives up: nothing ever comes, or the stream never ends"


@dataclass(frozen=True)
class Reply:
    """A complete response, from which a fault is made."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def head(self) -> bytes:
        """Return everything before the body; a length that `headers` names is not corrected."""
        length = {} if "Transfer-Encoding" in self.headers else {"Content-Length": str(len(self.body))}
        fields = (f"{name}: {value}\r\n" for name, value in {**length, **self.headers}.items())
        return f"HTTP/1.1 {self.status} Scripted\r\n{''.join(fields)}\r\n".encode()

    def wire(self) -> bytes:
        """Return the bytes of the whole response."""
        return self.head() + self.body

    def having(self, **headers: str) -> "Reply":
        """Add headers; an underscore stands for a hyphen."""
        added = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **added})


Stream = Callable[[Reply], Iterable[Step]]


@dataclass(frozen=True)
class Fault:
    """What is sent instead of a response: bytes and pauses in seconds, made from the response of a healthy server.

    Attributes:
        stream: Makes those bytes and pauses.
        end: What becomes of the connection then.
        phases: When it can strike without claiming anything false: a 400 after the write would be a lie.
        written_after: Seconds after which the write happens after all, if it has not yet.
    """

    stream: Stream
    end: End = End.KEEP
    phases: tuple[Phase, ...] = BOTH
    written_after: float | None = None


@dataclass(frozen=True)
class Rule:
    """One entry of a script: a fault, when it strikes, which requests it meets, and how many of them.

    `path` is a part of the path; with `cancels`, the job is cancelled when the rule meets a request.
    """

    fault: Fault
    phase: Phase = Phase.BEFORE
    method: str | None = None
    times: float = 1
    path: str = ""
    cancels: bool = False

    def fits(self, request: "ReceivedRequest") -> bool:
        """Whether this rule meets a request."""
        return self.method in (None, request.method) and self.path in request.path


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as it was received; the path includes the query.

    `at` is the time of arrival on the server's clock `now`.
    """

    method: str
    path: str
    headers: Message
    body: bytes
    at: float


def response(
    status: int, body: bytes | str = b"", headers: Mapping[str, str] | None = None, *, phases: tuple[Phase, ...] = BOTH
) -> Fault:
    """Make the fault that is a complete response."""
    content = body.encode() if isinstance(body, str) else body
    extra = dict(headers or {})
    return Fault(lambda reply: [Reply(status, {**reply.headers, **extra}, content).wire()], phases=phases)


def envelope(result: object = None, *, success: bool = True, **beside: object) -> str:
    """Return a result in the API's envelope, as JSON."""
    errors = [] if success else [{"code": 10001, "message": "Scripted failure"}]
    return json.dumps({"result": result, **beside, "success": success, "errors": errors, "messages": []})


def _nothing(_reply: Reply) -> Iterable[Step]:
    return ()


def _good(reply: Reply) -> Iterable[Step]:
    return (reply.wire(),)


def lost_while(happens: Callable[[], object]) -> Fault:
    """Make the fault that is a lost response while something else happens."""

    def happen(_reply: Reply) -> Iterable[Step]:
        happens()
        return ()

    return Fault(happen, End.CLOSE)


def _changed(change: Callable[[Reply], Reply]) -> Fault:
    """Make the fault that is the true response, changed; it can strike only after the write."""
    return Fault(lambda reply: [change(reply).wire()], phases=(Phase.AFTER,))


def _cut(part: Callable[[Reply], bytes], end: End = End.CLOSE) -> Fault:
    return Fault(lambda reply: [part(reply)], end)


def _after(prefix: bytes) -> Fault:
    return Fault(lambda reply: [prefix, reply.wire()], phases=(Phase.AFTER,))


def _dripping(begin: Callable[[Reply], bytes]) -> Fault:
    drops: tuple[Step, ...] = (b" ", DRIP_SECONDS)
    return Fault(lambda reply: chain([begin(reply)], cycle(drops)), End.SILENCE)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _chunked(reply: Reply) -> Reply:
    return replace(reply.having(Transfer_Encoding="chunked"), body=_chunk(reply.body) + b"0\r\n\r\n")


def _huge(reply: Reply) -> Iterator[Step]:
    yield reply.having(Content_Length=str(50 * MEBIBYTE)).head()
    yield from repeat(b" " * MEBIBYTE, 50)


def _gzip_bomb(reply: Reply) -> Iterable[Step]:
    packed = gzip.compress(b" " * (8 * MEBIBYTE)) * 128  # a gibibyte in one megabyte
    return [replace(reply.having(Content_Encoding="gzip"), body=packed).wire()]


def _recounted(reply: Reply, difference: int) -> Reply:
    """Return a list with a wrong `total_count`; other responses stay as they are."""
    body = json.loads(reply.body)
    if "result_info" in body:
        body["result_info"]["total_count"] += difference
    return replace(reply, body=json.dumps(body).encode())


def _misdated(reply: Reply, hours: int) -> Reply:
    right = parsedate_to_datetime(reply.headers["Date"])
    return reply.having(Date=http_date((right + timedelta(hours=hours)).timestamp()))


def _every(
    statuses: Iterable[int], kind: str, body: str, headers: Mapping[str, str], phases: tuple[Phase, ...] = BOTH
) -> dict[str, Fault]:
    return {f"{status} {kind}": response(status, body, headers, phases=phases) for status in statuses}


def http_date(moment: float) -> str:
    """Format a moment as in a header."""
    return formatdate(moment, usegmt=True)


BEFORE = (Phase.BEFORE,)
HTML = "<!DOCTYPE html><html><title>Bad gateway</title><body><h1>Something in front of the API</h1></body></html>"
JSON_TYPE = {"Content-Type": "application/json"}
HTML_TYPE = {"Content-Type": "text/html; charset=utf-8"}
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
ERROR_ENVELOPE = envelope(success=False)
PRETENDED_WRITE = envelope({"id": "pretended001"})
"""What a healthy server would have responded if it had done the write."""
DEEP_JSON = "[" * 100_000 + "]" * 100_000
ELSEWHERE = "https://elsewhere.invalid/v1"

LOST_RESPONSES = {
    "reset": Fault(_nothing, End.RESET),
    "close": Fault(_nothing, End.CLOSE),
    "silence": Fault(_nothing, End.SILENCE),
    "written late": Fault(_nothing, End.CLOSE, BEFORE, written_after=0.2),
    "status line cut": _cut(lambda _: b"HTTP/1.1 201"),
    "headers cut inside a line": _cut(lambda reply: reply.head()[:40]),
    "headers cut between lines": _cut(lambda reply: reply.head()[:-2]),
    "headers reset": _cut(lambda reply: reply.head()[:-2], End.RESET),
    "headers stop": _cut(lambda reply: reply.head()[:-2], End.SILENCE),
    "headers drip": _dripping(lambda reply: reply.head()[:-2] + b"X-Drip: "),
    "body cut": _cut(lambda reply: reply.wire()[:-5]),
    "body reset": _cut(lambda reply: reply.wire()[:-5], End.RESET),
    "body stops": _cut(lambda reply: reply.wire()[:-5], End.SILENCE),
    "body drips": _dripping(lambda reply: reply.having(Content_Length="1000000").head()),
    "chunk cut": _cut(lambda reply: _chunked(reply).wire()[:-12]),
    "last chunk missing": _cut(lambda reply: _chunked(reply).wire()[:-5]),
    "huge body": Fault(_huge, End.CLOSE),
    "gzip bomb": Fault(_gzip_bomb, End.CLOSE),
    "gzip that is none": Fault(lambda reply: _good(reply.having(Content_Encoding="gzip"))),
    "103, then close": _cut(lambda _: EARLY_HINTS),
    "103 for ever": Fault(lambda _: cycle((EARLY_HINTS, DRIP_SECONDS)), End.SILENCE),
    "not HTTP": _cut(lambda _: b"SSH-2.0-OpenSSH_9.6\r\n\x00\xff\r\n\r\n"),
}
"""No complete response reaches the client."""

UNCERTAIN_STATUSES = (408, 500, 502, 503, 504, 520)
UNCERTAIN_RESPONSES = {
    **_every(UNCERTAIN_STATUSES, "envelope", ERROR_ENVELOPE, JSON_TYPE),
    **_every(UNCERTAIN_STATUSES, "html", HTML, HTML_TYPE),
    **_every(UNCERTAIN_STATUSES, "empty", "", {}),
}
"""Complete responses that say nothing about the write."""

STRANGE_RESPONSES = {
    "200 empty": response(200),
    "200 not JSON": response(200, '{"success": tru'),
    "200 html": response(200, HTML, HTML_TYPE),
    "200 deep JSON": response(200, DEEP_JSON, JSON_TYPE),
    "200 empty list": response(200, envelope([], result_info={"count": 0, "total_count": 0}), JSON_TYPE),
    "200 without success": response(200, '{"result": {"id": "strange00001"}}', JSON_TYPE),
    "200 failure with an id": response(200, envelope({"id": "strange00001"}, success=False), JSON_TYPE),
    "201 without an id": response(201, envelope({"status": "UPDATE"}), JSON_TYPE),
    "201 without a result": response(201, envelope(None), JSON_TYPE),
    "201 with another id": response(201, envelope({"id": "../../v1/x"}), JSON_TYPE),
    "202": response(202, envelope({"id": "strange00001"}), JSON_TYPE),
    "204": response(204),
}
"""Complete responses that claim success in a form that the API does not use."""

THROTTLES = {
    **_every((425, 429), "without Retry-After", ERROR_ENVELOPE, JSON_TYPE, BEFORE),
    **_every((425, 429), "for a second", ERROR_ENVELOPE, JSON_TYPE | {"Retry-After": "1"}, BEFORE),
}
"""Complete responses that ask the client to come back later."""

REJECTIONS = {
    **_every((400, 401, 403, 404, 409, 422, 501, 505), "envelope", ERROR_ENVELOPE, JSON_TYPE, BEFORE),
    **_every((200, 201), "rejection", ERROR_ENVELOPE, JSON_TYPE, BEFORE),
    **_every((301, 302, 303, 307, 308), "elsewhere", "", {"Location": ELSEWHERE}, BEFORE),
}
"""Complete responses of the API that say that nothing was written, and that trying again is useless."""

INTERCEPTED = {
    **_every((400, 401, 403, 404, 413, 501, 505), "html", HTML, HTML_TYPE),
    **_every((401, 403, 404), "text", "Access denied", {"Content-Type": "text/plain"}),
    **_every((401, 403, 404), "other JSON", '{"message": "Forbidden", "errors": ["WAF"]}', JSON_TYPE),
    "403 without a body": response(403),
}
"""Complete refusals by something in front of the API, which may have passed the request on all the same."""

REPLACED = {
    **_every((425, 429), "html", HTML, HTML_TYPE | {"Retry-After": "600"}),
    **_every((300, 302, 303, 304, 307), "html", HTML, {"Location": ELSEWHERE}),
    **_every((402, 403, 418, 451), "empty", "", {}),
}
"""Complete responses of any kind by something in front of the API, which may have passed the request on."""

GOOD_RESPONSES = {
    "103 first": _after(EARLY_HINTS),
    "100 first": _after(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "chunked": _changed(_chunked),
    "gzip": _changed(lambda reply: replace(reply.having(Content_Encoding="gzip"), body=gzip.compress(reply.body))),
    "closed afterwards": Fault(lambda reply: _good(reply.having(Connection="close")), End.CLOSE, (Phase.AFTER,)),
    "no Date": _changed(lambda reply: replace(reply, headers=JSON_TYPE)),
    "Date an hour ahead": _changed(lambda reply: _misdated(reply, 1)),
    "Date an hour behind": _changed(lambda reply: _misdated(reply, -1)),
    "total_count too high": _changed(lambda reply: _recounted(reply, 1)),
    "total_count too low": _changed(lambda reply: _recounted(reply, -1)),
}
"""Complete, correct responses that only look unusual."""

FAULTS = (
    LOST_RESPONSES | UNCERTAIN_RESPONSES | STRANGE_RESPONSES | THROTTLES | REJECTIONS | INTERCEPTED | GOOD_RESPONSES
)

CASES = {f"{name}, {phase.value}": Rule(fault, phase) for name, fault in FAULTS.items() for phase in fault.phases}

SILENT = {"reset", "close", "silence", "written late", "103, then close", "103 for ever", "not HTTP"}
FALSE_CLAIMS = {f"{name}, before the write" for name in (STRANGE_RESPONSES | LOST_RESPONSES).keys() - SILENT}
"""Cases in which the server begins to claim a write that it did not do."""

HEALTHY = Rule(Fault(_good), Phase.AFTER)


class FaultServer:
    """Serve a store by a script, as long as the block runs.

    Args:
        script: Which requests are met by which faults.
        store: What is written and read; a new one by default.
        app: Makes the responses of a healthy server; by default, the sandbox of that store.
        ssl_context: Serve HTTPS, for `localhost`.
        handshakes: What becomes of the first connections, one entry each: an end that comes at the client's first byte
            (with HTTPS, the first of the handshake), or seconds to pause before going on as usual.
        date_offset: By how many seconds the header `Date` is ahead; None leaves it out.
        now: Tells the time, for `Date`, late writes and received requests; by default, the store's clock.

    Attributes:
        script: What is left of the script; a test may add to it.
        requests: What was received.
        cancelled: Whether a rule has cancelled the job.
        address: The host and port that it listens on.
        connections: How many connections were accepted.
    """

    def __init__(
        self,
        script: Iterable[Rule] = (),
        *,
        store: Store | None = None,
        app: Flask | None = None,
        ssl_context: ssl.SSLContext | None = None,
        handshakes: Iterable[End | float] = (),
        date_offset: float | None = 0.0,
        now: Callable[[], float] | None = None,
    ) -> None:
        self.script = list(script)
        self.requests: list[ReceivedRequest] = []
        self.cancelled = False
        self._store = store or Store()
        self._given_app = app
        self._ssl_context, self._handshakes = ssl_context, iter(handshakes)
        self._date_offset, self._now = date_offset, now or (lambda: self._store.now().timestamp())
        self._late: list[tuple[float, ReceivedRequest]] = []
        self._over, self._lock = Event(), Lock()
        self._accepted: list[tuple[socket.socket, Thread]] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        if self._ssl_context:
            self._listener = self._ssl_context.wrap_socket(
                self._listener, server_side=True, do_handshake_on_connect=False
            )
        self._acceptor = Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        _shut(self._listener)
        self._acceptor.join()
        self._listener.close()
        for connection, _ in self._accepted:
            _shut(connection)
        for _, thread in self._accepted:
            thread.join(1)

    @property
    def url(self) -> str:
        """The address, without a slash at its end."""
        host, port = self.address
        return f"https://localhost:{port}" if self._ssl_context else f"http://{host}:{port}"

    @property
    def store(self) -> Store:
        """The store, after every late write is done."""
        self._write_late(FOREVER)
        return self._store

    @property
    def connections(self) -> int:
        """How many connections were accepted."""
        return len(self._accepted)

    def wait_for(self, method: str) -> None:
        """Wait until a request of this method has come in."""
        give_up = time.monotonic() + MAX_SILENCE
        while not any(request.method == method for request in self.requests):
            assert time.monotonic() < give_up, method
            time.sleep(0.01)

    @cached_property
    def _app(self) -> Flask:
        """The healthy server; created when first needed, because the sandbox's application is slow to create."""
        return self._given_app or create_app(self._store)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                continue  # the client left at once, or the server is closing
            handshake = next(self._handshakes, 0.0)
            thread = Thread(target=self._serve, args=[connection, handshake], daemon=True)
            self._accepted.append((connection, thread))
            thread.start()

    def _serve(self, connection: socket.socket, handshake: End | float) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as file:
            if isinstance(handshake, End):
                socket.socket.recv(connection, MEBIBYTE)
                self._end(connection, handshake)
                return
            self._over.wait(handshake)
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
            while self._meet(connection, file):
                pass

    def _meet(self, connection: socket.socket, file: BinaryIO) -> bool:
        """Meet one request; return whether the connection can take another."""
        request = _read_request(file, self._now)
        if request is None:
            return False
        self.requests.append(request)
        rule = self._next_rule(request)
        self.cancelled = self.cancelled or rule.cancels
        for step in rule.fault.stream(self._reply(request, rule)):
            if isinstance(step, bytes):
                connection.sendall(step)
            else:
                self._over.wait(step)
        self._end(connection, rule.fault.end)
        return rule.fault.end is End.KEEP

    def _next_rule(self, request: ReceivedRequest) -> Rule:
        with self._lock:
            for place, rule in enumerate(self.script):
                if rule.fits(request):
                    self.script[place : place + 1] = [replace(rule, times=rule.times - 1)] if rule.times > 1 else []
                    return rule
        return HEALTHY

    def _reply(self, request: ReceivedRequest, rule: Rule) -> Reply:
        """Do the write or skip it, and return the response of a healthy server."""
        self._write_late(self._now())
        if request.method not in WRITES or rule.phase is Phase.AFTER:
            reply = self._ask_app(request)
        else:
            reply = Reply(201 if request.method == "POST" else 200, JSON_TYPE, PRETENDED_WRITE.encode())
            if rule.fault.written_after is not None:
                with self._lock:
                    self._late.append((self._now() + rule.fault.written_after, request))
        if self._date_offset is None:
            return reply
        return reply.having(Date=http_date(self._now() + self._date_offset))

    def _ask_app(self, request: ReceivedRequest) -> Reply:
        headers = [(name, value) for name, value in request.headers.items() if name.lower() != "content-length"]
        reply = self._app.test_client().open(request.path, method=request.method, headers=headers, data=request.body)
        kept = {name: reply.headers[name] for name in ("Content-Type", "Link") if name in reply.headers}
        return Reply(reply.status_code, kept, reply.data)

    def _write_late(self, moment: float) -> None:
        """Do the writes that are due by then."""
        with self._lock:
            due = [request for at, request in self._late if at <= moment]
            self._late = [(at, request) for at, request in self._late if at > moment]
            for request in due:
                self._ask_app(request)

    def _end(self, connection: socket.socket, end: End) -> None:
        if end is End.RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if end is End.SILENCE:
            self._over.wait(MAX_SILENCE)


def _read_request(file: BinaryIO, now: Callable[[], float]) -> ReceivedRequest | None:
    """Read one request; None at the end of the connection."""
    words = file.readline().decode("latin-1").split()
    if len(words) != 3:
        return None
    headers = http.client.parse_headers(file)
    body = file.read(int(headers.get("Content-Length", "0")))
    return ReceivedRequest(words[0], words[1], headers, body, now())


def _shut(connection: socket.socket) -> None:
    """Shut a connection down below TLS, so that other threads that read or write it notice."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class VirtualClock:
    """A clock on which time passes only by sleeping, at once; its `time` can be a server's `now`."""

    BEGINNING = 1_800_000_000.0

    def __init__(self) -> None:
        self.now = self.BEGINNING

    @property
    def slept(self) -> float:
        """How many seconds have passed."""
        return self.now - self.BEGINNING

    def monotonic(self) -> float:
        """Tell the time."""
        return self.now

    time = monotonic

    def sleep(self, seconds: float) -> None:
        """Move the clock."""
        self.now += seconds
