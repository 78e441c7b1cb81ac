"""Asking: sends, edits, regenerations, what a repeated one is, and what undoing one leaves."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import Engine, event

from conversations import (
    Busy,
    ConversationRecord,
    KeyReused,
    NotFound,
    NothingToContinue,
    Sent,
    Store,
    StreamRecord,
    WrongRole,
    open_store,
)
from conversations.settings import DEFAULT_ALLOWANCE
from tests.conversations.conftest import OWNER, STRANGER, Clock, finish, new_stream, stream_of


@contextmanager
def statements() -> Iterator[list[str]]:
    """What the database is asked during the block."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def edit(store: Store, message_id: str, content: str, key: str | None = None) -> Sent:
    return store.edit(OWNER, message_id, content, stream_id=new_stream(), model="a-model", idempotency_key=key)


def regenerate(store: Store, message_id: str, key: str | None = None) -> Sent:
    return store.regenerate(OWNER, message_id, stream_id=new_stream(), model="a-model", idempotency_key=key)


def ids(conversation: ConversationRecord) -> list[str]:
    return [message.id for message in conversation.messages]


def test_a_send_is_a_question_and_a_queued_answer(store: Store, conversation: ConversationRecord) -> None:
    sent = store.send(OWNER, conversation.id, "Why?\0", stream_id="st_1", model="gpt")
    question, answer = sent.question, sent.answer
    assert (question.role, question.status, question.content, question.stream_id) == ("user", "complete", "Why?�", None)
    assert (answer.role, answer.status, answer.content, answer.stream_id) == ("assistant", "queued", "", "st_1")
    assert (question.parent_id, answer.parent_id) == (None, question.id)
    assert (question.model, answer.model) == (None, "gpt")
    assert (question.ended_at, answer.ended_at) == (question.created_at, None)
    assert (question.versions, answer.versions) == ((question.id,), (answer.id,))
    assert (sent.conversation_id, sent.version, sent.created) == (conversation.id, 2, True)
    read = store.conversation(OWNER, conversation.id)
    assert read.messages == (question, answer)
    assert (read.version, read.generating) == (2, "st_1")
    assert store.stream("st_1", OWNER) == StreamRecord("st_1", conversation.id, in_flight=True)
    assert store.streams_in_flight() == ["st_1"]


def test_the_first_word_waits_for_so_many_statements_however_long_the_conversation_is(
    database_url: str, clock: Clock
) -> None:
    """Each is a tenth of a millisecond and more, for everybody who asks."""
    with closing(open_store(database_url, now=clock, allowance=DEFAULT_ALLOWANCE)) as store:
        conversation_id = store.create_conversation(OWNER).id
        for key in ("first", "second", "third"):
            with statements() as to_send:
                sent = store.send(
                    OWNER, conversation_id, "Why?", stream_id=new_stream(), model="a-model", idempotency_key=key
                )
            with statements() as to_begin:
                store.begin(stream_of(sent))
            assert (len(to_send), len(to_begin)) == (9, 6), [*to_send, *to_begin]
            finish(store, sent)


def test_the_next_question_follows_the_last_answer(
    store: Store, conversation: ConversationRecord, talk: Callable[..., Sent]
) -> None:
    first, second = talk(conversation.id), talk(conversation.id)
    assert second.question.parent_id == first.answer.id
    assert ids(store.conversation(OWNER, conversation.id)) == [
        first.question.id, first.answer.id, second.question.id, second.answer.id,
    ]  # fmt: skip


def test_while_one_is_generated_every_other_is_told_which(
    store: Store, conversation: ConversationRecord, talk: Callable[..., Sent], ask: Callable[..., Sent]
) -> None:
    done = talk(conversation.id)
    running = ask(conversation.id)
    before = store.conversation(OWNER, conversation.id)
    attempts: list[Callable[[], Sent]] = [
        lambda: ask(conversation.id),
        lambda: ask(conversation.id, key="new"),
        lambda: edit(store, done.question.id, "x"),
        lambda: regenerate(store, done.answer.id),
    ]
    for attempt in attempts:
        with pytest.raises(Busy) as refusal:
            attempt()
        assert refusal.value.stream_id == stream_of(running)
    assert store.conversation(OWNER, conversation.id) == before
    ask(store.create_conversation(OWNER).id)  # another conversation is not held up


def test_the_first_question_names_a_nameless_conversation(store: Store, talk: Callable[..., Sent]) -> None:
    nameless, named = store.create_conversation(OWNER), store.create_conversation(OWNER, title="Named")
    talk(nameless.id, "Why is\nthe sky blue?")
    talk(nameless.id, "And at night?")
    talk(named.id)
    assert store.conversation(OWNER, nameless.id).title == "Why is the sky blue?"
    assert store.conversation(OWNER, named.id).title == "Named"


def test_a_regenerated_answer_is_another_version(
    store: Store, conversation: ConversationRecord, talk: Callable[..., Sent]
) -> None:
    first = talk(conversation.id)
    second = regenerate(store, first.answer.id)
    assert second.question.id == first.question.id
    assert second.answer.versions == (first.answer.id, second.answer.id)
    assert ids(store.conversation(OWNER, conversation.id)) == [first.question.id, second.answer.id]


def test_an_edited_question_is_another_version_with_an_answer_of_its_own(
    store: Store, conversation: ConversationRecord, talk: Callable[..., Sent]
) -> None:
    first = talk(conversation.id)
    second = talk(conversation.id)
    edited = edit(store, second.question.id, "Why not?")
    assert edited.question.content == "Why not?"
    assert edited.question.versions == (second.question.id, edited.question.id)
    assert edited.answer.versions == (edited.answer.id,)
    expected = [first.question.id, first.answer.id, edited.question.id, edited.answer.id]
    assert ids(store.conversation(OWNER, conversation.id)) == expected
    finish(store, edited)
    at_the_root = edit(store, first.question.id, "From the start")
    assert at_the_root.question.versions == (first.question.id, at_the_root.question.id)
    assert ids(store.conversation(OWNER, conversation.id)) == [at_the_root.question.id, at_the_root.answer.id]


def test_only_answers_are_regenerated_and_only_questions_edited(
    store: Store, conversation: ConversationRecord, talk: Callable[..., Sent]
) -> None:
    sent = talk(conversation.id)
    before = store.conversation(OWNER, conversation.id)
    with pytest.raises(WrongRole):
        regenerate(store, sent.question.id)
    with pytest.raises(WrongRole):
        edit(store, sent.answer.id, "x")
    assert store.conversation(OWNER, conversation.id) == before


def test_a_continued_answer_is_another_version_that_begins_with_the_first(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    cut_off = ask(conversation.id)
    stream = stream_of(cut_off)
    ending = {"outcome": "interrupted", "reason": None, "usage": None}
    store.save_answer(stream, text="Once upon", reasoning="Hm.", **ending)  # type: ignore[arg-type]
    whole = store.continue_(OWNER, cut_off.answer.id, stream_id=new_stream(), model="m", idempotency_key="k")
    again = store.continue_(OWNER, cut_off.answer.id, stream_id=new_stream(), model="m", idempotency_key="k")
    assert (again.created, again.answer.id) == (False, whole.answer.id)
    assert whole.answer.versions == (cut_off.answer.id, whole.answer.id)
    assert (whole.answer.content, whole.answer.reasoning) == ("Once upon", "Hm.")
    assert store.withdraw(stream_of(whole))
    assert ids(store.conversation(OWNER, conversation.id)) == [cut_off.question.id, cut_off.answer.id]

    whole = store.continue_(OWNER, cut_off.answer.id, stream_id=new_stream(), model="m")
    prompt = store.begin(stream_of(whole)).prompt
    assert (prompt.begun, prompt.begun_reasoning) == ("Once upon", "Hm.")
    assert [each["content"] for each in prompt.messages] == ["Why?"]


def test_an_answer_that_was_not_gone_on_with_after_all_keeps_its_beginning(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    cut_off = ask(conversation.id)
    finish(store, cut_off, "Once upon")
    continued = store.continue_(OWNER, cut_off.answer.id, stream_id=new_stream(), model="m")
    stopped = {"outcome": "cancelled", "reason": None, "usage": None}
    store.save_answer(stream_of(continued), text="", reasoning="", **stopped)  # type: ignore[arg-type]
    assert store.conversation(OWNER, conversation.id).messages[-1].content == "Once upon"


def test_only_an_answer_with_text_is_continued(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    sent = ask(conversation.id)
    finish(store, sent, "")
    with pytest.raises(NothingToContinue):
        store.continue_(OWNER, sent.answer.id, stream_id=new_stream(), model="m")
    with pytest.raises(WrongRole):
        store.continue_(OWNER, sent.question.id, stream_id=new_stream(), model="m")
    assert store.conversation(OWNER, conversation.id).generating is None


def test_selecting_a_version_goes_down_to_its_newest_leaf(
    store: Store, conversation: ConversationRecord, talk: Callable[..., Sent]
) -> None:
    first = talk(conversation.id)
    second = talk(conversation.id)
    other = regenerate(store, first.answer.id)
    finish(store, other)
    version = store.conversation(OWNER, conversation.id).version
    selected = store.select_version(OWNER, first.answer.id)
    assert ids(selected) == [first.question.id, first.answer.id, second.question.id, second.answer.id]
    assert selected.version == version + 1
    assert store.select_version(OWNER, second.answer.id) == selected  # already so: no change
    assert talk(conversation.id).question.parent_id == second.answer.id


def test_another_version_may_be_looked_at_in_mid_generation(
    store: Store, conversation: ConversationRecord, talk: Callable[..., Sent]
) -> None:
    first = talk(conversation.id)
    second = regenerate(store, first.answer.id)
    store.select_version(OWNER, first.answer.id)
    finish(store, second, "Later")
    assert store.conversation(OWNER, conversation.id).messages[-1].id == first.answer.id
    assert store.select_version(OWNER, second.answer.id).messages[-1].content == "Later"


# The same key, the same send


def test_a_repeated_send_is_the_first_one(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    first = ask(conversation.id, "Why? \ud800", key="k")
    again = ask(conversation.id, "Why? \ud800", key="k")
    assert not again.created
    assert (again.question, again.answer, again.version) == (first.question, first.answer, first.version)
    finish(store, first, "Because")
    much_later = ask(conversation.id, "Why? \ud800", key="k")
    assert (much_later.answer.id, much_later.answer.content, much_later.created) == (first.answer.id, "Because", False)
    assert len(store.conversation(OWNER, conversation.id).messages) == 2


def test_edits_and_regenerations_are_recognised_too(
    store: Store, conversation: ConversationRecord, talk: Callable[..., Sent]
) -> None:
    sent = talk(conversation.id)
    again = regenerate(store, sent.answer.id, key="r")
    assert regenerate(store, sent.answer.id, key="r").answer.id == again.answer.id
    finish(store, again)
    edited = edit(store, sent.question.id, "x", key="e")
    assert edit(store, sent.question.id, "x", key="e").answer.id == edited.answer.id


def test_a_key_is_good_for_one_request(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    sent = ask(conversation.id, "Why?", key="k")
    finish(store, sent)
    other = store.create_conversation(OWNER)
    attempts: list[Callable[[], Sent]] = [
        lambda: ask(conversation.id, "Why not?", key="k"),
        lambda: ask(other.id, "Why?", key="k"),
        lambda: edit(store, sent.question.id, "Why?", key="k"),
        lambda: regenerate(store, sent.answer.id, key="k"),
    ]
    for attempt in attempts:
        with pytest.raises(KeyReused):
            attempt()


def test_keys_of_two_owners_are_two_keys(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    theirs = store.create_conversation(STRANGER)
    ask(conversation.id, key="k")
    assert (store.was_sent(OWNER, "k"), store.was_sent(STRANGER, "k")) == (True, False)
    assert store.send(STRANGER, theirs.id, "Why?", stream_id=new_stream(), model="m", idempotency_key="k").created


def test_a_key_that_is_too_long_is_refused(conversation: ConversationRecord, ask: Callable[..., Sent]) -> None:
    ask(conversation.id, key="k" * 255)
    with pytest.raises(ValueError, match="255"):
        ask(conversation.id, key="k" * 256)


# Withdrawn, as if it never was


def test_a_withdrawn_first_send_leaves_an_empty_nameless_conversation(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    sent = ask(conversation.id, key="k")
    assert store.withdraw(stream_of(sent)) is True
    left = store.conversation(OWNER, conversation.id)
    assert (left.messages, left.generating, left.title, left.version) == ((), None, "", 3)
    with pytest.raises(NotFound):
        store.stream(stream_of(sent), OWNER)
    assert not store.was_sent(OWNER, "k")
    assert ask(conversation.id, key="k").created  # the key is free again: the retry is a send


def test_a_title_that_was_given_meanwhile_stays(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    sent = ask(conversation.id)
    store.change(OWNER, conversation.id, title="Mine")
    store.withdraw(stream_of(sent))
    assert store.conversation(OWNER, conversation.id).title == "Mine"


def test_a_withdrawn_version_gives_back_the_path_that_was_active_before(
    store: Store, conversation: ConversationRecord, talk: Callable[..., Sent]
) -> None:
    first = talk(conversation.id)
    finish(store, regenerate(store, first.answer.id))
    talk(conversation.id)
    before = store.select_version(OWNER, first.answer.id)
    store.withdraw(stream_of(regenerate(store, first.answer.id)))
    assert store.conversation(OWNER, conversation.id).messages == before.messages
    store.withdraw(stream_of(edit(store, first.question.id, "x")))
    assert store.conversation(OWNER, conversation.id).messages == before.messages


def test_a_withdrawal_does_not_change_a_path_chosen_meanwhile(
    store: Store, conversation: ConversationRecord, talk: Callable[..., Sent]
) -> None:
    first = talk(conversation.id)
    second = regenerate(store, first.answer.id)
    finish(store, second)
    third = regenerate(store, first.answer.id)
    chosen = store.select_version(OWNER, first.answer.id)
    store.withdraw(stream_of(third))
    assert ids(store.conversation(OWNER, conversation.id)) == ids(chosen)


def test_what_was_begun_is_not_withdrawn(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    sent = ask(conversation.id)
    store.begin(stream_of(sent))
    assert store.withdraw(stream_of(sent)) is False
    finish(store, sent)
    assert store.withdraw(stream_of(sent)) is False
    assert store.withdraw("nothing") is False
    assert len(store.conversation(OWNER, conversation.id).messages) == 2


def test_a_withdrawn_version_cannot_be_selected(
    store: Store, conversation: ConversationRecord, talk: Callable[..., Sent]
) -> None:
    withdrawn = regenerate(store, talk(conversation.id).answer.id)
    store.withdraw(stream_of(withdrawn))
    with pytest.raises(NotFound):
        store.select_version(OWNER, withdrawn.answer.id)
