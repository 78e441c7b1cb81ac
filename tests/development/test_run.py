"""`make run` as a process: it runs the Procfile's commands, and leaves nothing behind however it ends."""

import os
import signal
import socket
from pathlib import Path

import pytest
import redis

from development.state import Claimed, State
from tests.development.launched import TIME_LIMIT, is_running, launched, program
from tests.support.ports import free_port
from tests.support.waiting import wait_until

READY = "Rejoinder is at"
NOTHING = "true"  # a release step with nothing to do


def test_the_procfile_is_what_runs_and_its_release_step_comes_first(tmp_path: Path) -> None:
    procfile = {
        "one": program(tmp_path, "one"),
        "release": program(tmp_path, "release", then="note(event='done')"),
        "two": program(tmp_path, "two"),
    }
    with launched(tmp_path, procfile) as run:
        run.wait_until_it_says(READY)
        wait_until(lambda: len(run.events()) == 4, TIME_LIMIT)
        assert run.events()[:2] == [("release", "started"), ("release", "done")]
        assert set(run.events()[2:]) == {("one", "started"), ("two", "started")}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_ends_everything_without_a_trace(tmp_path: Path, number: signal.Signals) -> None:
    with launched(tmp_path, {"release": NOTHING, "one": program(tmp_path, "one")}) as run:
        run.wait_until_it_says(READY)
        wait_until(run.pids, TIME_LIMIT)
        pids = [*run.pids(), redis_pid(run.state)]
        assert all(map(is_running, pids))
        assert run.stop(number) == 0
        assert not any(map(is_running, pids))
        assert "Traceback" not in run.said
        assert ("one", "asked to end") in run.events()


def test_what_needs_redis_ends_before_it(tmp_path: Path) -> None:
    ask = "import redis; note(event=f\"redis answers {redis.Redis.from_url(os.environ['REDIS_URL']).ping()}\")"
    with launched(tmp_path, {"release": NOTHING, "one": program(tmp_path, "one", dying=ask)}) as run:
        run.wait_until_it_says(READY)
        wait_until(run.pids, TIME_LIMIT)
        assert run.stop() == 0
        assert ("one", "redis answers True") in run.events()


def test_a_child_that_dies_brings_the_rest_down_and_is_named(tmp_path: Path) -> None:
    procfile = {"release": NOTHING, "steady": program(tmp_path, "steady"), "frail": program(tmp_path, "frail")}
    with launched(tmp_path, procfile) as run:
        run.wait_until_it_says(READY)
        wait_until(lambda: len(run.pids()) == 2, TIME_LIMIT)
        frail = next(int(str(note["pid"])) for note in run.noted() if note["name"] == "frail")
        os.kill(frail, signal.SIGKILL)
        assert run.process.wait(TIME_LIMIT) == 1
        assert "frail was killed by SIGKILL" in run.said or "frail ended by itself with code 137" in run.said
        assert not any(map(is_running, run.pids()))


def test_a_launcher_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    with launched(tmp_path, {"release": NOTHING, "one": program(tmp_path, "one")}) as run:
        run.wait_until_it_says(READY)
        wait_until(run.pids, TIME_LIMIT)
        pids = [*run.pids(), redis_pid(run.state)]
        run.process.kill()
        run.process.wait()
        wait_until(lambda: not any(map(is_running, pids)), TIME_LIMIT, "the children to end")
        assert ("one", "asked to end") in run.events()
        wait_until(lambda: can_be_claimed(run.state), TIME_LIMIT, "the folder to be free again")


def test_a_second_launcher_in_the_same_folder_is_refused_and_told_where_the_first_is(tmp_path: Path) -> None:
    with launched(tmp_path, {"release": NOTHING, "one": program(tmp_path, "one")}) as first:
        first.wait_until_it_says(READY)
        address = first.said.rpartition(READY)[2].split()[0]
        wait_until(State(first.state).places, TIME_LIMIT)
        with launched(tmp_path, {"release": NOTHING}) as second:
            assert second.process.wait(TIME_LIMIT) == 1
            second.wait_until_it_says(f"runs already in {first.state}: {address}")
        assert first.process.poll() is None


def test_what_does_not_start_is_shown_with_its_own_words(tmp_path: Path) -> None:
    broken = program(tmp_path, "web", then="print('there is no cheese', file=sys.stderr); sys.exit(3)")
    with launched(tmp_path, {"release": NOTHING, "one": program(tmp_path, "one"), "web": broken}) as run:
        assert run.process.wait(TIME_LIMIT) == 1
        assert "there is no cheese" in run.said
        assert "web ended by itself with code 3" in run.said
        assert READY not in run.said
        assert not any(map(is_running, run.pids()))


def test_a_release_step_that_fails_stops_the_start(tmp_path: Path) -> None:
    failing = program(tmp_path, "release", then="print('no such table'); sys.exit(2)")
    with launched(tmp_path, {"release": failing, "one": program(tmp_path, "one")}) as run:
        assert run.process.wait(TIME_LIMIT) == 1
        assert "no such table" in run.said
        assert {name for name, _ in run.events()} == {"release"}


def test_a_port_that_was_asked_for_and_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with launched(tmp_path, {"release": NOTHING}, PORT=str(port)) as run:
            assert run.process.wait(TIME_LIMIT) == 1
            assert f"PORT is {port}, which another program uses" in run.said


def test_a_redis_that_was_named_and_does_not_answer_is_refused_without_its_password(tmp_path: Path) -> None:
    url = f"redis://:swordfish@127.0.0.1:{free_port()}/0"
    with launched(tmp_path, {"release": NOTHING}, REDIS_URL=url) as run:
        assert run.process.wait(TIME_LIMIT) == 1
        assert "does not answer" in run.said
        assert "swordfish" not in run.said


def test_the_embedded_redis_remembers_after_a_restart(tmp_path: Path) -> None:
    procfile = {"release": NOTHING, "one": program(tmp_path, "one")}
    for attempt in ("first", "second"):
        with launched(tmp_path, procfile) as run:
            wait_until(State(run.state).places, TIME_LIMIT)
            with redis.Redis(unix_socket_path=str(run.state / "redis.sock")) as client:
                if attempt == "first":
                    client.rpush("stream", "Once", " upon")
                assert client.lrange("stream", 0, -1) == [b"Once", b" upon"]
            assert run.stop() == 0


def redis_pid(state: Path) -> int:
    with redis.Redis(unix_socket_path=str(state / "redis.sock")) as client:
        return int(client.info("server")["process_id"])


def can_be_claimed(folder: Path) -> bool:
    try:
        with State(folder):
            return True
    except Claimed:
        return False
