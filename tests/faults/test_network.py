"""Whole steps on networks that work halfway: silent addresses, private authorities, useless proxies."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from support.certificates import Authority
from support.exchanges import lasting
from support.fault_server import FaultServer
from support.github_app import HEAD, REPOSITORY, SERVER_URL, TOKEN, GitHub, create_github_app, pull
from support.listeners import address_at, refusing_address, resolving_to, silent_address
from support.step import Result, RunStep, run_main

from onlineornot_action.network.connect import Address

TEXT = "The rollback is through."
UNUSED_URL = "http://name.example"


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


@pytest.fixture
def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStep:
    """Run a step that posts an update; `environ` is added to the runner's variables."""
    event = tmp_path / "event.json"
    event.write_text("{}", encoding="utf-8")
    runner = {
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_SERVER_URL": SERVER_URL,
        "GITHUB_SHA": HEAD,
        "ONLINEORNOT_ALLOW_HTTP": "true",
    }

    def run(url: str, *addresses: Address, environ: Mapping[str, str] = MappingProxyType({}), **options: Any) -> Result:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)  # requests reads the proxies there
        usual: dict[str, Any] = {"status": "monitoring", "description": TEXT, "timeout_seconds": "30"}
        usual["resolve"] = resolving_to(*addresses) if addresses else None
        return run_main(tmp_path, environ={**runner, **environ}, api_url=url, **(usual | options))

    return run


def texts(server: FaultServer) -> list[str]:
    """Return the texts of the updates that the server has received."""
    return [update.description for update in server.store.timeline()[1:]]


@pytest.mark.parametrize("environ", [{}, {"HTTP_PROXY": "http://proxy.example:3128"}], ids=["direct", "proxy"])
def test_the_update_is_posted_although_the_first_addresses_are_useless(
    post: RunStep, server: FaultServer, environ: dict[str, str]
) -> None:
    with lasting(), silent_address("127.0.0.2") as silent, refusing_address() as refusing:
        result = post(UNUSED_URL, silent, refusing, address_at(*server.address), environ=environ)

    assert result.end == (0, "created"), result.log
    assert texts(server) == [TEXT]
    assert server.requests[0].path.startswith(UNUSED_URL) is bool(environ)


def test_the_comment_is_written_although_an_address_of_github_is_silent(post: RunStep, server: FaultServer) -> None:
    github = GitHub(pulls={HEAD: [pull(7, merged=True)]})

    with (
        FaultServer(app=create_github_app(github)) as github_server,
        silent_address("127.0.0.2") as silent,
        lasting(most=8),
    ):
        good = {"github.example": address_at(*github_server.address), "name.example": address_at(*server.address)}
        result = post(
            UNUSED_URL,
            environ={"GITHUB_API_URL": "http://github.example"},
            resolve=lambda host, _port: [silent, good[host]],
            comment="true",
            github_token=TOKEN,
        )

    assert result.end == (0, "created"), result.log
    assert result.warnings == []
    assert TEXT in github.bodies(7)[0]


@pytest.mark.parametrize(
    ("first", "second"), [("REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), ("SSL_CERT_FILE", "CURL_CA_BUNDLE")]
)
def test_one_authority_of_the_api_and_one_of_github_may_be_named(
    first: str, second: str, post: RunStep, tmp_path: Path
) -> None:
    of_api, of_github = Authority("Of the API"), Authority("Of GitHub")
    environ = {first: of_api.write_to(tmp_path / "api.pem"), second: of_github.write_to(tmp_path / "github.pem")}
    github = GitHub(pulls={HEAD: [pull(7, merged=True)]})

    with (
        FaultServer(ssl_context=of_api.server_context()) as api,
        FaultServer(app=create_github_app(github), ssl_context=of_github.server_context()) as github_server,
    ):
        environ |= {"GITHUB_API_URL": github_server.url}
        result = post(api.url, environ=environ, comment="true", github_token=TOKEN)

    assert result.end == (0, "created"), result.log
    assert result.warnings == []
    assert TEXT in github.bodies(7)[0]


@pytest.mark.parametrize(
    ("certificate", "variables"),
    [({}, []), ({"days": -1}, ["REQUESTS_CA_BUNDLE"]), ({"host": "other.example"}, ["REQUESTS_CA_BUNDLE"])],
    ids=["unknown authority", "expired", "another host"],
)
def test_naming_an_authority_is_advised_unless_it_is_named(
    certificate: dict[str, Any], variables: list[str], post: RunStep, tmp_path: Path
) -> None:
    authority = Authority()
    environ = dict.fromkeys(variables, authority.write_to(tmp_path / "ca.pem"))

    with FaultServer(ssl_context=authority.server_context(**certificate)) as server:
        result = post(server.url, environ=environ)

    assert result.end == (1, "not-sent"), result.log
    assert "localhost" in result.error
    assert ("REQUESTS_CA_BUNDLE" in result.error) is not bool(variables)
    assert server.requests == []


def test_a_socks_proxy_is_named_by_its_variable(post: RunStep) -> None:
    result = post(UNUSED_URL, environ={"ALL_PROXY": "socks5://someone:secret@127.0.0.1:1080"})

    assert result.end == (1, "not-sent"), result.log
    assert "ALL_PROXY names a SOCKS proxy, and SOCKS is not supported" in result.error
    assert "secret" not in result.log


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "NO_PROXY"])
def test_a_usable_proxy_or_no_proxy_replaces_a_socks_proxy(post: RunStep, server: FaultServer, variable: str) -> None:
    value = {"HTTP_PROXY": server.url, "NO_PROXY": "name.example"}[variable]
    environ = {"ALL_PROXY": "socks5://127.0.0.1:1080", variable: value}

    result = post(UNUSED_URL, address_at(*server.address), environ=environ)

    assert result.end == (0, "created"), result.log
    assert texts(server) == [TEXT]


def test_github_behind_a_socks_proxy_costs_the_comment_alone(post: RunStep, server: FaultServer) -> None:
    environ = {"ALL_PROXY": "socks5://127.0.0.1:1080", "GITHUB_API_URL": "http://github.example"}

    result = post(server.url, environ=environ, comment="true", github_token=TOKEN)

    (warning,) = result.warnings
    assert result.end == (0, "created"), result.log
    assert "could not be reached: ALL_PROXY names a SOCKS proxy, and SOCKS is not supported" in warning
