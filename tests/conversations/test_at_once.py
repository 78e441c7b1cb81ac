"""Two at the same instant: real threads and processes on one database. Each race is run several times."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import pytest

from conversations import Busy, Changed, ConversationRecord, KeyReused, NotFound, Sent, Store
from tests.conversations.conftest import OWNER, new_stream, stream_of
from tests.conversations.together import at_once

THREADS = 6
ROUNDS = 8


def test_of_sends_at_once_one_is_made_and_the_others_are_told_which(store: Store, ask: Callable[..., Sent]) -> None:
    for _ in range(ROUNDS):
        conversation = store.create_conversation(OWNER)
        results = at_once([partial(ask, conversation.id, f"Question {number}") for number in range(THREADS)])
        (sent,) = [result for result in results if isinstance(result, Sent)]
        refusals = [result for result in results if isinstance(result, Busy)]
        assert len(refusals) == THREADS - 1
        assert {refusal.stream_id for refusal in refusals} == {sent.answer.stream_id}
        read = store.conversation(OWNER, conversation.id)
        assert (read.messages, read.generating) == ((sent.question, sent.answer), sent.answer.stream_id)


def test_the_same_key_at_once_is_one_send_for_all(store: Store, ask: Callable[..., Sent]) -> None:
    for number in range(ROUNDS):
        conversation = store.create_conversation(OWNER)
        results = at_once([partial(ask, conversation.id, "Why?", f"key {number}")] * THREADS)
        sends = [result for result in results if isinstance(result, Sent)]
        assert len(sends) == THREADS, results
        assert sorted(sent.created for sent in sends) == [False] * (THREADS - 1) + [True]
        assert len({(sent.question, sent.answer, sent.version) for sent in sends}) == 1


def test_the_same_key_at_once_in_several_conversations_is_good_for_one(store: Store, ask: Callable[..., Sent]) -> None:
    for number in range(ROUNDS):
        conversations = [store.create_conversation(OWNER) for _ in range(THREADS)]
        results = at_once([partial(ask, each.id, "Why?", f"key {number}") for each in conversations])
        assert len([result for result in results if isinstance(result, Sent)]) == 1, results
        assert len([result for result in results if isinstance(result, KeyReused)]) == THREADS - 1
        generating = [store.conversation(OWNER, each.id).generating for each in conversations]
        assert len([stream for stream in generating if stream]) == 1


def test_of_endings_at_once_one_counts(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    for _ in range(ROUNDS):
        sent = ask(conversation.id)
        save = partial(store.save_answer, stream_of(sent), reasoning="", outcome="finished", reason=None, usage=None)
        results = at_once(
            [
                partial(save, text="from the worker"),
                partial(save, text="from the reaper"),
                partial(store.settle_vanished, stream_of(sent), "gone"),
                partial(store.settle_vanished, stream_of(sent), "gone"),
            ]
        )
        assert results.count(None) == 3, results
        assert Changed(conversation.id, sent.version + 1, OWNER) in results
        assert store.conversation(OWNER, conversation.id).version == sent.version + 1


def test_a_send_is_either_withdrawn_or_begun(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    for _ in range(ROUNDS):
        stream = stream_of(ask(conversation.id))
        before = len(store.conversation(OWNER, conversation.id).messages)
        results = at_once([partial(store.withdraw, stream), partial(store.begin, stream)])
        withdrawn = results[0]
        after = store.conversation(OWNER, conversation.id)
        assert len(after.messages) == (before - 2 if withdrawn else before)
        assert after.generating == (None if withdrawn else stream)
        assert isinstance(results[1], NotFound) == withdrawn
        store.settle_vanished(stream, "next round")


def test_a_conversation_deleted_while_its_answer_is_written_locks_nobody_out(
    store: Store, ask: Callable[..., Sent]
) -> None:
    for _ in range(ROUNDS):
        conversation = store.create_conversation(OWNER)
        stream = stream_of(ask(conversation.id))
        results = at_once(
            [
                partial(store.delete, OWNER, conversation.id),
                partial(store.checkpoint, {stream: ("text", "")}),
                partial(store.save_answer, stream, text="", reasoning="", outcome="failed", reason=None, usage=None),
                partial(store.change, OWNER, conversation.id, title="Too late?"),
                partial(store.send, OWNER, conversation.id, "And?", stream_id=new_stream(), model="m"),
            ]
        )
        unexpected = [each for each in results if isinstance(each, Exception) and not isinstance(each, NotFound | Busy)]
        assert not unexpected
        with pytest.raises(NotFound):
            store.conversation(OWNER, conversation.id)


def test_checkpoints_of_many_answers_and_their_deletion_lock_nobody_out(store: Store, ask: Callable[..., Sent]) -> None:
    """On PostgreSQL whoever holds one row and waits for another can be waited for in turn."""
    for _ in range(ROUNDS):
        streams = [stream_of(ask(store.create_conversation(OWNER).id)) for _ in range(20)]
        forwards, backwards = (dict.fromkeys(order, ("text", "")) for order in (streams, streams[::-1]))
        results = at_once([partial(store.checkpoint, texts) for texts in (forwards, backwards)] * 3)
        results += at_once([partial(store.checkpoint, backwards), partial(store.erase, OWNER)])
        assert not [each for each in results if isinstance(each, Exception)]


def test_no_version_is_lost(store: Store, conversation: ConversationRecord) -> None:
    at_once([partial(store.change, OWNER, conversation.id, title=f"Title {number}") for number in range(THREADS)])
    assert store.conversation(OWNER, conversation.id).version == 1 + THREADS


def test_a_read_sees_one_moment(store: Store, conversation: ConversationRecord, talk: Callable[..., Sent]) -> None:
    """Three versions for each exchange of two messages: the version tells how many messages there are."""

    def read() -> list[ConversationRecord]:
        return [store.conversation(OWNER, conversation.id) for _ in range(20)]

    def write() -> list[Sent]:
        return [talk(conversation.id) for _ in range(20)]

    results = at_once([write, read, read])
    reads = [each for result in results if isinstance(result, list) for each in result]
    seen = [each for each in reads if isinstance(each, ConversationRecord)]
    assert len(seen) == 40, results
    for each in seen:
        assert len(each.messages) == each.version // 2 * 2
        assert (each.generating is None) == (each.version % 2 == 1)


PROCESS = """
import sys
from conversations import Busy, open_store
store = open_store(sys.argv[1])
store.ping()
print("ready", flush=True)
sys.stdin.readline()
try:
    store.send(sys.argv[2], sys.argv[3], "Why?", stream_id=sys.argv[4], model="m")
    print("sent", sys.argv[4])
except Busy as busy:
    print("busy", busy.stream_id)
store.close()
"""


@pytest.mark.timeout(300)  # starts processes; a busy machine takes its time
def test_two_processes_at_once_are_no_different(
    database_url: str, store: Store, conversation: ConversationRecord
) -> None:
    with ExitStack() as stack:
        processes = []
        for number in range(3):
            command = [sys.executable, "-c", PROCESS, database_url, OWNER, conversation.id, f"st_{number}"]
            started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            processes.append(stack.enter_context(started))
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        said = []
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            assert process.stdout
            said.append(process.stdout.readline().strip())
    generating = store.conversation(OWNER, conversation.id).generating
    assert sorted(said) == [f"busy {generating}", f"busy {generating}", f"sent {generating}"]
