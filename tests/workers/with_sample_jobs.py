"""`python -m tests.workers.with_sample_jobs`: a worker as `python -m workers`, which knows the sample jobs too."""

import sys

from workers.__main__ import FUNCTIONS, main

if __name__ == "__main__":
    sample = ("wait_for", "fail", "note_stopped")
    sys.exit(main({*FUNCTIONS, *(f"tests.workers.sample_jobs.{name}" for name in sample)}))
