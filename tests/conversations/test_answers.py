"""Answering: the prompt, how an answer fares, and that it ends once."""

from collections.abc import Callable
from datetime import UTC

import pytest

from conversations import Changed, ConversationRecord, Sent, Store, StreamRecord
from conversations.records import ENDS
from tests.conversations.conftest import OWNER, Clock, finish, new_stream, stream_of


def test_the_prompt_is_the_system_prompt_and_the_path_above_the_answer(store: Store, talk: Callable[..., Sent]) -> None:
    conversation = store.create_conversation(OWNER, system_prompt="Be brief.")
    first = talk(conversation.id, "One?", "1")
    finish(store, store.regenerate(OWNER, first.answer.id, stream_id=new_stream(), model="gpt"), "not on the path")
    store.select_version(OWNER, first.answer.id)
    store.send(OWNER, conversation.id, "Two?", stream_id="st", model="gpt")
    prompt = store.begin("st").prompt
    assert (prompt.stream_id, prompt.conversation_id, prompt.model) == ("st", conversation.id, "gpt")
    assert prompt.messages == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "Two?"},
    ]
    # Plain strings, so that they are JSON for any client of a model.
    assert {type(value) for message in prompt.messages for value in message.values()} == {str}


def test_the_prompt_keeps_a_partial_answer_and_leaves_an_empty_one_out(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    for content, text in (("One?", "Parti"), ("Two?", "")):
        sent = ask(conversation.id, content)
        store.save_answer(stream_of(sent), text=text, reasoning="…", outcome="failed", reason="cut", usage=None)
    prompt = store.begin(stream_of(ask(conversation.id, "Three?"))).prompt
    assert [message["content"] for message in prompt.messages] == [
        "One?", "Parti", "Two?", "Three?",
    ]  # fmt: skip


def test_an_answer_is_running_once(store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]) -> None:
    sent = ask(conversation.id)
    assert store.begin(stream_of(sent)).changed == Changed(conversation.id, sent.version + 1, OWNER)
    assert store.conversation(OWNER, conversation.id).messages[-1].status == "running"
    assert store.begin(stream_of(sent)).changed is None
    assert store.conversation(OWNER, conversation.id).version == sent.version + 1


def test_a_checkpoint_is_kept_without_a_new_version(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    sent = ask(conversation.id)
    store.checkpoint({stream_of(sent): ("Onc\0", "hm\ud800")})
    kept = store.conversation(OWNER, conversation.id).messages[-1]
    assert (kept.content, kept.reasoning, kept.status) == ("Onc�", "hm�", "queued")
    assert store.conversation(OWNER, conversation.id).version == sent.version
    finish(store, sent, "Once upon")
    store.checkpoint({stream_of(sent): ("Onc", "")})
    assert store.conversation(OWNER, conversation.id).messages[-1].content == "Once upon"


def test_checkpoints_of_many_answers_are_taken_at_once_and_those_that_are_over_stay_as_they_are(
    store: Store, ask: Callable[..., Sent]
) -> None:
    conversations = [store.create_conversation(OWNER).id for _ in range(3)]
    first, over, last = [ask(conversation) for conversation in conversations]
    finish(store, over, "Once upon")
    texts = {stream_of(sent): (f"{number}.", "") for number, sent in enumerate((first, over, last))}
    store.checkpoint(texts | {"never": ("", "")})
    kept = [store.conversation(OWNER, conversation).messages[-1].content for conversation in conversations]
    assert kept == ["0.", "Once upon", "2."]


@pytest.mark.parametrize("outcome", sorted(ENDS))
def test_an_answer_ends_once_and_frees_the_conversation(
    store: Store, clock: Clock, conversation: ConversationRecord, ask: Callable[..., Sent], outcome: str
) -> None:
    sent = ask(conversation.id)
    usage = {"prompt_tokens": 3, "completion_tokens": 5}
    saved = store.save_answer(
        stream_of(sent), text="Text\0", reasoning="Thought", outcome=outcome, reason="For a reason.", usage=usage
    )
    assert saved == Changed(conversation.id, sent.version + 1, OWNER)
    after = store.conversation(OWNER, conversation.id)
    answer = after.messages[-1]
    assert (answer.status, answer.content, answer.reasoning) == (outcome, "Text�", "Thought")
    assert (answer.reason, answer.usage, answer.ended_at) == ("For a reason.", usage, clock.moment)
    assert (after.generating, after.version, after.updated_at) == (None, sent.version + 1, clock.moment)
    assert answer.ended_at
    assert answer.ended_at.tzinfo is UTC
    assert store.streams_in_flight() == []
    # What has ended is still somebody's.
    assert store.stream(stream_of(sent), OWNER) == StreamRecord(stream_of(sent), conversation.id, in_flight=False)

    again = store.save_answer(stream_of(sent), text="x", reasoning="", outcome="finished", reason=None, usage=None)
    assert again is None
    assert store.settle_vanished(stream_of(sent), "gone") is None
    assert store.conversation(OWNER, conversation.id) == after


@pytest.mark.parametrize("outcome", ["queued", "running", "complete", "gone"])
def test_what_is_no_ending_is_refused(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent], outcome: str
) -> None:
    sent = ask(conversation.id)
    with pytest.raises(ValueError, match=outcome):
        store.save_answer(stream_of(sent), text="x", reasoning="", outcome=outcome, reason=None, usage=None)
    assert store.conversation(OWNER, conversation.id).messages[-1] == sent.answer


@pytest.mark.parametrize("begun", [False, True])
def test_a_vanished_answer_keeps_its_last_checkpoint(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent], begun: bool
) -> None:
    sent = ask(conversation.id)
    if begun:
        store.begin(stream_of(sent))
    store.checkpoint({stream_of(sent): ("Once upon", "Hm.")})
    assert store.settle_vanished(stream_of(sent), "The server was lost.")
    after = store.conversation(OWNER, conversation.id)
    answer = after.messages[-1]
    assert (answer.status, answer.reason) == ("interrupted", "The server was lost.")
    assert (answer.content, answer.reasoning) == ("Once upon", "Hm.")
    assert after.generating is None
    late = store.save_answer(stream_of(sent), text="x", reasoning="", outcome="finished", reason=None, usage=None)
    assert late is None


@pytest.mark.parametrize(
    ("text", "kept"), [("", "Once upon"), ("Once", "Once upon"), ("Once upon a time", "Once upon a time"), ("No", "No")]
)
def test_an_answer_that_ends_with_less_than_its_last_checkpoint_keeps_that(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent], text: str, kept: str
) -> None:
    sent = ask(conversation.id)
    store.checkpoint({stream_of(sent): ("Once upon", "Hm. Well.")})
    assert store.save_answer(
        stream_of(sent), text=text, reasoning="Hm.", outcome="interrupted", reason="died", usage=None
    )
    answer = store.conversation(OWNER, conversation.id).messages[-1]
    assert (answer.content, answer.reasoning) == (kept, "Hm. Well.")


def test_streams_in_flight_are_told_longest_wait_first(store: Store, ask: Callable[..., Sent]) -> None:
    streams = [stream_of(ask(store.create_conversation(OWNER).id)) for _ in range(3)]
    assert store.streams_in_flight() == streams
