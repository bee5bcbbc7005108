"""From what ended an exchange without a response to an error that says why, and how far the request got."""

import http.client
import re
import socket
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import requests
import urllib3

from onlineornot_action.onlineornot.connection import Progress
from onlineornot_action.onlineornot.errors import (
    APIConnectionError,
    APITimeoutError,
    CertificateError,
    Effect,
    ProxyError,
    SOCKSProxyError,
    UnknownAuthorityError,
)
from onlineornot_action.onlineornot.route import Proxy, Route


class BodyTooLargeError(Exception):
    """The body is larger than the limit."""


@dataclass(frozen=True)
class FailedExchange:
    """A request without a response: its route, how far it got, and when it began on the deadline's clock."""

    route: Route
    progress: Progress
    began: float


EXPECTED = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    BodyTooLargeError,
)
"""What ends an exchange, unless the code has a defect."""

_BAD_ADDRESSES = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    urllib3.exceptions.LocationValueError,
)

_NOT_ABOUT_THE_AUTHORITY = frozenset({9, 10, 62, 64})
"""A certificate is not yet valid or expired, or is for another host name or IP address: X509_V_ERR_* in
https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
"""

_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "its name could not be resolved"),
    (ConnectionRefusedError, "the connection was refused"),
    (ssl.SSLError, "the TLS handshake failed"),
    (http.client.RemoteDisconnected, "the connection was closed without a response"),
    (ConnectionError, "the connection was reset"),
    (http.client.IncompleteRead, "the response was cut short"),
    (BodyTooLargeError, "the response is too large"),
    (urllib3.exceptions.DecodeError, "the response cannot be decompressed"),
    (http.client.HTTPException, "the response is not HTTP"),
    (urllib3.exceptions.ProtocolError, "the response was cut short"),
)
"""The reason given for a failure: that of the first of these classes among its causes."""


def failure_of(failed: FailedExchange, error: BaseException) -> APIConnectionError:
    """Return the error that says why an exchange failed."""
    causes = list(_causes(error))
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return timed_out(failed)
    reason = next((text for kind, text in _REASONS if any(isinstance(cause, kind) for cause in causes)), "it failed")
    if failed.progress.sent:
        return _error(failed, f"the response from {failed.route} was lost: {reason}")
    return _not_sent(failed, reason, causes)


def timed_out(failed: FailedExchange) -> APIConnectionError:
    """Return the error that says that the time was up."""
    problem = "did not respond in time" if failed.progress.sent else "could not be reached in time"
    return _error(failed, f"{failed.route} {problem}", APITimeoutError)


def password_required(failed: FailedExchange, proxy: Proxy) -> ProxyError:
    """Return the error that says that the proxy responded with 407. The request went no further."""
    message = f"{failed.route} could not be reached: the proxy, which {proxy.variable} names, responded with 407"
    return ProxyError(message, effect=Effect.NOT_SENT, began=failed.began)


def find_proxy_problem(proxy: Proxy, error: BaseException) -> str:
    """Return what is wrong with the address of a proxy, if that is why a request was not sent; else an empty text."""
    if not any(isinstance(cause, _BAD_ADDRESSES) for cause in _causes(error)):
        return ""
    if proxy.is_socks:
        return f"{proxy.variable} names a SOCKS proxy, and SOCKS is not supported"
    return f"the proxy's address, in {proxy.variable}, is not valid"


def find_certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """Return why a certificate was refused, if that is what an error is about."""
    return next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLCertVerificationError)), None)


def is_about_the_authority(error: ssl.SSLCertVerificationError) -> bool:
    """Tell whether trusting another authority would help."""
    return error.verify_code not in _NOT_ABOUT_THE_AUTHORITY


def _not_sent(failed: FailedExchange, reason: str, causes: Iterable[BaseException]) -> APIConnectionError:
    unreachable = f"{failed.route} could not be reached"
    proxy = failed.route.proxy
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate_refused(failed, cause)
        if isinstance(cause, ssl.SSLError) and cause.library in ("PEM", "X509"):
            return _error(failed, "a file of trusted certificates has no valid certificate", CertificateError)
        if proxy and (problem := find_proxy_problem(proxy, cause)):
            kind = SOCKSProxyError if proxy.is_socks else ProxyError
            return _error(failed, f"{unreachable}: {problem}", kind)
        if tunnel := re.match(r"Tunnel connection failed: (\d{3})", str(cause)):
            if proxy and tunnel[1] == "407":
                return password_required(failed, proxy)
            return _error(failed, f"{unreachable}: the proxy responded with {tunnel[1]}")
    return _error(failed, f"{unreachable}: {reason}")


def _certificate_refused(failed: FailedExchange, cause: ssl.SSLCertVerificationError) -> CertificateError:
    kind = UnknownAuthorityError if is_about_the_authority(cause) else CertificateError
    message = f"the certificate of {failed.route} was refused: {cause.verify_message}"
    return kind(message, effect=Effect.NOT_SENT, began=failed.began)


def _error(
    failed: FailedExchange, message: str, kind: type[APIConnectionError] = APIConnectionError
) -> APIConnectionError:
    progress = failed.progress
    effect = Effect.AMBIGUOUS if progress.sent else Effect.NOT_SENT
    return kind(message, effect=effect, status=progress.status, began=failed.began)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that it wraps; urllib3 keeps a cause in `reason`, requests in its arguments."""
    pending, seen = [error], set[int]()
    while pending:
        cause = pending.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        around = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
        pending += [wrapped for wrapped in around if isinstance(wrapped, BaseException)]
