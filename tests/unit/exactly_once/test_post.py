"""Posting exactly once: what the server holds after every fault, and what is reported. No sockets, a virtual clock."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fault_server import VirtualClock

from onlineornot_action.exactly_once.listing import Comparison, PostLimits, read_baseline, read_reliably
from onlineornot_action.exactly_once.listing import Listing as Reading
from onlineornot_action.exactly_once.post import (
    CancelledWriteError,
    Evidence,
    Posted,
    UnknownOutcomeError,
    duplicate_warnings,
    post,
)
from onlineornot_action.network.deadline import CancelledError, Deadline
from onlineornot_action.network.exchange import Cause, Effect, ExchangeError
from onlineornot_action.onlineornot.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    BadRequestError,
    InterceptedError,
    effect_of,
    error_for,
)
from onlineornot_action.onlineornot.models import ListPage

TEXT = "A fix is out."
FOREVER = math.inf
HOUR = 3600.0
RESPONSE, RECONCILED = Evidence.RESPONSE, Evidence.RECONCILED
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
        deadline = deadline or self.deadline
        while True:
            deadline.check()
            try:
                return iter(self.server.read(to_the_end=to_the_end))
            except APIError as error:
                deadline = deadline.outermost if error.effect is Effect.THROTTLED else deadline
                wait = error.retry_after or 1
                if error.final or (error.retry_after and wait > deadline.left()) or not deadline.sleep(wait, 0.5):
                    raise

    def may_be_same(self, item: Note) -> bool:
        """Exclude only the maintenance."""
        return item.id != MAINTENANCE.id

    def compare(
        self,
        items: Sequence[Note],
        deadline: Deadline | None = None,  # noqa: ARG002 - nothing is read
        *,
        is_last_look: bool = False,  # noqa: ARG002 - likewise
    ) -> Comparison[Note]:
        """Compare the texts."""
        same = tuple(same_notes(items))
        return Comparison(same, tuple(item for item in items if item not in same))


def same_notes(notes: Iterable[Note]) -> list[Note]:
    return [note for note in notes if note.text == TEXT]


def run(server: Server, *, seconds: float = 120, avoid_duplicate: bool = False, required: bool = True) -> Posted[Note]:
    deadline = Deadline.after(seconds, server.clock, lambda: server.signalled)
    draft = Draft(server, deadline)
    limits = PostLimits()
    baseline: Reading[Note] | None
    if avoid_duplicate and required:
        baseline = read_reliably(draft.pages, deadline, limits, is_enough=lambda notes: bool(same_notes(notes)))
    else:
        baseline = read_baseline(
            draft.pages,
            deadline,
            limits,
            is_enough=(lambda notes: bool(same_notes(notes))) if avoid_duplicate else None,
        )
    if avoid_duplicate and baseline and (same := same_notes(baseline.items)):
        return Posted(same[0], Evidence.DUPLICATE)
    return post(draft, deadline, baseline, limits)


def failure(kind: type[Failure], server: Server, **options: Any) -> Failure:
    with pytest.raises(kind) as caught:
        run(server, **options)
    return caught.value


def status(code: int, retry_after: float | None = None) -> APIStatusError:
    return error_for(code)(code, effect=effect_of(code), retry_after=retry_after)


def intercepted(code: int = 403) -> APIError:
    return error_for(code, has_envelope=False, writes=True)(code, effect=Effect.AMBIGUOUS)


def not_sent(cause: Cause = Cause.CONNECTION) -> APIError:
    return APIConnectionError(ExchangeError(str(cause), cause, Effect.NOT_SENT))


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
SLOW = Listing(takes=15, until=FOREVER)
FOUND, REPEATED = ("posted-1", RECONCILED), ("posted-2", RESPONSE)


def old_notes(number: int) -> list[Note]:
    return [replace(OLD, id=f"old-{one}") for one in range(number)]


LOST_POSTS = {"written": (lost(takes=5), FOUND), "absent": (lost(writes=False), REPEATED)}
RECOVERING = {"unreadable": down(until=60), "empty": Listing(shows=0, until=60), "403": Listing(status(403), until=60)}
MADE_ONCE = {
    "a response": (Server(OLD), ("posted-1", RESPONSE)),
    "intercepted with 429": (Server(OLD, posts=[Post(intercepted(429), late=3)]), FOUND),
    "intercepted, then an empty list": (Server(OLD, posts=[Post(intercepted())], lists=[FINE, EMPTY]), FOUND),
    "intercepted, without a baseline": (Server(OLD, posts=[Post(intercepted())], lists=[down(until=30)]), FOUND),
    "lost": (Server(OLD, posts=[lost()]), FOUND),
    "lost and the first": (Server(posts=[lost()]), FOUND),
    "throttled in between, absent": (Server(OLD, posts=[Post(intercepted(429), writes=False)]), REPEATED),
    "lost, with a Retry-After": (Server(OLD, posts=[Post(status(503, 500))]), FOUND),
    "lost, late and the first": (Server(posts=[lost(late=19)]), FOUND),
    "lost after 30 s, and late by 15 s": (Server(OLD, posts=[lost(takes=30, late=45)]), FOUND),
    "lost, late, and slow lists": (Server(OLD, posts=[lost(late=18)], lists=[FINE, SLOW]), FOUND),
    "lost, late, slow lists and the first": (Server(posts=[lost(late=18)], lists=[FINE, SLOW]), FOUND),
    "absent": (Server(OLD, posts=[lost(writes=False)]), REPEATED),
    "absent twice": (Server(OLD, posts=[lost(writes=False), lost(writes=False), lost()]), ("posted-3", RECONCILED)),
    "absent, one like it is older": (Server(Note("same", born=-1), posts=[lost(writes=False)]), REPEATED),
    "absent, what is new cannot be it": (Server(OLD, MAINTENANCE, posts=[lost(writes=False)]), REPEATED),
    "lost, another text is new": (Server(OLD, Note("other", "Another text", born=0), posts=[lost(late=5)]), FOUND),
    "lost, the list asks to wait": (Server(OLD, posts=[lost()], lists=[FINE, Listing(status(503, 60))]), FOUND),
    "lost, a 403 asks to wait": (Server(OLD, posts=[lost()], lists=[FINE, Listing(status(403, 1))]), FOUND),
    "lost, on the last of 20 pages": (Server(*old_notes(19), per_page=1, posts=[lost()]), FOUND),
    "lost, on page 21": (Server(*old_notes(20), per_page=1, posts=[lost()]), FOUND),
    "absent from 20 pages": (Server(*old_notes(20), per_page=1, posts=[lost(writes=False)]), REPEATED),
    "absent, and no list after the response": (
        Server(OLD, posts=[lost(writes=False), Post(takes=2)], lists=[Listing(until=21), down()]),
        REPEATED,
    ),
    **{
        f"{post}, hidden notes": (Server(OLD, posts=[lost_post], lists=[Listing(missing=2, until=FOREVER)]), found)
        for post, (lost_post, found) in LOST_POSTS.items()
    },
    **{
        f"{post}, the list recovers from {fault}": (Server(OLD, posts=[lost_post], lists=[FINE, listing]), found)
        for fault, listing in RECOVERING.items()
        for post, (lost_post, found) in LOST_POSTS.items()
    },
}


@pytest.mark.parametrize(("server", "found"), MADE_ONCE.values(), ids=MADE_ONCE)
def test_post_is_made_once_and_its_evidence_is_reported(server: Server, found: tuple[str, Evidence]) -> None:
    posted = run(server)

    assert (posted.item.id, posted.evidence) == found
    assert (server.copies, f"posted-{len(server.posted_at)}", posted.duplicates) == (1, posted.item.id, ())


def test_first_post_is_made_after_one_reading_however_little_time_is_left() -> None:
    server = Server(OLD)

    run(server, seconds=1)

    assert (server.copies, len(server.read_at), server.clock.slept) == (1, 1, 0)


@pytest.mark.parametrize("error", [status(422), status(429, 500), not_sent(), not_sent(Cause.CERTIFICATE)], ids=str)
def test_post_that_had_no_effect_is_raised_and_not_repeated(error: APIError) -> None:
    server = Server(OLD, posts=[Post(error, writes=False)])

    raised = failure(APIError, server)

    assert raised is error
    assert (server.copies, len(server.posted_at), len(server.read_at)) == (0, 1, 1)


@pytest.mark.parametrize(
    ("lists", "hidden"),
    [
        ([SHORT], 0),
        ([SHORT, SHORT], 1),
        ([replace(SHORT, shows=0), SHORT], None),
        ([SHORT, replace(SHORT, shows=0)], None),
    ],
)
def test_incomplete_baseline_is_read_once_more_a_second_later(lists: list[Listing], hidden: int | None) -> None:
    server = Server(OLD, lists=lists)

    posted = run(server)

    assert (posted.baseline.hidden if posted.baseline else None) == hidden
    assert (server.copies, len(server.read_at), server.posted_at) == (1, 2, [1])


@pytest.mark.parametrize("fine_before", [[], [SHORT]], ids=["first reading", "second reading"])
@pytest.mark.parametrize(
    "error",
    [status(401), status(403), status(404), status(429, 500), not_sent(Cause.CERTIFICATE), not_sent(Cause.PROXY)],
    ids=repr,
)
def test_failure_of_the_baseline_that_the_post_would_share_is_raised(
    fine_before: list[Listing], error: APIError
) -> None:
    server = Server(OLD, lists=[*fine_before, Listing(error)])

    raised = failure(APIError, server)

    assert raised is error
    assert (server.clock.slept, server.posted_at) == (len(fine_before), [])


@pytest.mark.parametrize(
    ("listing", "has_baseline", "earliest", "latest"),
    [
        pytest.param(Listing(status(429, 60)), True, 60, 60.01, id="throttled"),
        pytest.param(down(until=25), True, 25, 30, id="an outage within a quarter of the time"),
        pytest.param(down(), False, 29, 30, id="unreadable"),
        pytest.param(Listing(not_sent(), FOREVER), False, 29, 30, id="not reachable"),
        pytest.param(Listing(status(503, 40)), False, 0, 0, id="asked to wait longer"),
        pytest.param(Listing(status(400)), False, 0, 0, id="rejected"),
    ],
)
def test_baseline_is_waited_for_a_quarter_of_the_time_or_longer_if_throttled(
    listing: Listing, has_baseline: object, earliest: float, latest: float
) -> None:
    server = Server(OLD, lists=[listing])

    posted = run(server)

    assert (posted.baseline is not None) is has_baseline
    assert server.copies == 1
    assert earliest <= server.posted_at[0] <= latest


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(Server(Note("same"), OLD), id="complete"),
        pytest.param(Server(Note("same"), OLD, lists=[replace(SHORT, until=FOREVER)]), id="short"),
        pytest.param(Server(Note("same"), OLD, lists=[EMPTY]), id="first empty"),
        pytest.param(
            Server(Note("same"), OLD, lists=[EMPTY, Listing(shows=0, missing=1), EMPTY]), id="empty, but not in a row"
        ),
        pytest.param(Server(Note("same"), OLD, lists=[down(until=60)]), id="unreadable beyond a quarter of the time"),
        pytest.param(Server(*old_notes(21), Note("same"), per_page=1), id="on page 22"),
    ],
)
def test_duplicate_in_any_reading_is_enough(server: Server) -> None:
    posted = run(server, avoid_duplicate=True)

    assert (posted.item.id, posted.evidence) == ("same", Evidence.DUPLICATE)
    assert server.posted_at == []


def test_duplicate_in_an_incomplete_reading_is_enough_in_a_first_attempt_too() -> None:
    server = Server(Note("same"), OLD, lists=[replace(SHORT, until=FOREVER)])

    posted = run(server, avoid_duplicate=True, required=False)

    assert (posted.item.id, posted.evidence) == ("same", Evidence.DUPLICATE)


@pytest.mark.parametrize(("notes", "readings"), [([], 2), ([OLD], 1)])
def test_only_an_empty_list_is_checked_twice(notes: list[Note], readings: int) -> None:
    server = Server(*notes)

    run(server, avoid_duplicate=True)

    assert (server.copies, len(server.read_at)) == (1, readings)


@pytest.mark.parametrize(
    ("listing", "effect", "seconds"),
    [
        pytest.param(down(), Effect.AMBIGUOUS, 120, id="unreadable"),
        pytest.param(Listing(shows=0, missing=1, until=FOREVER), Effect.AMBIGUOUS, 120, id="empty"),
        pytest.param(Listing(status(400)), Effect.REJECTED, 0, id="400"),
    ],
)
def test_duplicate_check_needs_the_list_until_the_deadline_unless_it_is_rejected(
    listing: Listing, effect: Effect, seconds: float
) -> None:
    server = Server(OLD, lists=[listing])

    error = failure(APIError, server, avoid_duplicate=True)

    assert (error.effect, server.posted_at) == (effect, [])
    assert server.clock.slept == pytest.approx(seconds, abs=1)


@pytest.mark.parametrize(
    ("listing", "copies"),
    [
        pytest.param(down(), 1, id="unreadable"),
        pytest.param(Listing(shows=0, missing=1, until=FOREVER), 1, id="empty, but not by its total"),
        pytest.param(Listing(status(400), FOREVER), 1, id="400"),
        pytest.param(EMPTY, 0, id="empty once"),
        pytest.param(SHORT, 0, id="short once"),
        pytest.param(down(until=20), 0, id="outage"),
    ],
)
def test_duplicate_check_that_is_not_required_waits_a_quarter_of_the_time_for_a_list_that_can_be_trusted(
    listing: Listing, copies: int
) -> None:
    server = Server(OLD, Note("same"), lists=[listing])

    posted = run(server, avoid_duplicate=True, required=False)

    assert (posted.evidence, server.copies) == (RESPONSE if copies else Evidence.DUPLICATE, copies)
    assert posted.baseline is None
    assert max(server.posted_at, default=0) <= 30


UNTRUSTED = {
    "unreadable": down(),
    "403": Listing(status(403), FOREVER),
    "without what was there before": Listing(shows=0, until=FOREVER),
    "fewer than its total": Listing(missing=1, until=FOREVER),
    "more than its total": Listing(missing=-1, until=FOREVER),
    "without a total": Listing(counted=False, until=FOREVER),
}
RECENT, OTHER = Note("recent", born=-30), Note("recent", "Another text", born=-30)
UNDATED_LISTS = [down(31), Listing(dated=False, until=FOREVER)]
ABSENT = lost(writes=False)
UNKNOWN: dict[str, tuple[Server, float, tuple[str, ...], tuple[str, ...]]] = {
    "intercepted, then no list": (Server(OLD, posts=[Post(intercepted())], lists=[FINE, down()]), 120, (), ()),
    "intercepted, another text": (Server(OLD, posts=[Post(intercepted(), text="A fix")]), 20, ("posted-1",), ()),
    "more than 20 pages": (Server(*old_notes(21), per_page=1, posts=[lost()]), 0, (), ()),
    "another text": (Server(OLD, posts=[lost(text="A fix is out")]), 20, ("posted-1",), ()),
    "a success that was cut": (Server(OLD, posts=[Post(cut_success(), writes=False)]), 20, (), ()),
    "the list asks to wait too long": (Server(OLD, posts=[lost()], lists=[FINE, Listing(status(503, 500))]), 0, (), ()),
    "no baseline, the same is recent": (Server(OLD, RECENT, posts=[ABSENT], lists=[down(31)]), 50, (), ("recent",)),
    "no baseline, another is recent": (Server(OLD, OTHER, posts=[ABSENT], lists=[down(31)]), 50, (), ("recent",)),
    "no baseline, no Date": (Server(OLD, posts=[lost()], lists=UNDATED_LISTS), 50, (), ("posted-1", "old")),
    "no baseline, no created_at": (
        Server(OLD, posts=[lost()], lists=[down(31)], shows_created=False),
        50,
        (),
        ("posted-1", "old"),
    ),
    **{name: (Server(OLD, posts=[ABSENT], lists=[FINE, listing]), 120, (), ()) for name, listing in UNTRUSTED.items()},
}


@pytest.mark.parametrize(("server", "seconds", "new_ids", "uncertain_ids"), UNKNOWN.values(), ids=UNKNOWN)
def test_outcome_is_unknown_after_one_post(
    server: Server, seconds: float, new_ids: tuple[str, ...], uncertain_ids: tuple[str, ...]
) -> None:
    error = failure(UnknownOutcomeError, server)

    assert (error.new_ids, error.uncertain_ids, len(server.posted_at)) == (new_ids, uncertain_ids, 1)
    assert server.clock.slept == pytest.approx(seconds, abs=1)


def test_list_is_read_at_growing_intervals_until_absence_is_proven_after_20_seconds() -> None:
    server = Server(OLD, posts=[lost(writes=False)])

    run(server)

    assert 4 < len(server.read_at) < 30
    assert server.posted_at == [0, pytest.approx(20)]


HIDDEN_AT_FIRST = [down(until=31), Listing(shows=1, until=51), down(until=60)]
DUPLICATES = {
    "newer": (Server(OLD, Note("twin", born=0.001), posts=[lost()], lists=[FINE, down(until=5)]), FOUND, "twin"),
    "soon after its absence was proven": (Server(OLD, posts=[lost(late=21), Post(takes=2)]), REPEATED, "posted-1"),
    "later": (Server(OLD, posts=[lost(late=21), Post(takes=10)]), REPEATED, "posted-1"),
    "the second of two that were lost": (Server(OLD, posts=[lost(), lost()], lists=HIDDEN_AT_FIRST), FOUND, "posted-2"),
}


@pytest.mark.parametrize(("server", "found", "duplicate"), DUPLICATES.values(), ids=DUPLICATES)
def test_oldest_of_several_matches_is_returned_unless_one_was_confirmed_and_the_other_is_a_duplicate(
    server: Server, found: tuple[str, Evidence], duplicate: str
) -> None:
    posted = run(server)

    assert ((posted.item.id, posted.evidence), posted.duplicates) == (found, (duplicate,))
    [warning] = duplicate_warnings(posted)
    assert warning == f"The same was posted more than once: {found[0]}, {duplicate}. Delete all but one."


@pytest.mark.parametrize(
    ("posts", "limit", "kind", "made", "seconds"),
    [
        pytest.param([Post(intercepted(), writes=False)], 120, InterceptedError, 1, 20, id="intercepted"),
        pytest.param([ABSENT, Post(status(409), writes=False)], 120, BadRequestError, 2, 20, id="lost, then rejected"),
        pytest.param([ABSENT] * 4, 120, APIConnectionError, 3, 60, id="lost three times"),
        pytest.param([ABSENT] * 2, 19, UnknownOutcomeError, 1, 18.5, id="no time for a proof"),
        pytest.param([ABSENT] * 2, 24.9, APIConnectionError, 1, 20, id="less than 5 seconds left"),
        pytest.param([ABSENT] * 2, 44.9, APIConnectionError, 2, 40, id="less than 5 seconds left for the third"),
    ],
)
def test_post_that_is_absent_is_raised_where_it_must_not_be_repeated(
    posts: list[Post], limit: float, kind: type[Exception], made: int, seconds: float
) -> None:
    server = Server(OLD, posts=posts)

    failure(kind, server, seconds=limit)

    assert (server.copies, len(server.posted_at)) == (0, made)
    assert server.clock.slept == pytest.approx(seconds, abs=0.5)


@pytest.mark.parametrize("error", [status(409), status(429, 500), not_sent()], ids=str)
def test_post_that_had_no_effect_is_no_failure_when_the_lost_one_is_there(error: APIError) -> None:
    server = Server(OLD, posts=[lost(late=21), Post(error, writes=False, takes=2)])

    posted = run(server)

    assert (posted.item.id, posted.evidence, server.copies) == ("posted-1", RECONCILED, 1)


@pytest.mark.parametrize("skew", [0, 3 * HOUR, -3 * HOUR, 0.9])
@pytest.mark.parametrize("outage", [31, 60, 90])
@pytest.mark.parametrize(("post", "found"), LOST_POSTS.values(), ids=LOST_POSTS)
def test_clock_of_the_server_decides_what_is_new_without_a_baseline(
    skew: float, outage: float, post: Post, found: tuple[str, Evidence]
) -> None:
    server = Server(OLD, Note("same"), posts=[post], lists=[down(until=outage)], skew=skew)

    posted = run(server)

    assert ((posted.item.id, posted.evidence), posted.baseline) == (found, None)
    assert server.copies == 1


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

    assert error.posted
    assert error.posted.item == Note("posted-1", born=0, created=VirtualClock.BEGINNING)
    assert error.posted.evidence is RECONCILED
    assert (len(server.posted_at), len(server.read_at)) == (1, len(lists) + 1)


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(Server(OLD, posts=[lost(writes=False, signal=True)]), id="absent"),
        pytest.param(Server(OLD, posts=[lost(signal=True)], lists=[FINE, down()]), id="unreadable"),
        pytest.param(Server(OLD, posts=[lost(signal=True)], lists=[FINE, Listing(status(403))]), id="rejected"),
        pytest.param(Server(*old_notes(21), per_page=1, posts=[lost(signal=True)]), id="more than 20 pages"),
    ],
)
def test_last_reading_that_finds_nothing_leaves_the_outcome_unknown(server: Server) -> None:
    error = failure(CancelledWriteError, server)

    assert error.posted is None
    assert len(server.posted_at) == 1
    assert server.clock.slept <= 2


def test_run_that_is_cancelled_after_a_proof_of_absence_writes_nothing() -> None:
    proves_nothing = Listing(counted=False, until=25)
    server = Server(OLD, posts=[lost(writes=False)], lists=[FINE, proves_nothing, Listing(signal=True)])

    failure(CancelledError, server)

    assert (server.copies, len(server.posted_at)) == (0, 1)


@pytest.mark.parametrize("posts", [[], [lost(writes=False)]], ids=["first post", "second post"])
def test_cancellation_before_a_complete_response_has_no_effect(posts: list[Post]) -> None:
    server = Server(OLD, posts=[*posts, Post(signal=True)])

    posted = run(server)

    assert (posted.evidence, server.copies) == (RESPONSE, 1)


def reported_copies(server: Server) -> range:
    """Return how many copies there may be, as a run reports it."""
    try:
        return range(1, 2 + len(run(server).duplicates))
    except APIError:
        return range(1)
    except (UnknownOutcomeError, CancelledError, CancelledWriteError):
        return range(2)


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
LYING = st.builds(Listing, until=one_of(19), shows=one_of(0))
SCRIPTS = st.lists(LISTS | UNDATED, max_size=4) | st.lists(LISTS | LYING, max_size=4)
OTHERS = one_of([], [Note("same")], [Note("other", "Another text", born=-30)], [Note("other", "Another text", born=25)])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(POSTS, max_size=3), SCRIPTS, OTHERS, one_of(-HOUR, 0, HOUR))
def test_server_holds_as_many_copies_as_are_reported(
    posts: list[Post], lists: list[Listing], others: list[Note], skew: float
) -> None:
    server = Server(OLD, *others, posts=posts, lists=lists, skew=skew)

    reported = reported_copies(server)

    assert server.copies in reported
