"""Exactly once: how something is posted to an API that has no idempotency key.

Every call of `post` ends in one of these ways:

    Posted             it is there, once
    APIError           it is not there: refused, never sent, or proven absent
    UnknownOutcomeError     nobody knows whether it is there
    CancelledError     the job was cancelled; the error says whether it may be there

It reads the list of what is there (the baseline) and posts. When the response is lost it reads the list again until
what it posted is found or proven absent; only then it posts once more. Two copies are worse than none, and an honest
"unknown" is better than either. What remains is a server that writes, or a list that shows it, later than
`PostLimits.absence_delay` after the response was lost, and somebody else who posts the same at the same moment.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, Protocol

from onlineornot_action.exactly_once.listing import Listing, NewItems, PostLimits, find_new_items, read_reliably
from onlineornot_action.onlineornot.deadline import Deadline, backoff
from onlineornot_action.onlineornot.errors import (
    APIError,
    AuthenticationError,
    CancelledError,
    Effect,
    NotFoundError,
    PermissionDeniedError,
)
from onlineornot_action.onlineornot.models import AnyItem, ListPage

MAX_LOST_WRITES = 3
"""Posts that may end without a response."""


class Draft(Protocol[AnyItem]):
    """What is to be posted, and the list in which it will appear."""

    def post(self) -> AnyItem:
        """Post it; again only while that had no effect."""

    def pages(self, deadline: Deadline | None = None, *, to_the_end: bool = False) -> Iterator[ListPage[AnyItem]]:
        """Read the list page by page, until all is read; `to_the_end`, until a page is empty."""

    def concerns(self, item: AnyItem) -> bool:
        """Whether an item could be what was posted, however the server wrote it down."""

    def is_same(self, item: AnyItem, deadline: Deadline | None = None) -> bool:
        """Whether an item says exactly what was posted; if that has to be read, until the deadline."""


class Evidence(Enum):
    """How it is known that something is there."""

    RESPONSE = "the API said so"
    RECONCILED = "the response was lost, but it was found there"
    DUPLICATE = "it was there before"


@dataclass(frozen=True)
class Posted(Generic[AnyItem]):
    """What is there now.

    Attributes:
        item: What was posted.
        evidence: How that is known.
        duplicates: Ids of further new items that say the same.
        baseline: The list as it was beforehand, if it could be read.
    """

    item: AnyItem
    evidence: Evidence = Evidence.RESPONSE
    duplicates: tuple[str, ...] = ()
    baseline: Listing[AnyItem] | None = field(default=None, compare=False)


class UnknownOutcomeError(Exception):
    """Raised when a write may have been done or not.

    Attributes:
        cause: What came instead of its response.
        new_ids: What has appeared meanwhile in another form than was sent.
        uncertain_ids: What may be what was sent, or older.
    """

    def __init__(self, cause: APIError, *, new_ids: tuple[str, ...] = (), uncertain_ids: tuple[str, ...] = ()) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.new_ids = new_ids
        self.uncertain_ids = uncertain_ids


def duplicate_warnings(posted: Posted[AnyItem]) -> Iterator[str]:
    """Say what is there more than once."""
    if posted.duplicates:
        ids = ", ".join((posted.item.id, *posted.duplicates))
        yield f"The same was posted more than once: {ids}. Delete all but one."


def post(
    draft: Draft[AnyItem],
    deadline: Deadline,
    *,
    find_duplicate: Callable[[list[AnyItem]], AnyItem | None] | None = None,
    baseline: Listing[AnyItem] | None = None,
    limits: PostLimits,
) -> Posted[AnyItem]:
    """Post a draft exactly once.

    Args:
        draft: What to post.
        deadline: When to give up.
        find_duplicate: Picks from the list what makes it superfluous to post.
        baseline: The list, if it was read just now, and reliably.
        limits: How long what may take.

    Raises:
        APIError: It is not there.
        UnknownOutcomeError: It may be there.
        CancelledError: The deadline was cancelled; the error says whether it may be there.
    """
    return _Posting(draft, deadline, limits, baseline).run(find_duplicate)


class _Posting(Generic[AnyItem]):
    """One run of the algorithm."""

    def __init__(
        self, draft: Draft[AnyItem], deadline: Deadline, limits: PostLimits, baseline: Listing[AnyItem] | None
    ) -> None:
        self._draft = draft
        self._deadline = deadline
        self._limits = limits
        self._baseline = baseline
        self._written_at: float | None = None
        """When the first post whose response was lost was begun."""

    def run(self, find_duplicate: Callable[[list[AnyItem]], AnyItem | None] | None) -> Posted[AnyItem]:
        if find_duplicate:
            self._baseline = self._baseline or self._read_reliably(find_duplicate)
            if duplicate := find_duplicate(self._baseline.items):
                return self._posted(duplicate, Evidence.DUPLICATE)
        self._baseline = self._baseline or self._read_in_time()
        for _ in range(MAX_LOST_WRITES):
            try:
                return self._with_duplicates(self._draft.post())
            except APIError as error:
                if error.effect is not Effect.AMBIGUOUS:
                    return self._recheck(error)
                lost = error
            if found := self._reconcile(lost):
                return found
            if self._deadline.left() < self._limits.write_reserve:
                break
        raise lost

    def _read_in_time(self) -> Listing[AnyItem] | None:
        """The baseline; None when it cannot be read in its share of the time, or never completely."""
        patience = self._deadline.within(self._deadline.left() * self._limits.baseline_share)
        try:
            reading = Listing(self._draft.pages(patience))
            if not (reading.complete or reading.too_long):
                reading = Listing(self._draft.pages(patience))
        except APIError as error:
            if _ends_everything(error):
                raise
            return None
        return reading if reading.complete or reading.too_long else None

    def _read_reliably(self, find_duplicate: Callable[[list[AnyItem]], AnyItem | None]) -> Listing[AnyItem]:
        """The baseline where a duplicate must not be overlooked."""
        pages, deadline, limits = self._draft.pages, self._deadline, self._limits
        return read_reliably(pages, deadline, limits, is_enough=lambda items: find_duplicate(items) is not None)

    def _reconcile(self, lost: APIError) -> Posted[AnyItem] | None:
        """Find what was posted, or None when it is proven absent."""
        self._written_at = lost.began if self._written_at is None else self._written_at
        try:
            return self._search(lost)
        except CancelledError:
            raise self._last_look() from lost

    def _search(self, lost: APIError) -> Posted[AnyItem] | None:
        clock = self._deadline.clock
        proof_from = clock.monotonic() + self._limits.absence_delay
        attempts, empty_before = 0, False
        self._deadline.check()
        while not (self._baseline and self._baseline.too_long) and self._pause(
            attempts := attempts + 1, until=proof_from
        ):
            reading = self._try_to_read(lost, to_the_end=clock.monotonic() >= proof_from)
            if reading is None:
                continue
            if found := self._found_in(reading):
                return found
            if reading.too_long:
                break
            if reading.began >= proof_from and reading.shows_everything(self._baseline):
                # With no baseline to compare it with, an empty list is believed the second time.
                if reading.items or self._baseline or empty_before:
                    self._check_absence(lost, reading)
                    return None
                empty_before = True
        raise UnknownOutcomeError(lost)

    def _check_absence(self, lost: APIError, reading: Listing[AnyItem]) -> None:
        """Accept that what was posted is absent, unless it may be there in another form."""
        news = self._news(reading)
        if news.new or news.uncertain or lost.has_success_status:
            # Those that say the same come first: whoever has to look at them begins there.
            uncertain = sorted(news.uncertain, key=self._draft.is_same, reverse=True)
            raise UnknownOutcomeError(
                lost, new_ids=tuple(item.id for item in news.new), uncertain_ids=tuple(item.id for item in uncertain)
            )

    def _try_to_read(self, lost: APIError, *, to_the_end: bool) -> Listing[AnyItem] | None:
        try:
            return Listing(self._draft.pages(to_the_end=to_the_end))
        except APIError as error:
            if error.retry_after and error.retry_after > self._deadline.left():
                raise UnknownOutcomeError(lost) from error
            return None

    def _pause(self, attempts: int, *, until: float = 0) -> bool:
        """Wait for the next reading, but not past a certain moment; False when there is no time for it."""
        wait, rest = backoff(attempts, self._limits), until - self._deadline.clock.monotonic()
        return self._deadline.sleep(min(wait, rest) if rest > 0 else wait, self._limits.read_reserve)

    def _news(self, reading: Listing[AnyItem]) -> NewItems[AnyItem]:
        written_at, concerns = self._written_at or 0.0, self._draft.concerns
        return find_new_items(reading, self._baseline, written_at=written_at, concerns=concerns, limits=self._limits)

    def _ours(self, reading: Listing[AnyItem], deadline: Deadline | None = None) -> list[AnyItem]:
        """What is new and the same, earliest first."""
        ours = [item for item in self._news(reading).new if self._draft.is_same(item, deadline)]
        return sorted(ours, key=lambda item: item.created or 0.0)

    def _found_in(self, reading: Listing[AnyItem], deadline: Deadline | None = None) -> Posted[AnyItem] | None:
        return self._found(self._ours(reading, deadline))

    def _found(self, ours: list[AnyItem]) -> Posted[AnyItem] | None:
        return self._posted(ours[0], Evidence.RECONCILED, tuple(double.id for double in ours[1:])) if ours else None

    def _posted(self, item: AnyItem, evidence: Evidence, duplicates: tuple[str, ...] = ()) -> Posted[AnyItem]:
        return Posted(item, evidence, duplicates, self._baseline)

    def _with_duplicates(self, item: AnyItem) -> Posted[AnyItem]:
        """Take the response for what it says, and see whether an earlier post, thought to be absent, is there too."""
        return self._posted(item, Evidence.RESPONSE, tuple(other.id for other in self._glance() if other.id != item.id))

    def _recheck(self, error: APIError) -> Posted[AnyItem]:
        """Nothing was written now, but perhaps an earlier post, thought to be absent, is there."""
        found = self._found(self._glance())
        if found is None:
            raise error
        return found

    def _glance(self) -> list[AnyItem]:
        """What one more reading shows of ours, after a post that followed a lost one."""
        if self._written_at is None:
            return []
        deadline = self._deadline.within(self._limits.response, detached=True)
        try:
            return self._ours(Listing(self._draft.pages(deadline)), deadline)
        except (APIError, CancelledError):
            return []

    def _last_look(self) -> CancelledError:
        """What can still be said when the job is cancelled while a response is lost."""
        try:
            deadline = self._deadline.despite_cancellation(self._limits.grace)
            found = self._found_in(Listing(self._draft.pages(deadline)), deadline)
        except APIError:
            found = None
        return CancelledError(may_have_written=True, found=found)


def _ends_everything(error: APIError) -> bool:
    """Whether what keeps the list from being read will keep the post from being made as well."""
    refused = isinstance(error, AuthenticationError | PermissionDeniedError | NotFoundError)
    return refused or error.effect is Effect.THROTTLED or (error.effect is Effect.NOT_SENT and error.final)
