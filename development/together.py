"""`python -m development.together make check test-frontend`: runs these targets at the same time.

What each of them says is shown in one piece when it has ended. Standard library only.
"""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed


def main() -> int:
    make, *targets = sys.argv[1:]
    print(f"At the same time: {', '.join(targets)}", flush=True)
    begun = time.monotonic()
    failed: list[str] = []
    with ThreadPoolExecutor(len(targets)) as pool:
        running = {pool.submit(_run, make, target): target for target in targets}
        for ended in as_completed(running):
            target, (code, words) = running[ended], ended.result()
            how = "passed" if code == 0 else f"FAILED with code {code}"
            print(
                f"\n--- make {target}\n{words}--- make {target}: {how} after {time.monotonic() - begun:.0f} s",
                flush=True,
            )
            if code != 0:
                failed.append(target)
    if failed:
        print(f"\nFAILED: {', '.join(f'make {target}' for target in failed)}", file=sys.stderr)
    return 1 if failed else 0


def _run(make: str, target: str) -> tuple[int, str]:
    """Its exit code, and what it said."""
    command = [make, "--no-print-directory", target]
    ended = subprocess.run(
        command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return ended.returncode, ended.stdout.decode(errors="replace")


if __name__ == "__main__":
    sys.exit(main())
