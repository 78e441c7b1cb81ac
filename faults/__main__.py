"""`python -m faults`, which is `make faults`: break the real stack in every way we know, and count what is lost."""

import argparse
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import faults.families  # noqa: F401  fills the catalogue
from faults.catalogue import CATALOGUE
from faults.stack import POSTGRESQL, SQLITE
from faults.suite import Suite


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m faults", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="repeats a run; default: a new one")
    parser.add_argument("--only", nargs="+", metavar="WORDS", help="only the faults whose name or family has these")
    parser.add_argument("--database", choices=[SQLITE, POSTGRESQL], default=SQLITE)
    parser.add_argument(
        "--cluster",
        action="store_true",
        help="with all streams in a Redis Cluster: those that need one Redis are left out",
    )
    parser.add_argument("--quick", action="store_true", help="without those that take minutes")
    parser.add_argument("--scale", type=float, default=1.0, help="how large the crowds are; default: 1")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--list", action="store_true", help="print what there is, and break nothing")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: nothing that was started stays behind
    chosen = [fault for fault in CATALOGUE if not (arguments.quick and fault.long)]
    if arguments.cluster:
        chosen = [fault for fault in chosen if not fault.needs_one_redis]
    if arguments.only:
        chosen = [each for each in chosen if any(words in f"{each.family}: {each.name}" for words in arguments.only)]
    if arguments.list:
        for each in chosen:
            print(f"{each.family}: {each.name}\n    a viewer sees: {each.viewer}\n    the log says: {each.operator}")
        return 0
    if not chosen:
        parser.error("no fault has these words in its name; --list prints all")
    folder = Path(tempfile.mkdtemp(prefix="rejoinder-"))
    suite = Suite(
        folder, arguments.seed, arguments.database, arguments.scale, arguments.cluster, markdown=arguments.markdown
    )
    if suite.run(chosen):
        shutil.rmtree(folder)
        return 0
    print(f"The logs of all processes are in {folder}.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
