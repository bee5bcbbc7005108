"""Where the container starts: it connects the action to the process it runs in, and does nothing else."""

import signal

signals_received: list[int] = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda received, _: signals_received.append(received))

import gc
import io
import os
import sys

# A run is short and leaves hardly a cycle behind; to look for them would take a twentieth of its time.
gc.disable()

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "src"))  # noqa: PTH100, PTH118, PTH120 - pathlib is slow to import

from onlineornot_action.main import main

if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    exit_status = main(sys.argv[1:], os.environ, sys.stdout, lambda: signals_received[0] if signals_received else None)
    # Everything is written. A thread that still waits for a lost response must not hold up the end of the step.
    os._exit(exit_status)
