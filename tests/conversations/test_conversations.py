"""A conversation as a whole: made, listed, named, deleted, and nobody else's."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta
from functools import partial

import pytest
from sqlalchemy import Engine, event, select

from conversations import ConversationRecord, Deleted, InvalidCursor, NotFound, Sent, Store, Terms, Visitor
from conversations.database import Database
from conversations.models import Conversation, Message, Remark, Send, Share, new_id
from conversations.records import Role, Status
from tests.conversations.conftest import OWNER, STRANGER, Clock, finish, new_stream, stream_of
from tests.conversations.together import at_once


def test_a_new_conversation_is_empty_and_reads_back_as_it_was_given(store: Store) -> None:
    made = store.create_conversation(OWNER, title="On clouds", system_prompt="Be brief.")
    assert (made.owner, made.title, made.system_prompt) == (OWNER, "On clouds", "Be brief.")
    assert (made.version, made.generating, made.messages) == (1, None, ())
    assert made.created_at == made.updated_at
    assert made.created_at.tzinfo is UTC
    assert store.conversation(OWNER, made.id) == made


def test_what_no_database_can_hold_is_replaced(store: Store) -> None:
    made = store.create_conversation(OWNER, title="a\0b", system_prompt="nul \0 and half a pair \ud83d")
    assert made.title == "a b"
    assert made.system_prompt == "nul � and half a pair �"
    assert store.conversation(OWNER, made.id) == made


@pytest.mark.parametrize("unknown", ["nothing", "", "with\0nul", "\ud800", "x" * 10_000])
def test_an_id_of_nothing_is_not_found(store: Store, unknown: str) -> None:
    for ask in (
        lambda: store.conversation(OWNER, unknown),
        lambda: store.change(OWNER, unknown, title="x"),
        lambda: store.delete(OWNER, unknown),
        lambda: store.send(OWNER, unknown, "x", stream_id=new_stream(), model="m"),
        lambda: store.edit(OWNER, unknown, "x", stream_id=new_stream(), model="m"),
        lambda: store.regenerate(OWNER, unknown, stream_id=new_stream(), model="m"),
        lambda: store.select_version(OWNER, unknown),
        lambda: store.begin(unknown),
        lambda: store.stream(unknown, OWNER),
    ):
        with pytest.raises(NotFound):
            ask()
    assert store.versions([unknown]) == {}


def test_what_is_someone_elses_looks_as_if_it_were_not_there(
    store: Store, conversation: ConversationRecord, talk: Callable[..., Sent]
) -> None:
    sent = talk(conversation.id)
    attempts: list[tuple[str, Callable[[str], object]]] = [
        (conversation.id, lambda owner: store.conversation(owner, conversation.id)),
        (conversation.id, lambda owner: store.change(owner, conversation.id, title="Mine now")),
        (sent.answer.id, lambda owner: store.select_version(owner, sent.answer.id)),
    ]
    asks: list[tuple[str, Callable[[str], Sent]]] = [
        (conversation.id, lambda o: store.send(o, conversation.id, "x", stream_id=new_stream(), model="m")),
        (sent.question.id, lambda o: store.edit(o, sent.question.id, "x", stream_id=new_stream(), model="m")),
        (sent.answer.id, lambda o: store.regenerate(o, sent.answer.id, stream_id=new_stream(), model="m")),
    ]
    deletion = (conversation.id, lambda owner: store.delete(owner, conversation.id))
    before = store.conversation(OWNER, conversation.id)
    for wanted, attempt in [*attempts, *asks, deletion]:
        with pytest.raises(NotFound) as refusal:
            attempt(STRANGER)
        assert refusal.value.wanted == wanted
    assert store.list_conversations(STRANGER).items == []
    assert store.versions([conversation.id], owner=STRANGER) == {}
    assert store.conversation(OWNER, conversation.id) == before
    # The same attempts by the owner succeed, so it was the owner that mattered.
    for _, attempt in attempts:
        attempt(OWNER)
    for _, ask in asks:
        finish(store, ask(OWNER))
    deletion[1](OWNER)


def test_versions_tells_those_that_exist_and_are_theirs(store: Store, talk: Callable[..., Sent]) -> None:
    quiet, lively = store.create_conversation(OWNER), store.create_conversation(OWNER)
    foreign = store.create_conversation(STRANGER)
    talk(lively.id)
    ids = [quiet.id, lively.id, foreign.id, "nothing"]
    assert store.versions(ids) == {quiet.id: 1, lively.id: 3, foreign.id: 1}
    assert store.versions(ids, owner=OWNER) == {quiet.id: 1, lively.id: 3}
    assert store.versions([]) == {}


def test_renaming_is_a_change_and_renaming_to_the_same_is_none(store: Store, conversation: ConversationRecord) -> None:
    renamed = store.change(OWNER, conversation.id, title="  On\nclouds ")
    assert (renamed.title, renamed.version) == ("On clouds", 2)
    assert renamed.updated_at == conversation.updated_at  # not an activity: it stays where it is in the list
    assert store.change(OWNER, conversation.id, title="On clouds") == renamed


def test_the_list_is_by_newest_activity(store: Store, talk: Callable[..., Sent]) -> None:
    first, second, third = (store.create_conversation(OWNER, title=title) for title in ("1", "2", "3"))
    talk(first.id)
    store.change(OWNER, second.id, title="two")
    listed = store.list_conversations(OWNER)
    assert [each.id for each in listed.items] == [first.id, third.id, second.id]
    assert listed.next is None
    assert listed.items[0].version == 3
    assert listed.items[0].generating is None


def test_the_list_says_what_is_being_generated(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    sent = ask(conversation.id)
    assert store.list_conversations(OWNER).items[0].generating == sent.answer.stream_id


@pytest.mark.parametrize("same_moment", [False, True])
@pytest.mark.parametrize("limit", [1, 3, 7, 8])
def test_pages_put_together_are_the_list(store: Store, clock: Clock, limit: int, same_moment: bool) -> None:
    if same_moment:
        clock.step = timedelta(0)
    made = {store.create_conversation(OWNER).id for _ in range(7)}
    whole = [each.id for each in store.list_conversations(OWNER).items]
    assert set(whole) == made
    paged, before = [], None
    while True:
        page = store.list_conversations(OWNER, limit=limit, before=before)
        assert 1 <= len(page.items) <= limit
        paged += [each.id for each in page.items]
        if page.next is None:
            break
        before = page.next
    assert paged == whole


def test_a_page_begins_where_the_last_ended_whatever_happened_meanwhile(
    store: Store, talk: Callable[..., Sent]
) -> None:
    old, last, newer = (store.create_conversation(OWNER) for _ in range(3))
    page = store.list_conversations(OWNER, limit=2)
    assert [each.id for each in page.items] == [newer.id, last.id]
    talk(last.id)  # goes to the top
    store.create_conversation(OWNER)
    store.delete(OWNER, newer.id)
    assert [each.id for each in store.list_conversations(OWNER, before=page.next).items] == [old.id]


@pytest.mark.parametrize(
    "cursor", ["", "now", "12", "-", "x-" + "0" * 32, "1" * 18 + "-" + "0" * 32, "1-\0", "١-" + "0" * 32]
)
def test_a_cursor_that_no_page_gave_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        store.list_conversations(OWNER, before=cursor)


def test_a_limit_is_kept_within_bounds(store: Store) -> None:
    for _ in range(2):
        store.create_conversation(OWNER)
    assert len(store.list_conversations(OWNER, limit=0).items) == 1
    assert len(store.list_conversations(OWNER, limit=10**30).items) == 2


def test_what_was_deleted_can_be_restored_as_it_was_until_it_is_purged(
    store: Store, clock: Clock, talk: Callable[..., Sent]
) -> None:
    conversation = store.create_conversation(OWNER)
    talk(conversation.id)
    before = store.conversation(OWNER, conversation.id)
    deleted = store.delete(OWNER, conversation.id)
    assert deleted == Deleted(conversation.id, before.version + 1, None)
    assert store.list_conversations(OWNER).items == []
    assert store.purge(timedelta(hours=1)) == 0

    restored = store.restore(OWNER, conversation.id)
    assert replace(restored, version=before.version) == before
    assert restored.version == deleted.version + 1
    assert store.restore(OWNER, conversation.id) == restored  # it is not deleted
    assert store.conversation(OWNER, conversation.id) == restored

    store.delete(OWNER, conversation.id)
    clock.moment += timedelta(hours=2)
    assert store.purge(timedelta(hours=1)) == 1
    with pytest.raises(NotFound):
        store.restore(OWNER, conversation.id)


def test_of_a_purge_and_a_restoration_at_once_one_counts(store: Store, clock: Clock) -> None:
    for _ in range(8):
        conversation = store.create_conversation(OWNER)
        store.delete(OWNER, conversation.id)
        clock.moment += timedelta(hours=1)
        restored, purged = at_once(
            [partial(store.restore, OWNER, conversation.id), partial(store.purge, timedelta(minutes=1))]
        )
        if isinstance(restored, ConversationRecord):
            assert purged == 0
            assert store.conversation(OWNER, conversation.id) == restored
        else:
            assert isinstance(restored, NotFound)
            assert purged == 1


def test_purging_leaves_nothing_behind(
    store: Store, clock: Clock, database_url: str, talk: Callable[..., Sent]
) -> None:
    kept, deleted = store.create_conversation(OWNER), store.create_conversation(OWNER)
    talk(kept.id)
    talk(deleted.id)
    store.share(OWNER, deleted.id, Terms())
    store.add_remark(deleted.id, Visitor("eve", "Eve"), "Oh!")
    store.delete(OWNER, deleted.id)
    with pytest.raises(NotFound):
        store.conversation(OWNER, deleted.id)
    clock.moment += timedelta(hours=1)
    store.purge(timedelta(minutes=1))
    database = Database(database_url)
    with database.read() as session:
        assert session.scalars(select(Conversation.id)).all() == [kept.id]
        assert set(session.scalars(select(Message.conversation_id))) == {kept.id}
        assert len(session.scalars(select(Send)).all()) == 1
        assert not session.scalars(select(Share)).all()
        assert not session.scalars(select(Remark)).all()
    database.close()


def test_deleting_in_mid_generation_names_the_stream_and_what_was_written_is_kept_for_a_restoration(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    sent = ask(conversation.id)
    stream = stream_of(sent)
    assert store.delete(OWNER, conversation.id).stream_id == stream
    with pytest.raises(NotFound):
        store.stream(stream, OWNER)
    with pytest.raises(NotFound):
        store.begin(stream)  # a worker that comes to it now asks no model
    assert store.save_answer(stream, text="x", reasoning="", outcome="cancelled", reason=None, usage=None)
    restored = store.restore(OWNER, conversation.id)
    assert (restored.generating, restored.messages[-1].content) == (None, "x")


def test_an_answer_that_comes_after_the_conversation_was_purged_is_dropped(
    store: Store, clock: Clock, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    stream = stream_of(ask(conversation.id))
    store.delete(OWNER, conversation.id)
    clock.moment += timedelta(hours=1)
    store.purge(timedelta(minutes=1))
    store.checkpoint({stream: ("too", "late")})
    assert store.save_answer(stream, text="x", reasoning="", outcome="finished", reason=None, usage=None) is None
    assert store.settle_vanished(stream, "gone") is None
    assert store.withdraw(stream) is False
    with pytest.raises(NotFound):
        store.stream(stream, OWNER)
    with pytest.raises(NotFound):
        store.begin(stream)


def test_a_conversation_deeper_than_sqlite_lets_deletions_cascade_is_read_and_deleted(
    store: Store, clock: Clock, database_url: str, conversation: ConversationRecord
) -> None:
    ids = [new_id() for _ in range(2500)]
    database = Database(database_url)
    with database.write() as session:
        for number, (parent, message_id) in enumerate(zip([None, *ids], ids, strict=False)):
            session.add(
                Message(
                    id=message_id,
                    conversation_id=conversation.id,
                    parent_id=parent,
                    since=number,
                    role=Role.USER,
                    content=str(number),
                    reasoning="",
                    status=Status.COMPLETE,
                    created_at=conversation.created_at,
                )
            )
            session.flush()
        session.get_one(Conversation, conversation.id).head_id = ids[-1]
    database.close()
    assert [each.id for each in store.conversation(OWNER, conversation.id).messages] == ids
    assert store.select_version(OWNER, ids[0]).messages[-1].id == ids[-1]
    store.delete(OWNER, conversation.id)
    clock.moment += timedelta(hours=1)
    assert store.purge(timedelta(minutes=1)) == 1
    with pytest.raises(NotFound):
        store.restore(OWNER, conversation.id)


def test_a_search_reads_a_text_once_whatever_is_sought(store: Store) -> None:
    """LIKE begins anew at every character: in a history made for that a search took 100 times as long."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "WHERE" in statement:
            asked.append(statement)

    store.create_conversation(OWNER, title="100 %_% \\ sure")
    event.listen(Engine, "before_cursor_execute", note)
    try:
        for words in ("%_%", "\\", "% \\"):
            assert len(store.list_conversations(OWNER, words=words).items) == 1
        assert store.list_conversations(OWNER, words="_%_").items == []
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len(asked) == 4
    assert not [each for each in asked if "LIKE" in each.upper()]


def test_conversations_are_found_by_their_titles_and_by_what_was_said_in_them(
    store: Store, talk: Callable[..., Sent]
) -> None:
    titled = store.create_conversation(OWNER, title="Über 100% Lace_work")
    spoken = store.create_conversation(OWNER, title="Something else")
    talk(spoken.id, "Where is ÅNGSTRÖM street?")
    store.create_conversation(STRANGER, title="Über 100% Lace_work")

    def found(words: str) -> list[str]:
        return [each.id for each in store.list_conversations(OWNER, words=words).items]

    assert found("über") == found("ÜBER") == found("100%") == found("lace_work") == [titled.id]
    assert found("ångström") == [spoken.id]
    assert found("lace-work") == found("100_") == found("nowhere") == []
    assert found("e") == [spoken.id, titled.id], "the newest activity first"
    assert found("\0") == found("\ud800") == []
    page = store.list_conversations(OWNER, words="e", limit=1)
    assert [each.id for each in store.list_conversations(OWNER, words="e", before=page.next).items] == [titled.id]
