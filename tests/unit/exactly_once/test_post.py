"""Posting exactly once: what the server holds after every fault, and what is reported. No sockets, a virtual clock."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fault_server import VirtualClock

from onlineornot_action.exactly_once.listing import Comparison, DuplicateCheck, PostLimits
from onlineornot_action.exactly_once.post import CancelledWriteError, Evidence, Posted, UnknownOutcomeError, post
from onlineornot_action.network.deadline import CancelledError, Deadline
from onlineornot_action.network.exchange import Cause, Effect, ExchangeError
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    InterceptedError,
    effect_of,
    error_for,
)
from onlineornot_action.onlineornot.models import IncidentStatus, IncidentUpdate, IncidentUpdateCreate, ListPage
from onlineornot_action.operations.updates import UpdateDraft

TEXT = "A fix is out."
FOREVER = math.inf
HOUR = 3600.0
Failure = TypeVar("Failure", bound=Exception)


@dataclass(frozen=True)
class Note:
    """An item of the list. It appears `born` seconds after the test begins; before it, if negative."""

    id: str
    text: str = TEXT
    born: float = -HOUR
    created: float | None = None


OLD = Note("old", "We look into it.")
MAINTENANCE = Note("maintenance", "The database moves.", born=5)


@dataclass(frozen=True)
class Post:
    """What the server does with one post: whether it writes, when and which text, and how it responds."""

    error: APIError | None = None
    writes: bool = True
    late: float = 0
    text: str = TEXT
    takes: float = 0
    signal: bool = False


@dataclass(frozen=True)
class Listing:
    """What the server responds to one reading, or to all that begin before `until`. `signal`: the job is cancelled."""

    error: APIError | None = None
    until: float | None = None
    shows: int | None = None
    missing: int = 0
    counted: bool = True
    dated: bool = True
    takes: float = 0
    signal: bool = False


class Server:
    """A list in memory. A script says how each request fails; without one, requests succeed."""

    def __init__(
        self,
        *notes: Note,
        posts: Iterable[Post] = (),
        lists: Iterable[Listing] = (),
        skew: float = 0,
        per_page: int = 100,
        shows_created: bool = True,
    ) -> None:
        self.clock = VirtualClock()
        self.notes = [*notes]
        self.posted_at: list[float] = []
        self.read_at: list[float] = []
        self.signalled = False
        self._posts, self._lists = iter(posts), [*lists]
        self._skew, self._per_page, self._shows_created = skew, per_page, shows_created

    @property
    def copies(self) -> int:
        """How many notes were written by posts, whatever their text and however late."""
        return sum(note.id.startswith("posted-") for note in self.notes)

    def post(self) -> Note:
        """Do what the script says with a post."""
        rule, began = next(self._posts, Post()), self.clock.monotonic()
        self.posted_at.append(self.clock.slept)
        note = Note(f"posted-{len(self.posted_at)}", rule.text, self.clock.slept + rule.late)
        self.notes += [note] * rule.writes
        self._finish(rule, began)
        return note

    def read(self, *, to_the_end: bool) -> list[ListPage[Note]]:
        """Return the list as it was when the request arrived."""
        rule, began = self._next_listing(), self.clock.monotonic()
        self.read_at.append(self.clock.slept)
        assert len(self.read_at) < 1000, "reads forever"
        shown = [self._shown(note) for note in self.notes if note.born <= self.clock.slept][: rule.shows]
        self._finish(rule, began)
        date = math.floor(self.clock.time() + self._skew) if rule.dated else None
        total = len(shown) + rule.missing if rule.counted else None
        full = [tuple(shown[at : at + self._per_page]) for at in range(0, len(shown), self._per_page)]
        ends_empty = to_the_end or total != len(shown) or not shown
        return [ListPage(items, total, began, date) for items in (*full, *[()] * ends_empty)]

    def _next_listing(self) -> Listing:
        while self._lists:
            rule = self._lists[0]
            if rule.until is None or self.clock.slept >= rule.until:
                del self._lists[0]
            if rule.until is None or self.clock.slept < rule.until:
                return rule
        return Listing()

    def _shown(self, note: Note) -> Note:
        created = VirtualClock.BEGINNING + self._skew + note.born
        return replace(note, created=created if self._shows_created else None)

    def _finish(self, rule: Post | Listing, began: float) -> None:
        self.clock.sleep(rule.takes)
        self.signalled = self.signalled or rule.signal
        if rule.error:
            rule.error.began = began
            raise rule.error


@dataclass(frozen=True)
class Draft:
    """A note to post; like the client, it repeats what is safe to repeat."""

    server: Server
    deadline: Deadline

    def post(self) -> Note:
        """Post it."""
        self.deadline.check()
        return self.server.post()

    def pages(self, deadline: Deadline | None = None, *, to_the_end: bool = False) -> Iterator[ListPage[Note]]:
        """Read the list, and repeat a failed reading until the deadline."""
        yield from self._read(deadline or self.deadline, to_the_end=to_the_end)

    def _read(self, deadline: Deadline, *, to_the_end: bool) -> list[ListPage[Note]]:
        while True:
            deadline.check()
            try:
                return self.server.read(to_the_end=to_the_end)
            except APIError as error:
                deadline = deadline.outermost if error.effect is Effect.THROTTLED else deadline
                wait = error.retry_after or 1
                if error.final or (error.retry_after and wait > deadline.left()) or not deadline.sleep(wait, 0.5):
                    raise

    def may_be_same(self, item: Note) -> bool:
        """Exclude only the maintenance."""
        return item.id != MAINTENANCE.id

    def is_same(self, item: Note) -> bool:
        """Compare the text."""
        return item.text == TEXT

    def compare(
        self,
        items: Sequence[Note],
        deadline: Deadline | None = None,  # noqa: ARG002 - nothing is read
    ) -> Comparison[Note]:
        """Compare the texts."""
        same = tuple(filter(self.is_same, items))
        return Comparison(same, tuple(item for item in items if item not in same))

    def find_duplicate(self, items: list[Note]) -> Note | None:
        """Return the first note with the same text."""
        return next(filter(self.is_same, items), None)


def run(server: Server, *, seconds: float = 120, avoid_duplicate: bool = False, required: bool = True) -> Posted[Note]:
    deadline = Deadline.after(seconds, server.clock, lambda: server.signalled)
    draft = Draft(server, deadline)
    check = DuplicateCheck(draft.find_duplicate, is_required=required) if avoid_duplicate else None
    return post(draft, deadline, duplicate_check=check, limits=PostLimits())


def failure(kind: type[Failure], server: Server, **options: Any) -> Failure:
    with pytest.raises(kind) as caught:
        run(server, **options)
    return caught.value


def status(code: int, retry_after: float | None = None) -> APIStatusError:
    return error_for(code)(code, effect=effect_of(code), retry_after=retry_after)


def intercepted() -> APIError:
    return error_for(403, has_envelope=False)(403, effect=Effect.REJECTED)


def not_sent() -> APIError:
    return APIConnectionError(ExchangeError("refused", Cause.CONNECTION, Effect.NOT_SENT))


def bad_certificate() -> APIError:
    return APIConnectionError(ExchangeError("self-signed", Cause.CERTIFICATE, Effect.NOT_SENT))


def bad_proxy() -> APIError:
    return APIConnectionError(ExchangeError("407", Cause.PROXY, Effect.NOT_SENT))


def cut_success() -> APIError:
    return APIResponseValidationError("no JSON", status=201)


def timeout() -> APIError:
    return APIConnectionError(ExchangeError("no response", Cause.TIMEOUT, Effect.AMBIGUOUS))


def lost(**options: Any) -> Post:
    return Post(timeout(), **options)


def down(until: float | None = FOREVER, *, signal: bool = False) -> Listing:
    return Listing(status(503), until, signal=signal)


FINE = Listing()
EMPTY = Listing(shows=0)
SHORT = Listing(shows=1, missing=1)


def old_notes(number: int) -> list[Note]:
    return [replace(OLD, id=f"old-{one}") for one in range(number)]


def test_post_with_a_response_is_made_once() -> None:
    server = Server(OLD)

    posted = run(server)

    assert posted == Posted(Note("posted-1", born=0), Evidence.RESPONSE)
    assert (server.copies, len(server.read_at)) == (1, 1)


@pytest.mark.parametrize("error", [status(422), status(429, 500), not_sent(), bad_certificate()], ids=str)
def test_post_that_had_no_effect_is_raised_and_not_repeated(error: APIError) -> None:
    server = Server(OLD, posts=[Post(error, writes=False)])

    raised = failure(APIError, server)

    assert raised is error
    assert (server.copies, len(server.posted_at), len(server.read_at)) == (0, 1, 1)


@pytest.mark.parametrize(("lists", "expected"), [([SHORT], True), ([SHORT, SHORT], False)])
def test_incomplete_baseline_is_read_once_more(lists: list[Listing], expected: object) -> None:
    server = Server(OLD, lists=lists)

    posted = run(server)

    assert (posted.baseline is not None) is expected
    assert (server.copies, len(server.read_at)) == (1, 2)


@pytest.mark.parametrize("fine_before", [[], [SHORT]], ids=["first reading", "second reading"])
@pytest.mark.parametrize(
    "error",
    [status(401), status(403), status(404), status(429, 500), bad_certificate(), bad_proxy()],
    ids=repr,
)
def test_failure_of_the_baseline_that_the_post_would_share_is_raised(
    fine_before: list[Listing], error: APIError
) -> None:
    server = Server(OLD, lists=[*fine_before, Listing(error)])

    raised = failure(APIError, server)

    assert raised is error
    assert (server.clock.slept, server.posted_at) == (0, [])


def test_throttled_baseline_is_waited_for_beyond_its_share_of_the_time() -> None:
    server = Server(OLD, lists=[Listing(status(429, 60))])

    posted = run(server)

    assert posted.baseline
    assert server.posted_at == [pytest.approx(60)]


def test_outage_within_a_quarter_of_the_time_is_waited_for() -> None:
    server = Server(OLD, lists=[down(until=25)])

    posted = run(server)

    assert posted.baseline


@pytest.mark.parametrize(
    ("listing", "earliest", "latest"),
    [
        pytest.param(down(), 29, 30, id="unreadable"),
        pytest.param(Listing(not_sent(), FOREVER), 29, 30, id="not reachable"),
        pytest.param(Listing(status(503, 40)), 0, 0, id="asked to wait longer"),
        pytest.param(Listing(status(400)), 0, 0, id="refused"),
    ],
)
def test_post_is_made_without_a_baseline_after_a_quarter_of_the_time(
    listing: Listing, earliest: float, latest: float
) -> None:
    server = Server(OLD, lists=[listing])

    posted = run(server)

    assert posted.baseline is None
    assert server.copies == 1
    assert earliest <= server.posted_at[0] <= latest


def test_lost_post_to_a_list_of_more_than_20_pages_is_unknown_at_once() -> None:
    server = Server(*old_notes(21), per_page=1, posts=[lost()])

    failure(UnknownOutcomeError, server)

    assert (server.clock.slept, len(server.posted_at), len(server.read_at)) == (0, 1, 1)


def test_lost_post_is_found_in_a_list_of_20_pages() -> None:
    server = Server(*old_notes(19), per_page=1, posts=[lost()])

    posted = run(server)

    assert posted.item.id == "posted-1"


def test_absence_can_be_proven_from_a_list_of_20_pages() -> None:
    server = Server(*old_notes(20), per_page=1, posts=[lost(writes=False)])

    posted = run(server)

    assert (posted.item.id, server.copies) == ("posted-2", 1)


def test_lost_post_is_found_even_where_it_makes_the_list_too_long() -> None:
    server = Server(*old_notes(20), per_page=1, posts=[lost()])

    posted = run(server)

    assert (posted.item.id, posted.evidence, server.copies) == ("posted-1", Evidence.RECONCILED, 1)


@pytest.mark.parametrize(
    "lists",
    [
        pytest.param([FINE], id="complete"),
        pytest.param([replace(SHORT, until=FOREVER)], id="short"),
        pytest.param([EMPTY], id="first empty"),
        pytest.param([EMPTY, Listing(shows=0, missing=1), EMPTY], id="empty twice, but not in a row"),
        pytest.param([down(until=60)], id="unreadable beyond a quarter of the time"),
    ],
)
def test_duplicate_in_any_reading_is_enough(lists: list[Listing]) -> None:
    server = Server(Note("same"), OLD, lists=lists)

    posted = run(server, avoid_duplicate=True)

    assert (posted.item.id, posted.evidence) == ("same", Evidence.DUPLICATE)
    assert server.posted_at == []


def test_duplicate_is_found_on_page_22() -> None:
    server = Server(*old_notes(21), Note("same"), per_page=1)

    posted = run(server, avoid_duplicate=True)

    assert posted.evidence is Evidence.DUPLICATE


def test_duplicate_is_posted_unless_duplicates_are_to_be_avoided() -> None:
    server = Server(Note("same"))

    posted = run(server)

    assert posted.evidence is Evidence.RESPONSE


@pytest.mark.parametrize(("notes", "readings"), [([], 2), ([OLD], 1)])
def test_only_an_empty_list_is_checked_twice(notes: list[Note], readings: int) -> None:
    server = Server(*notes)

    run(server, avoid_duplicate=True)

    assert (server.copies, len(server.read_at)) == (1, readings)


@pytest.mark.parametrize("listing", [down(), replace(SHORT, until=FOREVER)], ids=["unreadable", "short"])
def test_duplicate_check_needs_the_list_until_the_deadline(listing: Listing) -> None:
    server = Server(OLD, lists=[listing])

    error = failure(APIError, server, avoid_duplicate=True)

    assert error.effect is not Effect.REJECTED
    assert server.posted_at == []
    assert 119 <= server.clock.slept <= 120


@pytest.mark.parametrize(
    "listing",
    [down(), replace(SHORT, until=FOREVER), Listing(status(400), FOREVER)],
    ids=["unreadable", "short", "400"],
)
def test_duplicate_check_that_is_not_required_is_left_out_after_a_quarter_of_the_time(listing: Listing) -> None:
    server = Server(Note("same"), lists=[listing])

    posted = run(server, avoid_duplicate=True, required=False)

    assert (posted.evidence, posted.baseline, server.copies) == (Evidence.RESPONSE, None, 1)
    assert server.posted_at[0] <= 30


@pytest.mark.parametrize("listing", [EMPTY, SHORT, down(until=20)], ids=["empty", "short", "outage"])
def test_duplicate_check_that_is_not_required_waits_for_a_list_that_can_be_trusted(listing: Listing) -> None:
    server = Server(OLD, Note("same"), lists=[listing])

    posted = run(server, avoid_duplicate=True, required=False)

    assert (posted.evidence, server.copies) == (Evidence.DUPLICATE, 0)


def test_post_that_something_on_the_way_refused_is_raised_when_it_is_absent() -> None:
    server = Server(OLD, posts=[Post(intercepted(), writes=False)])

    assert failure(InterceptedError, server).status == 403
    assert (len(server.posted_at), len(server.read_at)) == (1, 2)


@pytest.mark.parametrize("lists", [[FINE], [down(until=30)]], ids=["baseline", "no baseline"])
def test_post_that_something_on_the_way_refused_and_passed_on_is_found(lists: list[Listing]) -> None:
    server = Server(OLD, posts=[Post(intercepted())], lists=lists)

    posted = run(server)

    assert (posted.item.id, posted.evidence, len(server.posted_at)) == ("posted-1", Evidence.RECONCILED, 1)


@pytest.mark.parametrize(
    "listing",
    [EMPTY, SHORT, down(), Listing(status(403), FOREVER), Listing(status(401), FOREVER)],
    ids=["empty", "short", "unreadable", "403", "401"],
)
def test_list_that_cannot_be_trusted_does_not_show_that_a_refused_post_is_absent(listing: Listing) -> None:
    server = Server(OLD, posts=[Post(intercepted())], lists=[FINE, listing])

    assert isinstance(failure(UnknownOutcomeError, server).cause, InterceptedError)


def test_another_new_note_may_be_the_post_that_something_on_the_way_refused() -> None:
    server = Server(OLD, posts=[Post(intercepted(), text="Another text")])

    assert failure(UnknownOutcomeError, server).new_ids == ("posted-1",)


@pytest.mark.parametrize("code", [400, 401, 404])
def test_refused_list_ends_the_duplicate_check_at_once(code: int) -> None:
    server = Server(OLD, lists=[Listing(status(code))])

    error = failure(APIError, server, avoid_duplicate=True)

    assert error.status == code
    assert (server.clock.slept, server.posted_at) == (0, [])


def update(number: int, status: str, text: str, created_at: str | None = None) -> IncidentUpdate:
    moment = created_at or f"2026-11-24T09:0{number}:00Z"
    return IncidentUpdate(id=f"update-{number}", status=status, description=text, created_at=moment)


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], None),
        ([update(1, "MONITORING", "Another text")], None),
        ([update(1, "UPDATE", TEXT)], None),
        ([update(1, "MONITORING", TEXT), update(2, "UPDATE", "Newer")], "update-1"),
        ([update(1, "MONITORING", TEXT), update(2, "MONITORING", TEXT)], "update-2"),
        ([update(1, "MONITORING", TEXT), update(2, "RESOLVED", "Over")], None),
        ([update(1, "MONITORING", TEXT), update(2, "COMPLETED", "Over")], None),
        ([update(2, "MONITORING", TEXT), update(1, "RESOLVED", "Over")], "update-2"),
        ([update(1, "RESOLVED", "Over"), update(2, "MONITORING", TEXT), update(3, "RESOLVED", "Over")], None),
        ([update(1, "MONITORING", TEXT, "no date")], "update-1"),
    ],
)
def test_duplicate_is_the_same_since_the_incident_was_last_over(
    items: list[IncidentUpdate], expected: str | None
) -> None:
    body = IncidentUpdateCreate(status=IncidentStatus.MONITORING, description=TEXT, notify_subscribers=False)
    draft = UpdateDraft(OnlineOrNotClient("token", deadline=Deadline.after(0)), "page", "incident", body)

    duplicate = draft.find_duplicate(items)

    assert (duplicate and duplicate.id) == expected


def test_update_that_declares_the_incident_over_can_be_the_duplicate_itself() -> None:
    body = IncidentUpdateCreate(status=IncidentStatus.RESOLVED, description=TEXT, notify_subscribers=False)
    draft = UpdateDraft(OnlineOrNotClient("token", deadline=Deadline.after(0)), "page", "incident", body)

    duplicate = draft.find_duplicate([update(1, "RESOLVED", TEXT), update(2, "UPDATE", "Newer")])

    assert duplicate == update(1, "RESOLVED", TEXT)


@pytest.mark.parametrize("notes", [[], [OLD]], ids=["empty list", "list"])
@pytest.mark.parametrize("late", [0, 5, 19])
def test_lost_post_that_was_written_is_found(late: float, notes: list[Note]) -> None:
    server = Server(*notes, posts=[lost(late=late)])

    posted = run(server)

    assert (posted.item.id, posted.evidence, posted.duplicates) == ("posted-1", Evidence.RECONCILED, ())
    assert (server.copies, len(server.posted_at)) == (1, 1)


def test_lost_post_that_is_proven_absent_is_made_again_20_seconds_later() -> None:
    server = Server(OLD, posts=[lost(writes=False)])

    posted = run(server)

    assert (posted.item.id, posted.evidence) == ("posted-2", Evidence.RESPONSE)
    assert server.copies == 1
    assert server.posted_at == [0, pytest.approx(20)]


def test_list_is_read_at_growing_intervals() -> None:
    server = Server(OLD, posts=[lost(writes=False)])

    run(server)

    assert 4 < len(server.read_at) < 30


def test_absence_is_proven_20_seconds_after_the_failure_not_after_the_beginning() -> None:
    server = Server(OLD, posts=[lost(takes=30, late=45)])

    posted = run(server)

    assert posted.evidence is Evidence.RECONCILED
    assert server.copies == 1


@pytest.mark.parametrize("notes", [[], [OLD]], ids=["empty list", "list"])
def test_reading_that_began_before_and_ended_after_those_20_seconds_proves_nothing(notes: list[Note]) -> None:
    slow = Listing(takes=15, until=FOREVER)
    server = Server(*notes, posts=[lost(late=18)], lists=[FINE, slow])

    posted = run(server)

    assert posted.evidence is Evidence.RECONCILED
    assert server.copies == 1


@pytest.mark.parametrize(
    "listing",
    [
        pytest.param(down(), id="unreadable"),
        pytest.param(Listing(status(403), FOREVER), id="refused"),
        pytest.param(Listing(shows=0, until=FOREVER), id="without what was there before"),
        pytest.param(Listing(missing=1, until=FOREVER), id="with fewer than it says"),
        pytest.param(Listing(missing=-1, until=FOREVER), id="with more than it says"),
        pytest.param(Listing(counted=False, until=FOREVER), id="without a total"),
    ],
)
def test_list_that_cannot_be_trusted_proves_nothing_until_the_deadline(listing: Listing) -> None:
    server = Server(OLD, posts=[lost(writes=False)], lists=[FINE, listing])

    error = failure(UnknownOutcomeError, server)

    assert error.new_ids == ()
    assert len(server.posted_at) == 1
    assert 119 <= server.clock.slept <= 120


@pytest.mark.parametrize(("post", "posts"), [(lost(), 1), (lost(writes=False), 2)], ids=["written", "absent"])
@pytest.mark.parametrize("listing", [down(until=60), Listing(shows=0, until=60), Listing(status(403), until=60)])
def test_list_that_recovers_settles_the_outcome(listing: Listing, post: Post, posts: int) -> None:
    server = Server(OLD, posts=[post], lists=[FINE, listing])

    posted = run(server)

    assert posted.baseline
    assert (server.copies, len(server.posted_at)) == (1, posts)


def test_oldest_of_several_matches_is_returned_and_the_others_are_duplicates() -> None:
    server = Server(OLD, Note("twin", born=0.001), posts=[lost()], lists=[FINE, down(until=5)])

    posted = run(server)

    assert (posted.item.id, posted.duplicates) == ("posted-1", ("twin",))


def test_matching_note_from_before_the_post_is_not_mistaken_for_it() -> None:
    server = Server(Note("same", born=-1), posts=[lost(writes=False)])

    posted = run(server)

    assert posted.item.id == "posted-2"
    assert server.copies == 1


def test_old_note_that_the_baseline_did_not_show_is_not_mistaken_for_the_post() -> None:
    server = Server(OLD, Note("same", born=-HOUR), posts=[lost(writes=False)], lists=[Listing(shows=1)])

    posted = run(server)

    assert posted.item.id == "posted-2"
    assert server.copies == 1


def test_new_note_with_another_text_may_be_the_post() -> None:
    server = Server(OLD, posts=[lost(text="A fix is out")])

    error = failure(UnknownOutcomeError, server)

    assert error.new_ids == ("posted-1",)
    assert (server.copies, len(server.posted_at)) == (1, 1)
    assert server.clock.slept == pytest.approx(20)


def test_new_note_with_another_text_does_not_hide_the_post() -> None:
    server = Server(OLD, Note("other", "Another text", born=0), posts=[lost(late=5)])

    posted = run(server)

    assert (posted.item.id, posted.evidence) == ("posted-1", Evidence.RECONCILED)


def test_new_note_that_cannot_be_the_post_does_not_prevent_a_proof() -> None:
    server = Server(OLD, MAINTENANCE, posts=[lost(writes=False)])

    posted = run(server)

    assert posted.item.id == "posted-2"
    assert server.copies == 1


def test_success_whose_response_was_cut_is_never_posted_again() -> None:
    server = Server(OLD, posts=[Post(cut_success(), writes=False)])

    error = failure(UnknownOutcomeError, server)

    assert error.cause.status == 201
    assert len(server.posted_at) == 1


def test_success_whose_response_was_cut_is_found() -> None:
    server = Server(OLD, posts=[Post(cut_success())])

    posted = run(server)

    assert (posted.evidence, server.copies) == (Evidence.RECONCILED, 1)


def test_at_most_three_posts_are_made() -> None:
    server = Server(OLD, posts=[lost(writes=False)] * 4)

    failure(APIError, server)

    assert (server.copies, len(server.posted_at)) == (0, 3)
    assert server.clock.slept == pytest.approx(60)


def test_third_post_can_still_be_found() -> None:
    server = Server(OLD, posts=[lost(writes=False), lost(writes=False), lost()])

    posted = run(server)

    assert (posted.item.id, posted.evidence, server.copies) == ("posted-3", Evidence.RECONCILED, 1)


def test_post_is_not_made_again_with_less_than_5_seconds_left() -> None:
    server = Server(OLD, posts=[lost(writes=False)])

    failure(APIError, server, seconds=24.9)

    assert (server.copies, len(server.posted_at)) == (0, 1)


def test_post_is_made_again_with_5_seconds_left() -> None:
    server = Server(OLD, posts=[lost(writes=False)])

    run(server, seconds=25.1)

    assert (server.copies, len(server.posted_at)) == (1, 2)


def test_first_post_is_made_however_little_time_is_left() -> None:
    server = Server(OLD)

    run(server, seconds=1)

    assert server.copies == 1


def test_outcome_is_unknown_without_time_for_a_proof() -> None:
    server = Server(OLD, posts=[lost(writes=False)])

    failure(UnknownOutcomeError, server, seconds=19)

    assert len(server.posted_at) == 1


def test_outcome_is_unknown_at_once_when_the_list_asks_to_wait_beyond_the_deadline() -> None:
    server = Server(OLD, posts=[lost()], lists=[FINE, Listing(status(503, 500))])

    error = failure(UnknownOutcomeError, server)

    assert isinstance(error.__cause__, APIError)
    assert error.__cause__.retry_after == 500
    assert server.clock.slept < 1


def test_list_that_asks_to_wait_within_the_deadline_is_waited_for() -> None:
    server = Server(OLD, posts=[lost()], lists=[FINE, Listing(status(503, 60))])

    posted = run(server)

    assert posted.evidence is Evidence.RECONCILED


def test_refused_list_that_asks_to_come_back_soon_is_read_again() -> None:
    server = Server(OLD, posts=[lost()], lists=[FINE, Listing(status(403, 1))])

    posted = run(server)

    assert posted.evidence is Evidence.RECONCILED


def test_retry_after_of_a_lost_post_is_ignored() -> None:
    server = Server(OLD, posts=[Post(status(503, 500))])

    posted = run(server)

    assert posted.evidence is Evidence.RECONCILED
    assert server.clock.slept < 1


@pytest.mark.parametrize("takes", [2, 10])
def test_lost_post_that_appears_after_its_absence_was_proven_is_a_duplicate(takes: float) -> None:
    server = Server(OLD, posts=[lost(late=21), Post(takes=takes)])

    posted = run(server)

    assert (posted.item.id, posted.evidence, posted.duplicates) == ("posted-2", Evidence.RESPONSE, ("posted-1",))
    assert server.copies == 2


@pytest.mark.parametrize("error", [status(409), status(429, 500), not_sent()], ids=str)
def test_post_that_had_no_effect_is_no_failure_when_the_lost_one_is_there(error: APIError) -> None:
    server = Server(OLD, posts=[lost(late=21), Post(error, writes=False, takes=2)])

    posted = run(server)

    assert (posted.item.id, posted.evidence, server.copies) == ("posted-1", Evidence.RECONCILED, 1)


def test_post_that_is_refused_is_raised_when_the_lost_one_is_still_absent() -> None:
    server = Server(OLD, posts=[lost(writes=False), Post(status(409), writes=False)])

    error = failure(APIError, server)

    assert error.status == 409
    assert (server.copies, len(server.posted_at)) == (0, 2)
    assert server.read_at[-2:] == [pytest.approx(20), pytest.approx(20)]


def test_response_stands_though_the_list_fails_after_it() -> None:
    server = Server(OLD, posts=[lost(writes=False), Post(takes=2)], lists=[Listing(until=21), down()])

    posted = run(server)

    assert (posted.item.id, posted.evidence, server.copies) == ("posted-2", Evidence.RESPONSE, 1)
    assert server.clock.slept <= 22 + 30


@pytest.mark.parametrize("skew", [0, 3 * HOUR, -3 * HOUR, 0.9])
@pytest.mark.parametrize("outage", [31, 60, 100])
def test_clock_of_the_server_decides_what_is_new_without_a_baseline(skew: float, outage: float) -> None:
    server = Server(OLD, Note("same"), posts=[lost(takes=5)], lists=[down(until=outage)], skew=skew)

    posted = run(server)

    assert (posted.item.id, posted.evidence, posted.baseline) == ("posted-1", Evidence.RECONCILED, None)
    assert server.copies == 1


@pytest.mark.parametrize("skew", [0, 3 * HOUR, -3 * HOUR])
def test_clock_of_the_server_can_prove_absence_without_a_baseline(skew: float) -> None:
    server = Server(OLD, Note("same"), posts=[lost(writes=False)], lists=[down(until=60)], skew=skew)

    posted = run(server)

    assert (posted.item.id, posted.evidence, posted.baseline) == ("posted-2", Evidence.RESPONSE, None)
    assert server.copies == 1


@pytest.mark.parametrize("text", [TEXT, "Another text"])
def test_note_created_shortly_before_a_lost_post_prevents_a_proof(text: str) -> None:
    server = Server(OLD, Note("same", text, born=-30), posts=[lost(writes=False)], lists=[down(until=31)])

    error = failure(UnknownOutcomeError, server)

    assert (error.new_ids, error.uncertain_ids) == ((), ("same",))
    assert len(server.posted_at) == 1
    assert server.clock.slept == pytest.approx(server.posted_at[0] + 20)


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(Server(OLD, posts=[lost()], lists=[down(31), Listing(dated=False, until=FOREVER)]), id="Date"),
        pytest.param(Server(OLD, posts=[lost()], lists=[down(31)], shows_created=False), id="created_at"),
    ],
)
def test_without_a_date_nothing_is_known_to_be_new(server: Server) -> None:
    error = failure(UnknownOutcomeError, server)

    assert (error.new_ids, error.uncertain_ids) == ((), ("posted-1", "old"))
    assert len(server.posted_at) == 1


def test_first_of_two_lost_posts_decides_what_is_new() -> None:
    hidden = Listing(shows=1, until=51)
    server = Server(OLD, posts=[lost(), lost()], lists=[down(until=31), hidden, down(until=60)])

    posted = run(server)

    assert (posted.item.id, posted.duplicates) == ("posted-1", ("posted-2",))


@pytest.mark.parametrize("options", [{}, {"avoid_duplicate": True}], ids=["", "duplicate check"])
@pytest.mark.parametrize(
    "listing",
    [
        pytest.param(down(until=None, signal=True), id="while the list is read"),
        pytest.param(Listing(signal=True), id="before the post"),
        pytest.param(replace(SHORT, signal=True), id="before the list is read again"),
    ],
)
def test_run_that_is_cancelled_before_the_post_writes_nothing(listing: Listing, options: dict[str, bool]) -> None:
    server = Server(OLD, lists=[listing])

    failure(CancelledError, server, **options)

    assert (server.posted_at, len(server.read_at)) == ([], 1)


@pytest.mark.parametrize(
    ("posts", "lists"),
    [
        pytest.param([lost(signal=True)], [FINE], id="in the post"),
        pytest.param([lost()], [FINE, Listing(shows=1, signal=True)], id="in the pause"),
        pytest.param([lost()], [FINE, down(until=None, signal=True)], id="in a reading"),
    ],
)
def test_run_that_is_cancelled_after_a_lost_response_reads_the_list_once_more(
    posts: list[Post], lists: list[Listing]
) -> None:
    server = Server(OLD, posts=posts, lists=lists)

    error = failure(CancelledWriteError, server)

    assert error.posted == Posted(Note("posted-1", born=0, created=VirtualClock.BEGINNING), Evidence.RECONCILED)
    assert (len(server.posted_at), len(server.read_at)) == (1, len(lists) + 1)


@pytest.mark.parametrize(
    ("post", "listing"),
    [
        pytest.param(lost(writes=False, signal=True), FINE, id="absent"),
        pytest.param(lost(signal=True), down(), id="unreadable"),
        pytest.param(lost(signal=True), Listing(status(403)), id="refused"),
    ],
)
def test_last_reading_that_finds_nothing_leaves_the_outcome_unknown(post: Post, listing: Listing) -> None:
    server = Server(OLD, posts=[post], lists=[FINE, listing])

    error = failure(CancelledWriteError, server)

    assert error.posted is None
    assert len(server.posted_at) == 1
    assert server.clock.slept <= 2


def test_run_that_is_cancelled_after_a_lost_response_is_cancelled_however_long_the_list_is() -> None:
    server = Server(*old_notes(21), per_page=1, posts=[lost(signal=True)])

    failure(CancelledWriteError, server)


def test_run_that_is_cancelled_after_a_proof_of_absence_writes_nothing() -> None:
    proves_nothing = Listing(counted=False, until=25)
    server = Server(OLD, posts=[lost(writes=False)], lists=[FINE, proves_nothing, Listing(signal=True)])

    failure(CancelledError, server)

    assert (server.copies, len(server.posted_at)) == (0, 1)


@pytest.mark.parametrize("posts", [[], [lost(writes=False)]], ids=["first post", "second post"])
def test_cancellation_before_a_complete_response_has_no_effect(posts: list[Post]) -> None:
    server = Server(OLD, posts=[*posts, Post(signal=True)])

    posted = run(server)

    assert (posted.evidence, server.copies) == (Evidence.RESPONSE, 1)


class Attempt:
    """How many copies there may be, as a run reports it."""

    def __init__(self, server: Server) -> None:
        try:
            posted = run(server)
            self.copies = range(1, 2 + len(posted.duplicates))
        except APIError:
            self.copies = range(1)
        except (UnknownOutcomeError, CancelledError, CancelledWriteError):
            self.copies = range(2)


def one_of(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


LOST = st.builds(timeout) | st.builds(cut_success) | st.builds(status, one_of(408, 502, 503), one_of(None, 500))
NO_EFFECT = st.builds(not_sent) | st.builds(status, one_of(422, 429), one_of(500))
SIGNAL = one_of(False, False, False, False, True)
POSTS = (
    st.builds(Post, text=one_of(TEXT, "A fix"), takes=one_of(0, 25), signal=SIGNAL)
    | st.builds(Post, LOST, one_of(True), one_of(0, 4, 19), one_of(TEXT, TEXT, "A fix"), one_of(0, 3), SIGNAL)
    | st.builds(Post, LOST | NO_EFFECT, writes=one_of(False), takes=one_of(0, 30), signal=SIGNAL)
)
MOMENTS = one_of(None, 19, 29, 45, 60, FOREVER)
LISTS = st.builds(
    Listing, st.none(), MOMENTS, missing=one_of(0, 0, 1, -1), counted=one_of(True, True, False), takes=one_of(0, 0, 12)
) | st.builds(Listing, st.builds(status, one_of(400, 403, 429, 503), one_of(None, 10)), MOMENTS, signal=SIGNAL)
UNDATED = st.builds(Listing, until=MOMENTS, dated=one_of(False))
LYING = st.builds(Listing, until=one_of(19), shows=one_of(0, 1))
SCRIPTS = st.lists(LISTS | UNDATED, max_size=4) | st.lists(LISTS | LYING, max_size=4)
OTHERS = one_of([], [Note("same")], [Note("other", "Another text", born=-30)], [Note("other", "Another text", born=25)])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(POSTS, max_size=3), SCRIPTS, OTHERS, one_of(-HOUR, 0, HOUR))
def test_server_holds_as_many_copies_as_are_reported(
    posts: list[Post], lists: list[Listing], others: list[Note], skew: float
) -> None:
    server = Server(OLD, *others, posts=posts, lists=lists, skew=skew)

    attempt = Attempt(server)

    assert server.copies in attempt.copies
