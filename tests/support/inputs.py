"""Inputs as a workflow gives them, and as the action reads them."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from onlineornot_action.inputs.model import InvalidInputsError, ValidInputs, read_inputs
from onlineornot_action.inputs.variables import Environment

TOKEN = "token-1234567890"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
USUAL = {"api-token": TOKEN, "status-page-id": "page1234", "incident-id": "incident1234"}
CREATE = {"status": "IDENTIFIED", "description": "The cause is found."}
UPDATE = {"operation": "update", "update-id": "update1234", "status": "MONITORING"}
GET = {"operation": "get", "update-id": "update1234"}
DELETE = {"operation": "delete", "update-id": "update1234"}
LIST = {"operation": "list"}
BY_TITLE = {"incident-id": "", "incident-title": "Checkout is failing"}
OPEN = {"if-no-incident": "CREATE"}


def as_variables(inputs: Mapping[str, str]) -> dict[str, str]:
    """Name inputs as the runner does."""
    return {"GITHUB_ACTIONS": "true", **{f"INPUT_{name.upper()}": value for name, value in inputs.items()}}


def read(inputs: Mapping[str, str], environ: Mapping[str, str] = {}) -> ValidInputs:
    """Read these inputs together with `USUAL`."""
    return read_inputs(Environment.of({**as_variables({**USUAL, **inputs}), **environ}), now=NOW)


def refuse(inputs: Mapping[str, str], environ: Mapping[str, str] = {}) -> InvalidInputsError:
    """Return the error that reading these inputs raises."""
    with pytest.raises(InvalidInputsError) as caught:
        read(inputs, environ)
    return caught.value


def problem(inputs: Mapping[str, str], environ: Mapping[str, str] = {}) -> str:
    """Return the only problem with these inputs."""
    (only,) = refuse(inputs, environ).problems
    return only
