"""`python -m benchmarks.peers [NAME …]`: install and start each peer, and check what it does. One line for each."""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.peers.catalogue import PEERS
from benchmarks.peers.smoke import check, check_floor
from tests.support.redis_server import running_redis
from tests.support.scripted_model import running_scripted_model


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=(__doc__ or "").partition(": ")[2])
    names = [peer.name for peer in PEERS]
    parser.add_argument("names", nargs="*", metavar="NAME", default=names, help=f"default: {', '.join(names)}")
    chosen = set(parser.parse_args().names)
    if unknown := chosen - set(names):
        parser.error(f"no such peer: {', '.join(unknown)}")
    failed = False
    with tempfile.TemporaryDirectory(prefix="rejoinder-") as folder, running_redis() as redis:
        with running_scripted_model() as model:
            for peer in PEERS:
                if peer.name not in chosen:
                    continue
                try:
                    says = check(peer, redis.url, model, Path(folder))
                except (AssertionError, TimeoutError, RuntimeError) as error:
                    says, failed = f"FAILED: {error}", True
                print(f"{peer.name:>24}  {says}", flush=True)
        print(f"{'floor':>24}  {check_floor()}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
