"""Names of components become ids, and components get back the status that they had."""

from collections.abc import Mapping

import pytest

from onlineornot_action.inputs.components import NamedStatus
from onlineornot_action.inputs.model import InvalidInputsError
from onlineornot_action.onlineornot.models import (
    Component,
    ComponentAffected,
    ComponentChange,
    ComponentStatus,
    Incident,
    IncidentComponent,
    IncidentUpdate,
    LatestUpdate,
)
from onlineornot_action.operations.components import MAX_NAMES, Restoration, plan, resolve, statuses_before

UP, DOWN, SLOW = ComponentStatus.OPERATIONAL, ComponentStatus.MAJOR_OUTAGE, ComponentStatus.DEGRADED_PERFORMANCE
API, SHOP_API, CORE_API, SEARCH, LOGIN = "comp-api", "comp-api-shop", "comp-api-core", "comp-search", "comp-login"
PAGE = (
    Component(id=SEARCH, name=" Search "),
    Component(id=SHOP_API, name="API", group_id="group-shop"),
    Component(id=CORE_API, name="API", group_id="group-core"),
    Component(id=LOGIN, name="Login / v1", group_id="group-core"),
    Component(id="comp-nameless"),
    Component(id="comp-odd-one", name="comp-search"),
    Component(id="comp-twin-one", name="Twin", group_id="group-core"),
    Component(id="comp-twin-two", name="Twin", group_id="group-core"),
    Component(id="comp-payments", name="Payments  (card)"),
    Component(id="comp-terms", name="Terms &amp; Conditions"),
    Component(id="comp-mail-one", name="Mail \u00a0out"),
    Component(id="comp-mail-two", name="mail  out"),
    Component(id="comp-hidden", name="Billing\u200b"),
)
GROUPS = {"group-shop": "Shop / ", "group-core": "Core / ", None: ""}
NAMES = {each.id: f"{GROUPS[each.group_id]}{each.name or each.id}" for each in PAGE}


def need_no_groups() -> Mapping[str, str]:
    """Fail the test."""
    raise AssertionError


def named(*names: str, status: ComponentStatus = DOWN) -> tuple[NamedStatus, ...]:
    return tuple(NamedStatus(name, status) for name in names)


def problems(*wanted: NamedStatus) -> tuple[str, ...]:
    """Return the problems with these names."""
    with pytest.raises(InvalidInputsError) as caught:
        resolve(wanted, PAGE, lambda: NAMES)
    return caught.value.problems


@pytest.mark.parametrize(
    ("name", "component_id"),
    [
        ("Search", SEARCH),
        (" sEARCH\t", SEARCH),
        (SEARCH, SEARCH),
        ("payments (card)", "comp-payments"),
        ("Payments\u00a0\u2009(card)", "comp-payments"),
        ("Payments (card&#41;", "comp-payments"),
        ("Terms & Conditions", "comp-terms"),
        ("Terms &amp; Conditions", "comp-terms"),
        ("comp-nameless", "comp-nameless"),
        ("Login / v1", LOGIN),
    ],
)
def test_a_name_or_an_id_needs_no_groups(name: str, component_id: str) -> None:
    found = resolve(named(name), PAGE, need_no_groups)

    assert found == (ComponentAffected(id=component_id, status=DOWN),)


@pytest.mark.parametrize(
    ("name", "component_id"),
    [("Shop / API", SHOP_API), ("core/api", CORE_API), (" CORE  /API ", CORE_API), ("Core / Login / v1", LOGIN)],
)
def test_a_name_that_repeats_is_found_in_its_group(name: str, component_id: str) -> None:
    found = resolve(named(name), PAGE, lambda: NAMES)

    assert found == (ComponentAffected(id=component_id, status=DOWN),)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("API", "components: 'API' is the name of several: 'Shop / API' (comp-api-shop), 'Core / API' (comp-api-core)"),
        ("Core / Twin", "'Core / Twin' is the name of several: 'Core / Twin' (comp-twin-one), "),
        (
            "Mail out",
            "'Mail out' is the name of several: 'Mail \\xa0out' (comp-mail-one), 'mail  out' (comp-mail-two)",
        ),
        ("Billing", "the page has no 'Billing'. It has: 'Billing\\u200b', "),
        (
            "COMP-SEARCH-",
            "components: the page has no 'COMP-SEARCH-'. It has: 'Billing\\u200b', 'comp-nameless', ",
        ),
        ("Search API", "the page has no 'Search API'"),
        ("Shop / Search", "the page has no 'Shop / Search'"),
    ],
)
def test_a_name_that_is_unknown_or_ambiguous_is_refused_with_those_that_exist(name: str, words: str) -> None:
    (only,) = problems(*named(name))

    assert words in only


def test_all_wrong_names_are_reported_at_once_without_the_correct_ones() -> None:
    assert [line.split("'")[1] for line in problems(*named("API", "Search", "Nothing"))] == ["API", "Nothing"]


def test_a_message_does_not_list_thousands_of_names() -> None:
    many = tuple(Component(id=f"component-{number}", name="x" * 999) for number in range(5_000))

    with pytest.raises(InvalidInputsError) as caught:
        resolve(named("API"), many, lambda: {each.id: each.name or "" for each in many})

    assert caught.value.problems[0].count("xxx…'") == MAX_NAMES


def test_two_names_of_one_component_count_once() -> None:
    assert resolve(named("Search", SEARCH), PAGE, need_no_groups) == (ComponentAffected(id=SEARCH, status=DOWN),)


def test_two_names_of_one_component_cannot_give_it_two_statuses() -> None:
    wrong = problems(*named("Search"), *named(SEARCH, status=UP))

    assert wrong == ("components gives 'comp-search' two different statuses.",)


def change(component_id: str | None, old: str | None = None, new: str = DOWN) -> ComponentChange:
    return ComponentChange(id=component_id, old_status=old, new_status=new)


def update(minute: int | None, *changes: ComponentChange) -> IncidentUpdate:
    created_at = None if minute is None else f"2026-01-31T14:{minute:02}:00.000Z"
    return IncidentUpdate(id="update000001", created_at=created_at, components=changes or None)


@pytest.mark.parametrize(
    ("updates", "before"),
    [
        ([], {}),
        ([update(1), update(2)], {}),
        ([update(1, change(API, SLOW)), update(2, change(API, DOWN, UP))], {API: SLOW}),
        ([update(2, change(API, DOWN, UP)), update(1, change(API, SLOW))], {API: SLOW}),
        ([update(1, change(API, UP)), update(2, change(API, UP), change(SEARCH, SLOW))], {API: UP, SEARCH: SLOW}),
        ([update(1, change(API)), update(2, change(API, DOWN))], {API: UP}),
        ([update(1, change(API, "SOMETHING_NEW"))], {API: UP}),
        ([update(1, change(None, DOWN))], {}),
        ([update(1, change(API, DOWN)), update(None, change(API, SLOW))], {API: SLOW}),
    ],
)
def test_a_component_had_the_status_from_before_the_first_update_that_changed_it(
    updates: list[IncidentUpdate], before: dict[str, ComponentStatus]
) -> None:
    assert statuses_before(updates) == before


def incident(*updates: IncidentUpdate, status: str = "UPDATE", listed: str | None = None) -> Incident:
    latest, components = LatestUpdate(status=status), (IncidentComponent(id=listed),)
    return Incident(id="incident2", title="Other", latest_update=latest, updates=updates, components=components)


TOUCHING = update(1, change(API))
ELSEWHERE = update(1, change(SEARCH))
EXTERNAL = Component(id=API, name="API", is_external_component=True)
OWN = Component(id=API, name="API", is_external_component=False)
SHARED = "'API' belongs to the open incident 'Other' as well"


@pytest.mark.parametrize(
    ("others", "status"),
    [
        ([], SLOW),
        ([incident(ELSEWHERE)], SLOW),
        ([incident(ELSEWHERE, listed=API)], SLOW),
        ([incident(TOUCHING, status="RESOLVED")], UP),
        ([incident(ELSEWHERE), incident(ELSEWHERE, TOUCHING, status="COMPLETED")], UP),
        ([incident(update(1), status="RESOLVED", listed=API)], UP),
    ],
)
def test_a_component_goes_back_unless_another_incident_has_changed_it_too(
    others: list[Incident], status: ComponentStatus
) -> None:
    restoration = plan({API: SLOW}, {API: OWN}, tuple(others))

    assert restoration == Restoration((ComponentAffected(id=API, status=status),), ())


@pytest.mark.parametrize(
    ("page", "others", "reason"),
    [
        ({}, [], "'comp-api' is no longer on the page"),
        ({API: EXTERNAL}, [], "'API' is an external component"),
        ({API: Component(id=API)}, [incident(TOUCHING)], SHARED.replace("API", API)),
        ({API: OWN}, [incident(TOUCHING, status="RESOLVED"), incident(TOUCHING)], SHARED),
        ({API: OWN}, [incident(update(1), listed=API)], SHARED),
    ],
)
def test_a_component_that_is_left_alone_is_named_with_the_reason(
    page: dict[str, Component], others: list[Incident], reason: str
) -> None:
    assert plan({API: SLOW}, page, tuple(others)) == Restoration((), (reason,))
