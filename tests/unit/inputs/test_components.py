"""The input `components`, as lines, as JSON, and as the word `restore`."""

import pytest
from support.inputs import CREATE, problem, read

from onlineornot_action.inputs.components import NamedStatus
from onlineornot_action.onlineornot.models import ComponentAffected, ComponentStatus

UP = ComponentStatus.OPERATIONAL
DOWN = NamedStatus("component1", ComponentStatus.MAJOR_OUTAGE)


@pytest.mark.parametrize(
    ("written", "components"),
    [
        ("component1: MAJOR_OUTAGE\ncomponent2: operational", (DOWN, NamedStatus("component2", UP))),
        ("\r\n component1 :major_outage \r\n\r\n\tcomponent2:Up:Operational", (DOWN, NamedStatus("component2:Up", UP))),
        ("Core / API: operational", (NamedStatus("Core / API", UP),)),
        ("- 12345: Operational", (NamedStatus("- 12345", UP),)),
        ("API: OPERATIONAL\napi: operational", (NamedStatus("API", UP), NamedStatus("api", UP))),
        ('[{"id": "component1", "status": "UP"}]'.replace("UP", UP), (ComponentAffected(id="component1", status=UP),)),
        ('[{"id": " component1 ", "status": " operational "}]', (ComponentAffected(id="component1", status=UP),)),
        (" Restore\n", "restore"),
        ("restore: operational", (NamedStatus("restore", UP),)),
    ],
)
def test_components_are_lines_or_json_or_the_word_restore(written: str, components: object) -> None:
    assert read(CREATE | {"components": written}).inputs.components == components


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("component1", "has the line 'component1'"),
        ("component1: NO_IMPACT\ncomponent2 OPERATIONAL", "has the line 'component2 OPERATIONAL'"),
        ("component1: BROKEN", "gives 'component1' the status 'BROKEN', but it must be one of OPERATIONAL, "),
        ("component1:", "gives 'component1' the status ''"),
        (": NO_IMPACT", "has the line ': NO_IMPACT', but each line must be NAME: STATUS"),
        ("restored", "has the line 'restored'"),
        ("API: NO_IMPACT\napi : OPERATIONAL", "gives 'api' two different statuses"),
        ("[", "is not a JSON list of objects with id and status: Invalid JSON"),
        ("{}", "is not a JSON list of objects with id and status: Input should be a valid array"),
        ('["component1"]', "item 0: "),
        ('[{"id": "component1", "status": "NO_IMPACT"}, {"id": "component2"}]', "item 1.status: Field required"),
        ('[{"id": 12345678, "status": "NO_IMPACT"}]', "item 0.id: Input should be a valid string"),
        ('[{"id": "component1", "status": "NO_IMPACT", "name": "x"}]', "item 0.name: Extra inputs are not permitted"),
        ('[{"id": "component1", "status": "BROKEN"}]', "gives 'component1' the status 'BROKEN'"),
        ('[{"id": "12345", "status": "NO_IMPACT"}]', "has the id '12345', but an id has 8 to 64 letters"),
        (
            '[{"id": "component1", "status": "NO_IMPACT"}, {"id": "component1", "status": "OPERATIONAL"}]',
            "gives component1 two different statuses",
        ),
        ("[" * 100_000, "recursion limit exceeded"),
    ],
    ids=lambda written: written[:40],
)
def test_invalid_components_are_refused_and_the_item_is_named(written: str, words: str) -> None:
    message = problem(CREATE | {"components": written})

    assert message.startswith("components ")
    assert words in message
