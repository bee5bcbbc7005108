"""Which certificates are trusted: certifi's and the named ones, verified as OpenSSL does by default."""

import ssl
from pathlib import Path

import pytest
from support.certificates import Authority
from support.exchanges import MakeTransport, exchange_failure, post
from support.fault_server import FaultServer

from onlineornot_action.network.exchange import Cause, Effect
from onlineornot_action.network.tls import ssl_context


@pytest.fixture
def authority() -> Authority:
    return Authority()


def post_to(authority: Authority, make_transport: MakeTransport, *ca_paths: str) -> int:
    """Post to a server with a certificate of this authority, and return the status."""
    with FaultServer(ssl_context=authority.server_context()) as server:
        return post(make_transport(*ca_paths), server.url).status


def test_every_named_authority_is_trusted_whatever_a_strict_verification_would_miss(
    make_transport: MakeTransport, tmp_path: Path
) -> None:
    first, second = Authority(name="First"), Authority(name="Second")
    paths = first.write_to(tmp_path / "1.pem"), second.write_to(tmp_path / "2.pem")

    assert [post_to(each, make_transport, *paths) for each in (first, second)] == [201, 201]


@pytest.mark.parametrize(
    ("named", "host", "days", "cause", "words"),
    [
        pytest.param("another", "localhost", 10, Cause.UNKNOWN_AUTHORITY, "of localhost:", id="another authority"),
        pytest.param("own", "elsewhere.example", 10, Cause.CERTIFICATE, "Hostname mismatch", id="another host"),
        pytest.param("own", "localhost", -1, Cause.CERTIFICATE, "certificate has expired", id="another time"),
    ],
)
def test_a_certificate_of_another_authority_host_or_time_is_refused(
    named: str, host: str, days: int, cause: Cause, words: str, make_transport: MakeTransport, tmp_path: Path
) -> None:
    authorities = {"own": Authority(), "another": Authority("Another")}
    transport = make_transport(authorities[named].write_to(tmp_path / "ca.pem"))

    with FaultServer(ssl_context=authorities["own"].server_context(host, days=days)) as server:
        error = exchange_failure(transport, server.url)

    assert (error.cause, error.effect) == (cause, Effect.NOT_SENT)
    assert str(error).startswith("the certificate of localhost:")
    assert words in str(error)
    assert server.requests == []


def test_public_authorities_stay_trusted_beside_a_named_one(authority: Authority, tmp_path: Path) -> None:
    public = ssl_context().cert_store_stats()["x509"]

    context = ssl_context((authority.write_to(tmp_path / "ca.pem"),))

    assert public > 100
    assert context.cert_store_stats()["x509"] == public + 1


def test_verification_is_that_of_openssl_in_every_version() -> None:
    context = ssl_context()

    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_variables_that_other_programs_read_do_not_change_what_is_trusted(
    variable: str, authority: Authority, make_transport: MakeTransport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "nothing"))

    assert post_to(authority, make_transport, authority.write_to(tmp_path / "ca.pem")) == 201


def test_certificates_are_loaded_once(authority: Authority, make_transport: MakeTransport, tmp_path: Path) -> None:
    path = authority.write_to(tmp_path / "ca.pem")
    post_to(authority, make_transport, path)

    Path(path).unlink()

    assert post_to(authority, make_transport, path) == 201


def test_a_folder_of_certificates_is_trusted(
    authority: Authority, make_transport: MakeTransport, tmp_path: Path
) -> None:
    folder = tmp_path / "certificates"
    folder.mkdir()
    authority.write_to(folder / authority.hashed_name)

    assert post_to(authority, make_transport, str(folder)) == 201
