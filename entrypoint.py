#!/usr/local/bin/python -I
"""The container's entry point: put `src` on the path, and run the action."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "src"))  # noqa: PTH100, PTH118, PTH120 - pathlib is slow to import

from onlineornot_action.process import main

if __name__ == "__main__":
    main()
