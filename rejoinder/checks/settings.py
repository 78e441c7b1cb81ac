"""The environment, as the processes read it."""

from rejoinder.checks.findings import Finding, ok, wrong
from rejoinder.environment import Environment

ABOUT = "settings"


def check_settings(read: Environment, processes: tuple[str, ...]) -> list[Finding]:
    """A line for each variable that would keep a process from its start."""
    findings = []
    for complaint, stopped in read.complaints.items():
        found, _, expected = complaint.partition("; expected ")
        found = f"{found}; no {' and no '.join(sorted(set(stopped)))} process can start"
        mend = f"Expected: {expected}." if expected else "Correct this variable; README.md lists them all."
        findings.append(wrong(ABOUT, found, mend))
    return findings or [ok(ABOUT, f"what {' and '.join(processes)} read is complete")]
