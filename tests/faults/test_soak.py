"""A short soak; `make soak` is the long one."""

from tools.soak import soak, table

from onlineornot_action.exactly_once.listing import PostLimits
from onlineornot_action.network.deadline import Limits
from onlineornot_action.session import RunLimits


def test_no_update_is_lost_duplicated_or_denied_when_many_steps_run_at_once() -> None:
    limits = RunLimits(exchange=Limits(response=1), post=PostLimits(absence_delay=4))

    verdicts = soak(runs=60, incidents=20, seed=1, limits=limits, seconds=60)

    assert [verdict for verdict in verdicts if verdict.failure] == [], table(verdicts)
    assert sum(verdict.outcome == "created" for verdict in verdicts) > 40, table(verdicts)
