"""The values that the API defines: what an id looks like, and the statuses."""

from enum import StrEnum

ID_PATTERN = r"^[A-Za-z0-9_-]{8,64}$"


class IncidentStatus(StrEnum):
    """Status that an update gives its incident; the last four are for maintenances."""

    INVESTIGATING = "INVESTIGATING"
    IDENTIFIED = "IDENTIFIED"
    MONITORING = "MONITORING"
    RESOLVED = "RESOLVED"
    UPDATE = "UPDATE"
    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = "IN_PROGRESS"
    VERIFYING = "VERIFYING"
    COMPLETED = "COMPLETED"


ENDING_STATUSES = frozenset({IncidentStatus.RESOLVED, IncidentStatus.COMPLETED})
"""Statuses of an update that ends its incident."""


class ComponentStatus(StrEnum):
    """Operational status of a component."""

    OPERATIONAL = "OPERATIONAL"
    DEGRADED_PERFORMANCE = "DEGRADED_PERFORMANCE"
    PARTIAL_OUTAGE = "PARTIAL_OUTAGE"
    MAJOR_OUTAGE = "MAJOR_OUTAGE"
    MAINTENANCE = "MAINTENANCE"
    NO_IMPACT = "NO_IMPACT"
