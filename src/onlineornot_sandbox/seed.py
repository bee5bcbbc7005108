"""Initial content of the status page. The ids are fixed, so that commands and tests can name them."""

from onlineornot_sandbox.resources import Component, Group, Incident, IncidentUpdate, Page

PAGE_ID = "sandboxpage1"
PAGE = Page(id=PAGE_ID, name="Example Shop", subdomain="example-shop")

SHOP_GROUP_ID = "group-shop"
CORE_GROUP_ID = "group-core"

WEBSITE_ID = "comp-website"
PAYMENTS_ID = "comp-payment"
API_ID = "comp-api"
SEARCH_ID = "comp-search"
COMPONENT_IDS = (WEBSITE_ID, PAYMENTS_ID, API_ID, SEARCH_ID)

INCIDENT_ID = "incident0001"
INCIDENT_TITLE = "Checkout is failing"
UPDATE_ID = "update000001"

SUBSCRIBERS = ("ada@example.com", "grace@example.com", "linus@example.com")


def seed_groups(at: str) -> tuple[Group, ...]:
    """Create two groups of components."""
    return (
        Group(id=SHOP_GROUP_ID, name="Shop", sort_order=1, created_at=at, updated_at=at),
        Group(id=CORE_GROUP_ID, name="Core", sort_order=2, created_at=at, updated_at=at),
    )


def seed_components(at: str) -> tuple[Component, ...]:
    """Create four components, two in each group."""
    return (
        Component(id=WEBSITE_ID, name="Website", group_id=SHOP_GROUP_ID, created_at=at, updated_at=at),
        Component(id=PAYMENTS_ID, name="Payments", group_id=SHOP_GROUP_ID, created_at=at, updated_at=at),
        Component(id=API_ID, name="API", group_id=CORE_GROUP_ID, created_at=at, updated_at=at),
        Component(id=SEARCH_ID, name="Search", group_id=CORE_GROUP_ID, created_at=at, updated_at=at),
    )


def seed_incident(at: str) -> Incident:
    """Create an open incident with its first update."""
    first = IncidentUpdate(
        id=UPDATE_ID,
        incident_id=INCIDENT_ID,
        status="INVESTIGATING",
        description="Some payments do not go through. We are looking into it.",
        date_happened=at,
        created_at=at,
        updated_at=at,
    )
    return Incident(
        id=INCIDENT_ID,
        title=INCIDENT_TITLE,
        impact="NO_IMPACT",
        started=at,
        created_at=at,
        updated_at=at,
        updates=(first,),
    )
