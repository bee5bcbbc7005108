"""Models of the API, and what is true of them."""

import pytest

from onlineornot_action.onlineornot.models import StatusPage


@pytest.mark.parametrize(
    ("domain", "subdomain", "host"),
    [
        ("status.example.com", "example", "status.example.com"),
        ("https://status.example.com/", "example", "status.example.com"),
        ("http://status.example.com", None, "status.example.com"),
        (None, "example", "example.onlineornot.com"),
        ("", "example-shop", "example-shop.onlineornot.com"),
    ],
)
def test_readers_see_an_incident_at_the_pages_own_domain_or_at_its_subdomain(
    domain: str | None, subdomain: str | None, host: str
) -> None:
    page = StatusPage(custom_domain=domain, subdomain=subdomain)

    assert page.url_of("incident0001") == f"https://{host}/incidents/incident0001"
    assert page.url_of("") == f"https://{host}/"


@pytest.mark.parametrize(
    ("domain", "subdomain"),
    [
        *((None, None), ("", ""), (None, "a b"), (None, "a/../b"), (None, "a)[x](b"), ("localhost", "example")),
        *(("user@example.com", None), ("javascript:alert(1)", None), ("a..b", None), (f"{'a.' * 126}ab", None)),
        *(("exämple.com", None), ("a.b\n::error::", None), ("https://https://a.b", None)),
    ],
)
def test_an_invalid_host_gives_no_url(domain: str | None, subdomain: str | None) -> None:
    assert StatusPage(custom_domain=domain, subdomain=subdomain).url_of("incident0001") == ""
