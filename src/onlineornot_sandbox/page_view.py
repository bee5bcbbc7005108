"""The status page as readers see it, as one HTML document without scripts."""

from collections.abc import Iterator
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from onlineornot_sandbox.resources import Component
from onlineornot_sandbox.store import PAGE_STATUSES, Store, worst_of


def render_page(store: Store) -> str:
    """Render the components by group, then the open incidents and the past ones, newest first."""
    worst = worst_of(component.status for component in store.components.values())
    incidents = sorted(store.incidents.values(), key=lambda incident: incident.created_at, reverse=True)
    return (
        _environment()
        .get_template("page.html")
        .render(
            name=store.page.name,
            worst=worst,
            banner=PAGE_STATUSES[worst],
            groups=list(_groups(store)),
            open_incidents=[incident for incident in incidents if not incident.ended],
            past_incidents=[incident for incident in incidents if incident.ended],
        )
    )


def in_words(status: str) -> str:
    """Format an API status as readers see it."""
    return status.replace("_", " ").capitalize()


def to_the_minute(timestamp: str) -> str:
    """Format a time in UTC to the minute. The API accepts any text as a time; other text is returned unchanged."""
    try:
        moment = datetime.fromisoformat(timestamp)
        in_utc = moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return timestamp
    return f"{in_utc:%Y-%m-%d %H:%M} UTC"


def _groups(store: Store) -> Iterator[tuple[str, list[Component]]]:
    ungrouped = (None, "Other components")
    for group_id, name in (*((group.id, group.name) for group in store.groups.values()), ungrouped):
        components = [each for each in store.components.values() if each.group_id == group_id]
        if components:
            yield name, components


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("onlineornot_sandbox"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"in_words": in_words, "to_the_minute": to_the_minute}
    return environment
