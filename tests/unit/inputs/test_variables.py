"""The environment, read once: secrets, certificates, and the address of the run."""

from pathlib import Path

import pytest
from support.inputs import CREATE, TOKEN, USUAL, as_variables, problem, read, refuse

from onlineornot_action.inputs.variables import (
    CA_VARIABLES,
    EXTRA_CA_VARIABLE,
    Certificates,
    Environment,
    GitHubVariables,
)

OTHER = "other-token-1234"
PRIVATE_KEY = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----\n"
MISSING = "/no/such/file.pem"
RUN = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "example/shop", "GITHUB_RUN_ID": "1658821493"}


@pytest.mark.parametrize(
    "variables",
    [
        as_variables(USUAL | {"api_token": f"Bearer {OTHER}"}),
        as_variables(USUAL) | {"ONLINEORNOT_API_TOKEN": OTHER},
        as_variables(USUAL | {"github-token": OTHER}),
        as_variables(USUAL | {"github-token": "short", "api_token": "${{ secrets.TOKEN }}"})
        | {"ONLINEORNOT_API_TOKEN": OTHER},
    ],
    ids=["both spellings", "the variable for the token too", "both tokens", "no short text and no expression"],
)
def test_every_token_is_a_secret_even_where_another_takes_its_place(variables: dict[str, str]) -> None:
    assert Environment.of(variables).secrets == (TOKEN, OTHER)


def test_every_path_that_does_not_exist_is_refused() -> None:
    variables = sorted(set(CA_VARIABLES) - {EXTRA_CA_VARIABLE})

    problems = refuse(CREATE, dict.fromkeys(variables, MISSING)).problems

    assert [line.split(";")[0] for line in problems] == [
        f"{variable} names a path that does not exist where the action runs" for variable in variables
    ]


def test_a_missing_file_of_extra_certificates_is_a_warning() -> None:
    (warning,) = read(CREATE, {EXTRA_CA_VARIABLE: MISSING}).warnings

    assert warning.startswith(f"{EXTRA_CA_VARIABLE} names a path that does not exist where the action runs")
    assert Certificates.of({EXTRA_CA_VARIABLE: MISSING}).paths == ()


@pytest.mark.parametrize("variable", CA_VARIABLES)
@pytest.mark.parametrize("content", ["", "no certificate", PRIVATE_KEY, "-----BEGIN CERTIFICATE-----\nx\n"])
def test_a_file_without_a_certificate_is_refused(variable: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text(content, encoding="utf-8")

    message = problem(CREATE, {variable: str(path)})

    assert message.startswith(f"{variable} names a file without a valid certificate")


def test_a_device_and_a_file_with_one_broken_certificate_among_good_ones_are_refused_at_once(
    ca_bundle: str, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(Path(ca_bundle).read_bytes() + b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")

    variables = {"SSL_CERT_FILE": str(path), "CURL_CA_BUNDLE": "/dev/null", "REQUESTS_CA_BUNDLE": MISSING}
    problems = refuse(CREATE, variables).problems

    assert [line.split()[0] for line in problems] == ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"]


def test_comments_and_windows_line_ends_between_certificates_do_no_harm(ca_bundle: str, tmp_path: Path) -> None:
    path, good = tmp_path / "ca.pem", Path(ca_bundle).read_bytes()
    path.write_bytes(b"# Example\r\n" + good.replace(b"\n", b"\r\n") + b"\n# Another\n" + good)

    assert Certificates.of({"SSL_CERT_FILE": str(path)}).problems == ()


@pytest.mark.parametrize("variable", CA_VARIABLES)
def test_certificates_may_be_a_file_or_a_folder_and_an_empty_variable_names_none(variable: str, ca_bundle: str) -> None:
    assert [Certificates.of({variable: path}) for path in (ca_bundle, "/", "")] == [
        Certificates((ca_bundle,), (), ()),
        Certificates(("/",), (), ()),
        Certificates((), (), ()),
    ]


def test_all_named_certificates_are_used_each_once(ca_bundle: str, tmp_path: Path) -> None:
    environ = {"SSL_CERT_FILE": ca_bundle, EXTRA_CA_VARIABLE: str(tmp_path), "REQUESTS_CA_BUNDLE": ca_bundle}

    assert Certificates.of(environ).paths == (ca_bundle, str(tmp_path))


def test_the_address_of_the_run_is_made_of_the_runners_variables() -> None:
    assert GitHubVariables.of(RUN).run_url == "https://github.com/example/shop/actions/runs/1658821493"


@pytest.mark.parametrize("name", RUN)
@pytest.mark.parametrize("value", ["", "a)b](c", "x\ny", "<b>"])
def test_the_address_is_empty_where_one_of_them_is_missing_or_strange(name: str, value: str) -> None:
    assert GitHubVariables.of(RUN | {name: value}).run_url == ""
