"""The input `components`, as lines, as JSON, and as the word `restore`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.inputs import CREATE, problem, read

from onlineornot_action.inputs.components import NamedStatus, parse_components
from onlineornot_action.onlineornot.models import ComponentStatus

UP = ComponentStatus.OPERATIONAL
STATUSES = st.sampled_from(ComponentStatus)
DOWN = NamedStatus("component1", ComponentStatus.MAJOR_OUTAGE)


@pytest.mark.parametrize(
    ("written", "components"),
    [
        ("component1: MAJOR_OUTAGE\ncomponent2: operational", (DOWN, NamedStatus("component2", UP))),
        ("\r\n component1 :major_outage \r\n\r\n\tcomponent2:Up:Operational", (DOWN, NamedStatus("component2:Up", UP))),
        ("API: OPERATIONAL\napi: operational", (NamedStatus("API", UP), NamedStatus("api", UP))),
        ('[{"id": " component1 ", "status": " operational "}]', (NamedStatus("component1", UP, by_id=True),)),
        ("API: OPERATIONAL, component1: MAJOR_OUTAGE", (NamedStatus("API", UP), DOWN)),
        ("API:Operational;component1 : major_outage ;", (NamedStatus("API", UP), DOWN)),
        ("API: OPERATIONAL, \n, component1: MAJOR_OUTAGE,;,", (NamedStatus("API", UP), DOWN)),
        ("Cards, EU; US: v2: OPERATIONAL, component1: MAJOR_OUTAGE", (NamedStatus("Cards, EU; US: v2", UP), DOWN)),
        ("API: MAJOR_OUTAGE: OPERATIONAL, component1: MAJOR_OUTAGE", (NamedStatus("API: MAJOR_OUTAGE", UP), DOWN)),
        ("Region: EMEA, Asia: OPERATIONAL", (NamedStatus("Region: EMEA, Asia", UP),)),
        ("[EU] API: OPERATIONAL, {x}: OPERATIONAL", (NamedStatus("[EU] API", UP), NamedStatus("{x}", UP))),
        ("{x}: operational;\n[EU]: OPERATIONAL,", (NamedStatus("{x}", UP), NamedStatus("[EU]", UP))),
        ('{"API": "OPERATIONAL", "component1": "major_outage "}', (NamedStatus("API", UP), DOWN)),
        ('{"API": "OPERATIONAL", "API": "operational"}', (NamedStatus("API", UP), NamedStatus("API", UP))),
        ('[{"name": " API ", "status": "operational", "id": null}]', (NamedStatus("API", UP),)),
        (" Restore\n", "restore"),
        ("restore: operational", (NamedStatus("restore", UP),)),
    ],
)
def test_components_are_lines_or_json_or_the_word_restore(written: str, components: object) -> None:
    assert read(CREATE | {"components": written}).inputs.components == components


def _is_a_name(text: str) -> bool:
    return text.strip(" ,;:") == text.strip() != ""


@given(st.lists(st.tuples(st.text("aB,;: é", min_size=1, max_size=6).filter(_is_a_name), STATUSES), min_size=1))
@settings(deadline=None, derandomize=True)
def test_names_with_any_separators_survive_in_one_line_and_in_lines(named: list[tuple[str, ComponentStatus]]) -> None:
    distinct = {name.strip(): status for name, status in named}
    entries = [f"{name}: {status}" for name, status in distinct.items()]

    wanted = tuple(NamedStatus(name, status) for name, status in distinct.items())
    assert parse_components("; ".join(entries)) == parse_components("\n".join(entries)) == wanted


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("component1", "has the line 'component1'"),
        ("component1: NO_IMPACT\ncomponent2 OPERATIONAL", "has the line 'component2 OPERATIONAL'"),
        ("component1: BROKEN", "gives 'component1' the status 'BROKEN', but it must be one of OPERATIONAL, "),
        ("component1:", "gives 'component1' the status ''"),
        (": NO_IMPACT", "has the line ': NO_IMPACT', but each line must be NAME: STATUS"),
        ("API: NO_IMPACT\napi : OPERATIONAL", "gives 'api' two different statuses"),
        ("{}", "contains no component"),
        ('["component1"]', "item 0: Input should be an object"),
        ('[{"id": "component1", "status": "NO_IMPACT"}, {"id": "component2"}]', "item 1.status: Field required"),
        ('[{"id": 12345678, "status": "NO_IMPACT"}]', "item 0.id: Input should be a valid string"),
        ('[{"id": "component1", "status": "NO_IMPACT", "group": "x"}]', "item 0.group: Extra inputs are not permitted"),
        ('[{"id": "component1", "status": "NO_IMPACT", "name": "x"}]', "gives 'x' an id as well"),
        ('[{"status": "NO_IMPACT"}]', "item 0: an id or a name is required"),
        ('[{"name": "API", "name": "Web", "status": "NO_IMPACT"}]', "has an item with the same key twice"),
        ('[{"name": "API", "status": "down"}]', "gives 'API' the status 'down'"),
        (
            '[{"name": "API", "status": "NO_IMPACT"}, {"id": "12345", "status": "NO_IMPACT"}]',
            "the id '12345', but an id",
        ),
        ('{"API": "MAJOR_OUTAGE", " api": "OPERATIONAL"}', "gives 'api' two different statuses"),
        ('{" ": "NO_IMPACT"}', "item 0: an id or a name is required"),
        ("{API: NO_IMPACT}", "begins like JSON, but is not valid: "),
        ("API: NO_IMPACT, Website", "has the line 'Website'"),
        ("API: NO_IMPACT, Website: OPERATIONAL; API: OPERATIONAL", "gives 'API' two different statuses"),
        (
            '[{"id": "component1", "status": "NO_IMPACT"}, {"id": "component1", "status": "OPERATIONAL"}]',
            "gives 'component1' two different statuses",
        ),
        ("[" * 100_000, "begins like JSON, but is not valid: "),
    ],
    ids=lambda written: written[:40],
)
def test_invalid_components_are_refused_and_the_item_is_named(written: str, words: str) -> None:
    message = problem(CREATE | {"components": written})

    assert message.startswith("components ")
    assert words in message
