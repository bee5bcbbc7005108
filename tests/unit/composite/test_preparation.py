"""How the composite action prepares a run."""

import pytest
from preparation import shorten_limit


@pytest.mark.parametrize(
    ("written", "seconds", "left"),
    [
        ("120", 3.2, "116"),
        ("12", 3.2, "10"),
        ("10", 3.2, "10"),
        (" 600 ", 60.0, "540"),
        ("601", 3.2, "601"),
        ("soon", 3.2, "soon"),
        ("", 3.2, ""),
    ],
)
def test_what_pip_took_is_missing_from_the_limit_of_the_step(written: str, seconds: float, left: str) -> None:
    environ = {"INPUT_TIMEOUT-SECONDS": written}

    assert shorten_limit(environ, seconds) == {"INPUT_TIMEOUT-SECONDS": left}
