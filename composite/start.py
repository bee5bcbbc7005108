"""What `composite/action.yml` starts: gets the packages, then runs the action. Only Python's own are there before."""

import os
import sys
from typing import NoReturn

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is slow to import
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "src"), HERE]  # noqa: PTH118, PTH120 - likewise

from onlineornot_action.process import catch_signals, drop_openssl_variables, run


def main() -> NoReturn:
    """Prepare and run the action; or say why nothing was sent, in the log, the outputs and the status."""
    signal_received = catch_signals()
    drop_openssl_variables()
    from preparation import prepare  # noqa: PLC0415 - a job can be cancelled meanwhile

    prepared = prepare(os.environ, signal_received)
    if isinstance(prepared, int):
        sys.exit(prepared)
    run([], prepared, signal_received)


if __name__ == "__main__":
    main()
