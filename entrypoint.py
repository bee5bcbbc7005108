"""The container's entry point: passes arguments, environment, standard output and signals of the process to main."""

import signal

signals_received: list[int] = []
# Installed before all other imports: a job can be cancelled while they run.
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda received, _: signals_received.append(received))

import gc
import io
import os
import sys

# A run is short and creates few reference cycles; looking for them would take 5 % of its time.
gc.disable()

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "src"))  # noqa: PTH100, PTH118, PTH120 - pathlib is slow to import

from onlineornot_action.main import main

if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    exit_status = main(sys.argv[1:], os.environ, sys.stdout, lambda: signals_received[0] if signals_received else None)
    # All output is written and flushed. Do not wait for a thread that may still be waiting for a response.
    os._exit(exit_status)
