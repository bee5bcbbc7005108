"""Initial content of the status page. The ids are fixed, so that commands and tests can name them."""

from onlineornot_sandbox.resources import Component, Group, Incident, IncidentUpdate, Page

PAGE_ID = "sandboxpage1"

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


def seed_page() -> Page:
    """Create the status page."""
    return Page(id=PAGE_ID, name="Example Shop", subdomain="example-shop")


def seed_groups(created_at: str) -> tuple[Group, ...]:
    """Create two groups of components."""
    return (
        Group(id=SHOP_GROUP_ID, name="Shop", sort_order=1, created_at=created_at, updated_at=created_at),
        Group(id=CORE_GROUP_ID, name="Core", sort_order=2, created_at=created_at, updated_at=created_at),
    )


def seed_components(created_at: str) -> tuple[Component, ...]:
    """Create four components, two in each group."""

    def component(component_id: str, name: str, group_id: str) -> Component:
        return Component(id=component_id, name=name, group_id=group_id, created_at=created_at, updated_at=created_at)

    return (
        component(WEBSITE_ID, "Website", SHOP_GROUP_ID),
        component(PAYMENTS_ID, "Payments", SHOP_GROUP_ID),
        component(API_ID, "API", CORE_GROUP_ID),
        component(SEARCH_ID, "Search", CORE_GROUP_ID),
    )


def seed_incident(created_at: str) -> Incident:
    """Create an open incident with its first update."""
    first = IncidentUpdate(
        id=UPDATE_ID,
        incident_id=INCIDENT_ID,
        status="INVESTIGATING",
        description="Some payments do not go through. We are looking into it.",
        date_happened=created_at,
        created_at=created_at,
        updated_at=created_at,
    )
    return Incident(
        id=INCIDENT_ID,
        title=INCIDENT_TITLE,
        impact="NO_IMPACT",
        started=created_at,
        created_at=created_at,
        updated_at=created_at,
        updates=(first,),
    )
