"""The model of the inputs."""

from support.inputs import CREATE, read

from onlineornot_action.inputs.model import IfNoIncident, Operation
from onlineornot_action.inputs.parsers import SkipDuplicate


def test_an_input_that_is_not_given_has_its_default() -> None:
    inputs, warnings = read(CREATE)

    assert inputs.model_dump(exclude={"api_token", "status_page_id", "incident_id", "status", "description"}) == {
        "incident_title": None,
        "if_no_incident": IfNoIncident.FAIL,
        "update_id": None,
        "operation": Operation.CREATE,
        "description_file": None,
        "components": None,
        "notify": True,
        "date_happened": None,
        "skip_duplicate": SkipDuplicate.NEVER,
        "dry_run": False,
        "fail_on_error": True,
        "timeout_seconds": 120,
        "api_url": "https://api.onlineornot.com",
        "github_token": None,
        "comment": False,
        "pull_request": None,
    }
    assert warnings == []
