"""Post exactly once to an API without idempotency keys. docs/exactly-once.md explains the algorithm and its gaps.

The list is read beforehand (the baseline). After a lost response it is read again until the item is found or proven
absent; only after that proof is it posted again. Two copies are worse than none, and an honest "unknown" is better
than either. Two gaps remain: a write that is done, or appears in the list, later than `PostLimits.absence_delay`; and
somebody else who posts the same at the same moment.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, Generic, NamedTuple, Protocol

from onlineornot_action.exactly_once.listing import (
    Comparison,
    Listing,
    NewItems,
    PostLimits,
    find_new_items,
    ids_of,
    pause_before_reading,
)
from onlineornot_action.network.deadline import CancelledError, Deadline
from onlineornot_action.network.exchange import Effect
from onlineornot_action.onlineornot.errors import APIError
from onlineornot_action.onlineornot.models import AnyItem, ListPage, oldest_first


class Evidence(StrEnum):
    """How the outcome of a write is known, in words; empty where the API confirmed it at once."""

    RESPONSE = ""
    RECONCILED = "the API's response was lost, but a later reading confirmed it"
    DUPLICATE = "it was there before"


class Draft(Protocol[AnyItem]):
    """An item to post, and the list that it will appear in."""

    def post(self) -> AnyItem:
        """Post the item; repeat the request only while it had no effect."""

    def pages(self, deadline: Deadline | None = None, *, to_the_end: bool = False) -> Iterator[ListPage[AnyItem]]:
        """Read the list page by page, until it is complete; with `to_the_end`, until a page is empty."""

    def may_be_same(self, item: AnyItem) -> bool:
        """Whether an item could be the posted one, in whatever form the server stored it."""

    def compare(
        self, items: Sequence[AnyItem], deadline: Deadline | None = None, *, is_last_look: bool = False
    ) -> Comparison[AnyItem]:
        """Compare items with what was posted.

        Args:
            items: The items.
            deadline: An earlier deadline, if something has to be read for the comparison.
            is_last_look: Whether the run was cancelled, so that only a full match counts.
        """


class Posted(NamedTuple, Generic[AnyItem]):
    """An item that is there."""

    item: AnyItem
    evidence: Evidence = Evidence.RESPONSE
    duplicates: tuple[str, ...] = ()  # the ids of further new items that match it
    baseline: Listing[AnyItem] | None = None  # the list before the post; None when it could not be read


class UnknownOutcomeError(Exception):
    """Raised when a write may or may not have been done, because of the failure of its request, the `cause`."""

    def __init__(self, cause: APIError, *, new_ids: tuple[str, ...] = (), uncertain_ids: tuple[str, ...] = ()) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.new_ids = new_ids  # items that appeared since, but do not match what was sent
        self.uncertain_ids = uncertain_ids  # items that may have come from this write, or may be older


class CancelledWriteError(Exception):
    """Raised when the run was cancelled while the response of a write was lost."""

    def __init__(self, posted: Posted[Any] | None = None) -> None:
        super().__init__("the run was cancelled while a response was lost")
        self.posted = posted  # the item, if it was found; None when the write may or may not have been done


def duplicate_warnings(posted: Posted[AnyItem]) -> Iterator[str]:
    """Warn of an item that was posted more than once."""
    if posted.duplicates:
        ids = ", ".join((posted.item.id, *posted.duplicates))
        yield f"The same was posted more than once: {ids}. Delete all but one."


def post(
    draft: Draft[AnyItem], deadline: Deadline, baseline: Listing[AnyItem] | None, limits: PostLimits
) -> Posted[AnyItem]:
    """Post a draft exactly once; `baseline` is the list as it was just before, None when it could not be read.

    Raises:
        APIError: The item is not there.
        UnknownOutcomeError: The item may be there.
        CancelledError: The run was cancelled; the item is not there.
        CancelledWriteError: The run was cancelled; the item may be there, or was found.
    """
    return _Posting(draft, deadline, limits, baseline).run()


class _Posting(Generic[AnyItem]):
    """One run of the algorithm."""

    def __init__(
        self, draft: Draft[AnyItem], deadline: Deadline, limits: PostLimits, baseline: Listing[AnyItem] | None
    ) -> None:
        self._draft, self._deadline, self._limits, self._baseline = draft, deadline, limits, baseline
        self._written_at: float | None = None  # when the first post that lost its response began

    def run(self) -> Posted[AnyItem]:
        for _ in range(self._limits.lost_writes):
            try:
                item = self._draft.post()
            except APIError as error:
                failure = error
            else:
                duplicates = tuple(each.id for each in self._find_earlier_posts() if each.id != item.id)
                return Posted(item, duplicates=duplicates, baseline=self._baseline)
            is_lost = failure.effect is Effect.AMBIGUOUS
            found = self._reconcile(failure) if is_lost else self._reconciled(self._find_earlier_posts())
            if found:
                return found
            is_out_of_time = self._deadline.left() < self._deadline.limits.write_reserve
            if not is_lost or failure.is_refusal or is_out_of_time:
                break
        raise failure

    def _reconcile(self, lost: APIError) -> Posted[AnyItem] | None:
        """Find the posted item; return None when it is proven absent."""
        if self._written_at is None:
            self._written_at = lost.began
        try:
            return self._search(lost)
        except CancelledError:
            raise CancelledWriteError(self._find_despite_cancellation()) from lost

    def _search(self, lost: APIError) -> Posted[AnyItem] | None:
        self._deadline.check()
        if self._baseline and self._baseline.too_long:
            raise UnknownOutcomeError(lost)
        proof_from = self._deadline.clock.monotonic() + self._limits.absence_delay
        empty_before, unreadable = False, tuple[AnyItem, ...]()
        for reading in self._readings(lost, proof_from):
            new = self._find_new(reading)
            comparison = self._draft.compare(new.new)
            unreadable = comparison.unreadable
            if found := self._reconciled(oldest_first(comparison.same)):
                return found
            if reading.too_long:
                break
            if reading.began >= proof_from and reading.shows_everything(self._baseline) and not unreadable:
                # Without a baseline to compare it with, an empty list proves nothing until it is read twice.
                if reading.ids or self._baseline or empty_before:
                    self._ensure_absent(lost, ids_of(comparison.similar) + self._new_misfits(reading), new.uncertain)
                    return None
                empty_before = True
        raise UnknownOutcomeError(lost, new_ids=ids_of(unreadable))

    def _readings(self, lost: APIError, proof_from: float) -> Iterator[Listing[AnyItem]]:
        """Read the list at growing intervals, and as soon as absence can be proven, until no time is left."""
        attempts, until = 1, "the list is searched again for the update whose response was lost"
        while pause_before_reading(self._deadline, attempts, proof_from=proof_from, until=until):
            attempts += 1
            try:
                can_prove = self._deadline.clock.monotonic() >= proof_from
                reading = Listing(self._draft.pages(to_the_end=can_prove))
            except APIError as error:
                if error.retry_after and error.retry_after > self._deadline.left():
                    raise UnknownOutcomeError(lost) from error
            else:
                yield reading

    def _find_new(self, reading: Listing[AnyItem]) -> NewItems[AnyItem]:
        at, candidate = self._written_at or 0.0, self._draft.may_be_same
        return find_new_items(reading, self._baseline, written_at=at, is_candidate=candidate, limits=self._limits)

    def _new_misfits(self, reading: Listing[AnyItem]) -> tuple[str, ...]:
        """Return the ids of new misfits, any of which may be the posted item."""
        before = self._baseline.ids if self._baseline else ()
        return tuple(misfit.id for misfit in reading.misfits if misfit.id not in before)

    def _ensure_absent(self, lost: APIError, similar: tuple[str, ...], uncertain: tuple[AnyItem, ...]) -> None:
        """Raise `UnknownOutcomeError` if the item may be there in another form."""
        if similar or uncertain or lost.has_success_status:
            # Matches come first, because a person should look at them first.
            compared = self._draft.compare(uncertain)
            uncertain = (*compared.same, *compared.similar, *compared.unreadable)
            raise UnknownOutcomeError(lost, new_ids=similar, uncertain_ids=ids_of(uncertain))

    def _reconciled(self, matches: list[AnyItem]) -> Posted[AnyItem] | None:
        if not matches:
            return None
        return Posted(matches[0], Evidence.RECONCILED, ids_of(matches[1:]), self._baseline)

    def _find_earlier_posts(self) -> list[AnyItem]:
        """Read the list once more for earlier posts of this run that were thought to be absent, oldest first."""
        if self._written_at is None:
            return []
        deadline = self._deadline.within(self._deadline.limits.response, detached=True)
        try:
            return self._find_matches(deadline)
        except (APIError, CancelledError):
            return []

    def _find_despite_cancellation(self) -> Posted[AnyItem] | None:
        """Read the list once more, quickly, after the run was cancelled."""
        deadline = self._deadline.despite_cancellation(self._deadline.limits.grace)
        try:
            return self._reconciled(self._find_matches(deadline, is_last_look=True))
        except APIError:
            return None

    def _find_matches(self, deadline: Deadline, *, is_last_look: bool = False) -> list[AnyItem]:
        """Read the list once, and return the new items that match what was posted, oldest first."""
        new = self._find_new(Listing(self._draft.pages(deadline))).new
        return oldest_first(self._draft.compare(new, deadline, is_last_look=is_last_look).same)
