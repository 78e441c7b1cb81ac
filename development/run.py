"""`python -m development.run`, which is `make run`: everything on this machine, until Ctrl-C.

The commands are the Procfile's own, so that development and deployment are one thing; Procfile.dev adds the Redis and
the model that a deployment brings along.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from honcho.environ import parse_procfile

from development.checkout import ROOT, STATE
from development.console import Console
from development.guardian import Guardian
from development.plan import FIRST_PORT, MODEL_NAME, Plan, Unsuitable, make_plan, without_password
from development.readiness import checks, redis_answers
from development.state import Claimed, State
from development.supervisor import Failed, Stopped, Supervisor

START_LIMIT = 180.0  # seconds; a slow machine that compiles everything for the first time needs some of them
REDIS_LIMIT = 10.0  # seconds for a Redis that somebody else has started
RELEASE_LIMIT = 300.0  # seconds; migrations may have work to do


def main() -> int:
    arguments = _arguments()
    console = Console()
    try:
        with State(arguments.state) as state, Guardian(holding=(state.lock,)) as guardian:
            plan = make_plan(os.environ, state)
            supervisor = Supervisor(console, guardian)
            code = 0
            try:
                _start(plan, _read(arguments.procfile), _read(arguments.procfile_dev), supervisor, console)
                state.publish(
                    {"web": f"http://127.0.0.1:{plan.port}", "model": plan.environ.get("OPENAI_BASE_URL", "")}
                )
                supervisor.watch()
            except Stopped:
                console.say("\nStopping everything (Ctrl-C again: at once)")
            except Failed as reason:
                console.say(f"\n{reason} Stopping the rest.")
                code = 1
            finally:
                supervisor.stop()
            console.say("Stopped.")
            return code
    except (Unsuitable, Claimed) as reason:
        console.say(str(reason))
        return 1


def _start(
    plan: Plan, procfile: Mapping[str, str], extra: Mapping[str, str], supervisor: Supervisor, console: Console
) -> None:
    """Start all parts, those first that others need. Returns when every one of them answers."""
    ready = checks(plan)

    def start(commands: Mapping[str, str]) -> None:
        for name, child in supervisor.start(commands, plan.environ).items():
            if name in ready:
                supervisor.wait_until_ready(child, lambda: ready[name](child), START_LIMIT)  # noqa: B023 (called now)
            console.started(name, *_described(name, plan))

    console.say("Starting Rejoinder")
    start({name: extra[name] for name in plan.embedded})
    if not plan.embedded_redis:
        _find_redis(plan, console)
    if not plan.embedded_model:
        where = plan.environ.get("OPENAI_BASE_URL", "OpenAI")
        console.started("model", plan.environ.get("OPENAI_MODEL", "the default one"), without_password(where))
    supervisor.run("release", procfile["release"], plan.environ, RELEASE_LIMIT)
    kind = "SQLite" if plan.environ["DATABASE_URL"].startswith("sqlite") else "PostgreSQL"
    console.started("database", kind, without_password(plan.environ["DATABASE_URL"]))
    start({name: command for name, command in procfile.items() if name != "release"})
    if plan.port != FIRST_PORT and "PORT" not in os.environ:
        console.say(f"\nAnother program uses port {FIRST_PORT}, so this is on the next free one.")
    console.say(f"\nRejoinder is at http://127.0.0.1:{plan.port} (Ctrl-C stops it)\n")


def _find_redis(plan: Plan, console: Console) -> None:
    url = plan.environ["REDIS_URL"]
    if not redis_answers(url):
        raise Failed(f"The Redis of REDIS_URL, {without_password(url)}, does not answer.")
    console.started("redis", "yours (REDIS_URL)", without_password(url))


def _described(name: str, plan: Plan) -> tuple[str, str]:
    """What it is, and where."""
    match name:
        case "redis":
            return "embedded Valkey", without_password(plan.environ["REDIS_URL"])
        case "model":
            return f"embedded {MODEL_NAME}", plan.environ["OPENAI_BASE_URL"]
        case "web":
            count = int(plan.environ.get("WEB_CONCURRENCY", "1"))
            return f"{count} process{'es' * (count > 1)}", f"http://127.0.0.1:{plan.port}"
        case "worker":
            generations = plan.environ.get("WORKER_CONCURRENCY", "200")
            return f"{generations} generations at once", f"queue {plan.environ.get('RQ_QUEUE', 'generations')}"
    return "", ""


def _read(procfile: Path) -> dict[str, str]:
    return dict(parse_procfile(procfile.read_text()).processes)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m development.run", description=__doc__)
    parser.add_argument("--state", type=Path, default=STATE, help="the folder of the database, the secret and the rest")
    parser.add_argument("--procfile", type=Path, default=ROOT / "Procfile", help="what a deployment runs")
    parser.add_argument("--procfile-dev", type=Path, default=ROOT / "Procfile.dev", help="what it brings along")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
