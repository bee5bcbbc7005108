"""The certificates that the environment names: which are used, and what is wrong with the others."""

from pathlib import Path

import pytest
from support.inputs import CREATE, problem, read, refuse

from onlineornot_action.inputs.certificates import CA_VARIABLES, EXTRA_VARIABLE, find_ca_paths

MISSING = "/no/such/file.pem"


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_path_that_does_not_exist_is_refused(variable: str) -> None:
    message = problem(CREATE, {variable: MISSING})

    assert message.startswith(f"{variable} names a path that does not exist where the action runs")


def test_a_missing_file_of_extra_certificates_is_a_warning() -> None:
    (warning,) = read(CREATE, {EXTRA_VARIABLE: MISSING}).warnings

    assert warning.startswith(f"{EXTRA_VARIABLE} names a file that does not exist where the action runs")
    assert find_ca_paths({EXTRA_VARIABLE: MISSING}) == ()


@pytest.mark.parametrize("variable", CA_VARIABLES)
@pytest.mark.parametrize("content", [b"", b"no certificate", b"\x30\x82\x01\x0a"])
def test_a_file_without_a_certificate_is_refused(variable: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(content)

    message = problem(CREATE, {variable: str(path)})

    assert message.startswith(f"{variable} names a file without a valid certificate")


def test_every_variable_with_a_problem_is_named() -> None:
    problems = refuse(CREATE, {"SSL_CERT_FILE": MISSING, "REQUESTS_CA_BUNDLE": __file__}).problems

    assert [problem.split()[0] for problem in problems] == ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"]


@pytest.mark.parametrize("variable", CA_VARIABLES)
def test_an_empty_variable_is_not_set(variable: str) -> None:
    assert read(CREATE, {variable: ""}).warnings == []
    assert find_ca_paths({variable: ""}) == ()


@pytest.mark.parametrize("variable", CA_VARIABLES)
def test_certificates_may_be_a_file_or_a_folder(variable: str, ca_bundle: str) -> None:
    assert read(CREATE, {variable: ca_bundle}).warnings == []
    assert read(CREATE, {variable: "/"}).warnings == []


def test_all_named_certificates_are_used_each_once(ca_bundle: str, tmp_path: Path) -> None:
    environ = {"SSL_CERT_FILE": ca_bundle, EXTRA_VARIABLE: str(tmp_path), "REQUESTS_CA_BUNDLE": ca_bundle}

    assert find_ca_paths(environ) == (ca_bundle, str(tmp_path))
