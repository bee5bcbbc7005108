"""Find the open incident with a title, or decide what to do without one."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from os.path import commonprefix

from onlineornot_action.exactly_once.listing import Listing
from onlineornot_action.inputs.model import InvalidInputsError
from onlineornot_action.inputs.parsers import AUTOMATED
from onlineornot_action.inputs.rules import IfNoIncident, Operation
from onlineornot_action.onlineornot.models import ENDING_STATUSES, Incident, newest_first
from onlineornot_action.operations.components import find_components
from onlineornot_action.operations.duplicates import check_duplicate
from onlineornot_action.operations.updates import draft_update
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.session import Session, Target
from onlineornot_action.text import normalize, one_line, quote, quote_name

MAX_TITLES = 5
"""Titles in one message."""

MAX_COMPARED = 100
"""Open incidents whose titles are compared closely, the newest first."""

MIN_CUT_LENGTH = 40
"""Characters. A page that cuts the end of a title leaves at least as many."""

_VARIATION_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))
"""Part of many emoji."""

MAX_SHORT_WORD = 3
"""Letters of a word so short that any difference makes it another word."""


def find_incident(session: Session, title: str) -> Target | Result:
    """Find the newest open incident of this title.

    Returns:
        The incident; or a target without one, when it has to be opened; or, when nothing is left to do, the result.

    Raises:
        InvalidInputsError: No open incident has the title, and `if-no-incident` is `fail`.
        APIError: The incidents cannot be read.
    """
    incidents = session.read_incidents(is_enough=lambda some: bool(open_incidents(some, title)))
    if posted := _posted_before(session, incidents, title):
        return posted
    candidates = open_incidents(incidents.items, title)
    if not candidates:
        return _without_incident(session, incidents, title)
    warnings: tuple[str, ...] = ()
    if len(candidates) > 1:
        ids = ", ".join(incident.id for incident in candidates)
        warnings = (f"Several open incidents have this title: {ids}. The first, which is the newest, is used.",)
    return Target(candidates[0].id, incidents=incidents, warnings=warnings)


def _posted_before(session: Session, incidents: Listing[Incident], title: str) -> Result | None:
    """Return the result if an earlier attempt of the job has posted this update, and thereby ended the incident."""
    inputs = session.inputs
    titled = newest_first(each for each in incidents.items if has_title(each, title))
    ends = inputs.operation is Operation.CREATE and inputs.status in ENDING_STATUSES
    if not titled or titled[0].is_open or not (ends and inputs.skip_duplicate.is_rerun):
        return None
    target = find_components(session, Target(titled[0].id, incidents=incidents))
    unchanged = check_duplicate(session, target, draft_update(session, target)).unchanged
    if unchanged is None:
        return None
    return unchanged._replace(warnings=(*target.warnings, *unchanged.warnings))


def _without_incident(session: Session, incidents: Listing[Incident], title: str) -> Target | Result:
    others = other_open_incidents(incidents.items, title)
    warnings = (*_warn_of_similar(others, title), *_warn_of_misfits(incidents, title))
    missing = f"no open incident is called {quote_name(title)}. {_name_open(others)}"
    match session.inputs.if_no_incident:
        case IfNoIncident.CREATE if session.inputs.status in ENDING_STATUSES:
            over = (
                f"Nothing was opened, because an incident that begins with {session.inputs.status} would already be "
                f"over: {missing}. Correct incident-title, or give the incident-id."
            )
            return Result(Outcome.SKIPPED, warnings=(over, *warnings))
        case IfNoIncident.CREATE:
            return Target(incidents=incidents, warnings=warnings)
        case IfNoIncident.SKIP:
            return Result(Outcome.SKIPPED, notes=(_name_open(others),), warnings=warnings)
        case IfNoIncident.FAIL:
            problem = (
                f"incident-title: {missing}. The one that you mean may have ended. To open one, set if-no-incident to "
                "create; to end the step without an error, set it to skip."
            )
            raise InvalidInputsError([problem], warnings)


def _name_open(incidents: list[Incident]) -> str:
    """Name the incidents that are open, in case one of them was meant."""
    if not incidents:
        return "No incident is open, not counting maintenances and incidents that monitors opened"
    names = ", ".join(quote_name(incident.title or "") for incident in incidents[:MAX_TITLES])
    more = f" and {len(incidents) - MAX_TITLES} more" if len(incidents) > MAX_TITLES else ""
    return f"Open incidents: {names}{more}"


def _warn_of_similar(incidents: list[Incident], title: str) -> Iterator[str]:
    """Warn of the open incident that was probably meant."""
    similar = [each for each in incidents[:MAX_COMPARED] if is_nearly(each.title or "", title)]
    if similar:
        names = " or ".join(f"{quote_name(each.title or '')} ({each.id})" for each in similar[:MAX_TITLES])
        yield (
            f"incident-title is {quote_name(title)}; no open incident has this title, but {names} is almost the same "
            "and was probably meant. If so, write the title in the workflow exactly like that."
        )


def _warn_of_misfits(incidents: Listing[Incident], title: str) -> Iterator[str]:
    """Warn of incidents that have the title, but an id that cannot be used."""
    ids = ", ".join(quote(misfit.id) for misfit in incidents.misfits if normalize(misfit.name) == normalize(title))
    if ids:
        named = f"The page has {quote_name(title)} with an id that is not of the documented form, {ids}"
        yield f"{named}, so it is not used."


def is_manual(incident: Incident) -> bool:
    """Whether an incident was opened by a person, not by a monitor, and is not a maintenance."""
    return not incident.scheduled_maintenance and not normalize(incident.title or "").startswith(normalize(AUTOMATED))


def has_title(incident: Incident, title: str) -> bool:
    """Whether an incident is manual and has this title."""
    name = normalize(incident.title or "")
    return bool(name) and name == normalize(title) and is_manual(incident)


def open_incidents(incidents: Iterable[Incident], title: str) -> list[Incident]:
    """Return the open incidents of this title, newest first."""
    return newest_first(incident for incident in incidents if incident.is_open and has_title(incident, title))


def other_open_incidents(incidents: Iterable[Incident], title: str) -> list[Incident]:
    """Return the open manual incidents with another title, newest first."""
    others = (each for each in incidents if each.title and each.is_open and not has_title(each, title))
    return newest_first(filter(is_manual, others))


def is_nearly(title: str, wanted: str) -> bool:
    """Whether two titles differ only by slips within words, punctuation or a cut end, so that one was probably meant.

    They must not differ by a whole word: `(api)` and `(web)` are two services.
    """
    one, other = words(title).split(), words(wanted).split()
    shorter, longer = sorted((" ".join(one), " ".join(other)), key=len)
    length = min(len(normalize(title)), len(normalize(wanted)))
    if shorter and length >= MIN_CUT_LENGTH and longer.startswith(shorter):
        return True
    if len(one) != len(other):
        return bool(shorter) and "".join(one) == "".join(other)
    return bool(one) and all(_is_slip(*pair) for pair in zip(one, other, strict=True))


def _is_slip(one: str, other: str) -> bool:
    """Whether two words are the same, or differ by one letter or by two swapped letters."""
    if one == other:
        return True
    # This compares letters, not paths.
    start = len(commonprefix((one, other)))  # noqa: RUF071
    end = len(commonprefix((one[start:][::-1], other[start:][::-1])))  # noqa: RUF071
    rest, other_rest = one[start : len(one) - end], other[start : len(other) - end]
    is_swapped = len(rest) == len("ab") and rest == other_rest[::-1]
    if min(len(one), len(other)) <= MAX_SHORT_WORD or re.search("[0-9]", rest + other_rest):
        return False
    return is_swapped or max(len(rest), len(other_rest)) == 1


def may_be_kept_as(kept: str, title: str) -> bool:
    """Whether a page may have turned a title into the one that it keeps.

    It may escape a title, change case and white space, drop characters that are neither letters nor digits, and cut the
    end, which it may mark with an ellipsis.
    """
    uncut = normalize(kept).rstrip("….")
    one, other = (words(text).replace(" ", "") for text in (kept, title))
    is_cut = len(normalize(kept)) >= MIN_CUT_LENGTH and bool(one) and other.startswith(one)
    rest = iter(normalize(title))
    return (one == other or is_cut) and all(character in rest for character in uncut if not character.isspace())


def words(text: str) -> str:
    """Return the beginning of a text as `normalize` does, but without punctuation and symbols, such as emoji."""
    return one_line("".join(each for each in normalize(text) if each == " " or _is_of_word(each)))


def _is_of_word(character: str) -> bool:
    """Whether a character is a letter, a digit or a mark of one, not a part of an emoji."""
    category = unicodedata.category(character)
    return category[0] in "LMN" and category != "Me" and character not in _VARIATION_SELECTORS
