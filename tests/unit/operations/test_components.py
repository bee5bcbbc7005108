"""Names of components become ids."""

from collections.abc import Mapping

import pytest

from onlineornot_action.exactly_once.listing import Listing
from onlineornot_action.inputs.components import NamedStatus
from onlineornot_action.inputs.model import InvalidInputsError
from onlineornot_action.onlineornot.models import Component, ComponentAffected, ComponentStatus, ListPage, Misfit
from onlineornot_action.operations.components import MAX_NAMES, resolve

UP, DOWN = ComponentStatus.OPERATIONAL, ComponentStatus.MAJOR_OUTAGE
API, SHOP_API, CORE_API, SEARCH, LOGIN = "comp-api", "comp-api-shop", "comp-api-core", "comp-search", "comp-login"
COMPONENTS = (
    Component(id=SEARCH, name=" Search "),
    Component(id=SHOP_API, name="API", group_id="group-shop"),
    Component(id=CORE_API, name="API", group_id="group-core"),
    Component(id=LOGIN, name="Login / v1", group_id="group-core"),
    Component(id="comp-nameless"),
    Component(id="comp-odd-one", name="comp-search"),
    Component(id="comp-twin-one", name="Twin", group_id="group-core"),
    Component(id="comp-twin-two", name="Twin", group_id="group-core"),
    Component(id="comp-payments", name="Payments  (card)"),
    Component(id="comp-mail-one", name="Mail \u00a0out"),
    Component(id="comp-mail-two", name="mail  out"),
    Component(id="comp-hidden", name="Billing\u200b"),
)
GROUPS = {"group-shop": "Shop / ", "group-core": "Core / ", None: ""}
NAMES = {each.id: f"{GROUPS[each.group_id]}{each.name or each.id}" for each in COMPONENTS}
PAGE = Listing([ListPage(COMPONENTS, len(COMPONENTS), 0, None, (Misfit("ext:Partner1", "Partner"),))])


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
        ("API", "components: several are called 'API': 'Shop / API' (comp-api-shop), 'Core / API' (comp-api-core)"),
        ("Core / Twin", "several are called 'Core / Twin': 'Core / Twin' (comp-twin-one), "),
        ("Mail out", "several are called 'Mail out': 'Mail \\xa0out' (comp-mail-one), 'mail  out' (comp-mail-two)"),
        ("Billing", "components: the page has no 'Billing'. It has: 'Billing\\u200b', 'comp-nameless', "),
        ("partner", "'partner' has an id that is not of the documented form: 'ext:Partner1'."),
        ("ext:Partner1", "'ext:Partner1' has an id that is not of the documented form: 'ext:Partner1'."),
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
        resolve(
            named("API"), Listing([ListPage(many, None, 0, None)]), lambda: {each.id: each.name or "" for each in many}
        )

    assert caught.value.problems[0].count("xxx…'") == MAX_NAMES


def test_two_names_of_one_component_count_once() -> None:
    assert resolve(named("Search", SEARCH), PAGE, need_no_groups) == (ComponentAffected(id=SEARCH, status=DOWN),)


def test_two_names_of_one_component_cannot_give_it_two_statuses() -> None:
    wrong = problems(*named("Search"), *named(SEARCH, status=UP))

    assert wrong == ("components gives 'comp-search' two different statuses.",)
