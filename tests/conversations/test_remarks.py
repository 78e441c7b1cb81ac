"""The discussion beside a conversation: whoever asks for what came after a change knows all of it, once."""

from functools import partial

import pytest

from conversations import (
    Author,
    ConversationRecord,
    DiscussionFull,
    NotFound,
    NotShared,
    RemarkRecord,
    ShareOver,
    Store,
    Terms,
    Visitor,
    tag_of,
)
from conversations.database import Database
from conversations.models import Conversation
from conversations.remarks import MOST, PART
from tests.conversations.conftest import OWNER, STRANGER
from tests.conversations.together import at_once

EVE, BOB = Visitor(STRANGER, "Eve"), Visitor("bob", "Bob")


def test_remarks_come_in_the_order_they_were_made(store: Store, conversation: ConversationRecord) -> None:
    version = store.conversation(OWNER, conversation.id).version
    made = [store.add_remark(conversation.id, author, f"Remark {n}") for n, author in enumerate([EVE, BOB, EVE])]
    assert [each.change for each in made] == [1, 2, 3]
    assert store.remarks(conversation.id) == made
    assert store.remarks(conversation.id, after=2) == made[2:]
    assert store.remarks(conversation.id, after=3) == []
    after = store.conversation(OWNER, conversation.id)
    assert (after.remarks, after.version) == (3, version)  # a page need not read its messages again


def test_a_removed_remark_is_a_change_that_leaves_an_empty_place(
    store: Store, conversation: ConversationRecord
) -> None:
    rude, kind = (store.add_remark(conversation.id, author, "Words") for author in (BOB, EVE))
    removed = store.remove_remark(OWNER, conversation.id, rude.id)
    assert (removed.change, removed.content, removed.removed, removed.author) == (
        3,
        "",
        True,
        Author("Bob", tag_of(conversation.id, BOB.id)),
    )
    assert store.remarks(conversation.id) == [kind, removed]
    assert store.remarks(conversation.id, after=2) == [removed]
    assert store.remove_remark(OWNER, conversation.id, rude.id) == removed  # again changes nothing


def test_a_remark_is_removed_by_the_owner_or_its_author_and_nobody_else(
    store: Store, conversation: ConversationRecord
) -> None:
    first, second = (store.add_remark(conversation.id, EVE, "Words") for _ in range(2))
    with pytest.raises(NotFound):
        store.remove_remark(BOB.id, conversation.id, first.id)
    assert store.remove_remark(EVE.id, conversation.id, first.id).removed
    assert store.remove_remark(OWNER, conversation.id, second.id).removed
    elsewhere = store.create_conversation(OWNER)
    with pytest.raises(NotFound):
        store.remove_remark(OWNER, elsewhere.id, second.id)


def test_a_person_is_known_by_a_tag_that_tells_nothing_and_differs_elsewhere(
    store: Store, conversation: ConversationRecord
) -> None:
    elsewhere = store.create_conversation(OWNER)
    here, again, there = (store.add_remark(each, EVE, "Words") for each in [conversation.id] * 2 + [elsewhere.id])
    assert here.author == again.author
    assert here.author.tag != there.author.tag
    assert EVE.id not in here.author.tag
    assert not here.author.owner
    assert store.add_remark(conversation.id, Visitor(OWNER, ""), "Mine").author == Author(
        "", tag_of(conversation.id, OWNER), owner=True
    )


def test_of_remarks_at_once_none_is_lost_and_no_number_is_used_twice(
    store: Store, conversation: ConversationRecord
) -> None:
    made = at_once([partial(store.add_remark, conversation.id, EVE, f"Remark {n}") for n in range(8)])
    remarks = [each for each in made if isinstance(each, RemarkRecord)]
    assert sorted(each.change for each in remarks) == list(range(1, 9)), made
    assert store.remarks(conversation.id) == sorted(remarks, key=lambda each: each.change)


def test_a_deleted_conversation_is_not_discussed(store: Store, conversation: ConversationRecord) -> None:
    remark = store.add_remark(conversation.id, EVE, "Words")
    store.delete(OWNER, conversation.id)
    with pytest.raises(NotFound):
        store.add_remark(conversation.id, EVE, "More words")
    with pytest.raises(NotFound):
        store.remove_remark(OWNER, conversation.id, remark.id)


def test_a_discussion_is_read_in_parts_and_ends_somewhere(
    store: Store, database_url: str, conversation: ConversationRecord
) -> None:
    for number in range(PART + 1):
        store.add_remark(conversation.id, EVE, f"Remark {number}")
    first = store.remarks(conversation.id)
    assert len(first) == PART
    assert [each.content for each in store.remarks(conversation.id, after=first[-1].change)] == [f"Remark {PART}"]
    database = Database(database_url)
    with database.write() as session:
        session.get_one(Conversation, conversation.id).remarks = MOST
    database.close()
    with pytest.raises(DiscussionFull):
        store.add_remark(conversation.id, EVE, "One more")


def test_a_remark_by_a_share_that_is_over_or_without_a_discussion_is_refused(
    store: Store, conversation: ConversationRecord
) -> None:
    silent, over = (store.share(OWNER, conversation.id, Terms(discussion=each)) for each in (False, True))
    store.revoke(OWNER, over.id)
    with pytest.raises(NotShared):
        store.add_remark(conversation.id, EVE, "Words", share_id=silent.id)
    with pytest.raises(ShareOver):
        store.add_remark(conversation.id, EVE, "Words", share_id=over.id)
    assert store.remarks(conversation.id) == []
