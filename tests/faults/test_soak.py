"""A short soak; `make soak` is the long one."""

from tools.soak import soak, table

from onlineornot_action.session import RunLimits


def test_of_many_steps_at_once_none_is_lost_doubled_or_denied() -> None:
    limits = RunLimits(response=1, absence_delay=4)

    verdicts = soak(runs=60, incidents=20, seed=1, limits=limits, seconds=60)

    wrong = [verdict for verdict in verdicts if verdict.is_lost or verdict.is_duplicated or verdict.is_denied]
    assert wrong == [], table(verdicts)
    assert sum(verdict.outcome == "created" for verdict in verdicts) > 40, table(verdicts)
