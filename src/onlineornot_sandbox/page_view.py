"""The status page as readers see it, in plain text."""

from collections.abc import Iterator
from textwrap import indent

from onlineornot_sandbox.resources import Incident, IncidentUpdate
from onlineornot_sandbox.store import Store


def render_page(store: Store) -> str:
    """Render the components by group, then the incidents with their updates, newest incident first."""
    incidents = sorted(store.incidents.values(), key=lambda incident: incident.created_at, reverse=True)
    blocks = [f"{store.page.name}: {store.page_as_json()['status']}", *_groups(store)]
    blocks += [_incident(incident) for incident in incidents]
    return "\n\n".join(blocks) + "\n"


def _groups(store: Store) -> Iterator[str]:
    components = list(store.components.values())
    ungrouped = (None, "Other components")
    for group_id, name in (*((group.id, group.name) for group in store.groups.values()), ungrouped):
        lines = [f"  {each.name:<24}{each.status}" for each in components if each.group_id == group_id]
        if lines:
            yield "\n".join([name, *lines])


def _incident(incident: Incident) -> str:
    state = f"ended {incident.ended}" if incident.ended else "open"
    return "\n".join([f"{incident.title} ({state})", *map(_update, incident.updates)])


def _update(update: IncidentUpdate) -> str:
    changes = [f"{each.name}: {each.old_status} -> {each.new_status}" for each in update.components]
    text = "\n".join([update.description, *changes])
    return f"  {update.date_happened}  {update.status}\n{indent(text, '    ')}"
