"""A share lets in whoever has it, to one conversation, for what it is good for, until it is over."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from conversations import (
    Author,
    Busy,
    Changed,
    ConversationRecord,
    KeyReused,
    NotFound,
    NotShared,
    Sent,
    ShareOver,
    ShareRecord,
    Store,
    Terms,
    Visitor,
    tag_of,
)
from tests.conversations.conftest import OWNER, STRANGER, Clock, finish, new_stream, stream_of
from tests.conversations.together import at_once

EVE = Visitor(STRANGER, "Eve")


def test_a_share_leads_to_its_conversation_and_its_streams(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    sent = ask(conversation.id)
    terms = Terms(may_ask=True, discussion=False, shows_prompt=True, indexed=True)
    share = store.share(OWNER, conversation.id, terms)
    assert share.terms == terms
    assert store.shared(share.id) == share
    assert store.shared_conversation(share.id) == store.conversation(OWNER, conversation.id)
    assert store.shared_stream(stream_of(sent), share.id) == store.stream(stream_of(sent), OWNER)


def test_a_share_leads_to_no_other_conversation(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    share = store.share(OWNER, conversation.id, Terms())
    elsewhere = ask(store.create_conversation(OWNER).id)
    with pytest.raises(NotFound):
        store.shared_stream(stream_of(elsewhere), share.id)


def test_ids_of_shares_differ_and_are_not_the_conversations(store: Store, conversation: ConversationRecord) -> None:
    ids = {store.share(OWNER, conversation.id, Terms()).id for _ in range(50)}
    assert len(ids) == 50
    assert conversation.id not in ids
    assert all(len(each) >= 22 for each in ids)  # 128 bits in base64
    assert [share.id for share in store.conversation(OWNER, conversation.id).shares]


def test_only_the_owner_shares_and_revokes(store: Store, conversation: ConversationRecord) -> None:
    share = store.share(OWNER, conversation.id, Terms())
    with pytest.raises(NotFound):
        store.share(STRANGER, conversation.id, Terms())
    with pytest.raises(NotFound):
        store.revoke(STRANGER, share.id)
    assert store.good_shares([share.id]) == {share.id}


def test_a_revoked_share_lets_nobody_in_and_says_that_it_is_over(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    stream = stream_of(ask(conversation.id))
    kept, revoked = (store.share(OWNER, conversation.id, Terms(may_ask=True)) for _ in range(2))
    version = store.conversation(OWNER, conversation.id).version
    assert store.revoke(OWNER, revoked.id).revoked_at
    assert store.revoke(OWNER, revoked.id).revoked_at  # again changes nothing
    assert store.conversation(OWNER, conversation.id).version == version + 1
    attempts: list[Callable[[str], object]] = [
        store.shared,
        store.shared_conversation,
        lambda share_id: store.shared_stream(stream, share_id),
        lambda share_id: store.ask(share_id, EVE, "Hm?", stream_id=new_stream(), model="m"),
    ]
    for attempt in attempts:
        with pytest.raises(ShareOver):
            attempt(revoked.id)
    assert store.good_shares([kept.id, revoked.id, "nothing"]) == {kept.id}
    assert [share.id for share in store.conversation(OWNER, conversation.id).shares] == [kept.id]


def test_a_share_is_over_when_its_time_is(store: Store, clock: Clock, conversation: ConversationRecord) -> None:
    ends = clock.moment + timedelta(hours=1)
    share = store.share(OWNER, conversation.id, Terms(expires_at=ends))
    assert store.shared(share.id).terms.expires_at == ends
    clock.moment = ends - clock.step
    with pytest.raises(ShareOver):
        store.shared(share.id)
    assert store.good_shares([share.id]) == set()
    assert store.conversation(OWNER, conversation.id).shares == (share,)  # the owner sees that there was one


@pytest.mark.parametrize("unknown", ["nothing", "", "with\0nul", "\ud800", "x" * 10_000])
def test_a_share_that_never_was_is_not_found(store: Store, unknown: str) -> None:
    for attempt in (store.shared, store.shared_conversation, lambda it: store.revoke(OWNER, it)):
        with pytest.raises(NotFound):
            attempt(unknown)
    assert store.good_shares([unknown]) == set()


def test_a_deleted_conversation_is_shared_no_more_until_it_is_restored(
    store: Store, conversation: ConversationRecord
) -> None:
    share = store.share(OWNER, conversation.id, Terms(may_ask=True))
    store.delete(OWNER, conversation.id)
    with pytest.raises(NotFound):
        store.shared(share.id)
    with pytest.raises(NotFound):
        store.ask(share.id, EVE, "Hm?", stream_id=new_stream(), model="m")
    with pytest.raises(NotFound):
        store.revoke(OWNER, share.id)
    assert store.good_shares([share.id]) == set()
    store.restore(OWNER, conversation.id)
    assert store.shared(share.id) == share


# Asking


def test_a_visitor_asks_under_a_name_and_the_owner_without_one(
    store: Store, conversation: ConversationRecord, talk: Callable[..., Sent]
) -> None:
    talk(conversation.id)
    share = store.share(OWNER, conversation.id, Terms(may_ask=True))
    sent = store.ask(share.id, EVE, "And then?", stream_id=new_stream(), model="m")
    finish(store, sent, "Then it rained.")
    messages = store.conversation(OWNER, conversation.id).messages
    assert [(each.author, each.content) for each in messages] == [
        (None, "Why?"),
        (None, "Because."),
        (Author("Eve", tag_of(conversation.id, EVE.id)), "And then?"),
        (None, "Then it rained."),
    ]


def test_a_share_to_watch_is_not_for_asking(store: Store, conversation: ConversationRecord) -> None:
    share = store.share(OWNER, conversation.id, Terms(may_ask=False))
    with pytest.raises(NotShared):
        store.ask(share.id, EVE, "Hm?", stream_id=new_stream(), model="m")
    assert store.conversation(OWNER, conversation.id).messages == ()


def test_a_visitor_who_comes_second_is_told_which_stream_is_first(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    first = ask(conversation.id)
    share = store.share(OWNER, conversation.id, Terms(may_ask=True))
    with pytest.raises(Busy) as refusal:
        store.ask(share.id, EVE, "Me too?", stream_id=new_stream(), model="m")
    assert refusal.value.stream_id == stream_of(first)


def test_a_visitors_key_names_one_question_and_is_not_the_owners(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    share = store.share(OWNER, conversation.id, Terms(may_ask=True))

    def asked(content: str, visitor: Visitor = EVE) -> Sent:
        return store.ask(share.id, visitor, content, stream_id=new_stream(), model="m", idempotency_key="one")

    first = asked("Hm?")
    again = asked("Hm?")
    assert (first.created, again.created) == (True, False)
    assert again.answer.id == first.answer.id
    with pytest.raises(KeyReused):
        asked("Something else?")
    finish(store, first)
    assert ask(conversation.id, "Hm?", key="one").created


def test_of_a_revocation_and_a_question_at_once_the_question_is_first_or_refused(store: Store) -> None:
    for _ in range(8):
        conversation = store.create_conversation(OWNER)
        share = store.share(OWNER, conversation.id, Terms(may_ask=True))
        asked = partial(store.ask, share.id, EVE, "Hm?", stream_id=new_stream(), model="m")
        revoked, sent = at_once([partial(store.revoke, OWNER, share.id), asked])
        assert isinstance(revoked, ShareRecord), revoked
        if isinstance(sent, Sent):
            assert sent.version < store.conversation(OWNER, conversation.id).version
        else:
            assert isinstance(sent, ShareOver)


def test_hostile_names_are_made_harmless(store: Store, conversation: ConversationRecord) -> None:
    share = store.share(OWNER, conversation.id, Terms(may_ask=True))
    name = "\u202egnihton\n\t<b>Bob</b>\0" + "x" * 100
    sent = store.ask(share.id, Visitor("bob", name), "Hm?", stream_id=new_stream(), model="m")
    assert sent.question.author
    assert sent.question.author.name == "gnihton <b>Bob</b> " + "x" * 21


# Everything of somebody's


def test_erasing_a_person_leaves_nothing_of_theirs_and_takes_nothing_of_others(
    store: Store, talk: Callable[..., Sent], ask: Callable[..., Sent]
) -> None:
    mine = [store.create_conversation(OWNER) for _ in range(3)]
    talk(mine[0].id)
    running = ask(mine[1].id)
    store.delete(OWNER, mine[2].id)
    share = store.share(OWNER, mine[0].id, Terms())
    others = store.create_conversation(STRANGER, title="Eve's")
    others_share = store.share(STRANGER, others.id, Terms(may_ask=True))
    asked = store.ask(others_share.id, Visitor(OWNER, "Ada"), "May I?", stream_id=new_stream(), model="m")
    finish(store, asked)
    store.add_remark(others.id, Visitor(OWNER, "Ada"), "Hello from Ada")
    kept = store.add_remark(others.id, EVE, "Hello")

    erased = store.erase(OWNER)
    version = store.conversation(STRANGER, others.id).version
    assert Changed(others.id, version, STRANGER) in erased.changed  # her name has gone from it
    assert {each.conversation_id for each in erased.changed} == {others.id, *(each.id for each in mine)}
    assert erased.stream_ids == [stream_of(running)]
    assert store.conversation(STRANGER, others.id).remarks == 3
    assert store.list_conversations(OWNER).items == []
    for each in mine:
        with pytest.raises(NotFound):
            store.restore(OWNER, each.id)
    with pytest.raises(NotFound):
        store.shared(share.id)
    question, answer = store.conversation(STRANGER, others.id).messages
    assert (question.author, question.content, answer.content) == (Author("", ""), "May I?", "Because.")
    assert store.remarks(others.id)[0] == kept
    assert [(each.author, each.content, each.removed) for each in store.remarks(others.id)[1:]] == [
        (Author("", ""), "", True)
    ]
    assert store.erase(OWNER) == type(erased)([], [])


def test_two_who_have_spoken_with_each_other_can_erase_themselves_at_once(store: Store) -> None:
    for number in range(8):
        people = [Visitor(f"{name}-{number}", name) for name in ("Ann", "Ben")]
        for mine, other in (people, people[::-1]):
            for _ in range(2):
                conversation = store.create_conversation(mine.id)
                store.add_remark(conversation.id, other, "Hello")
        results = at_once([partial(store.erase, each.id) for each in people])
        assert not [each for each in results if isinstance(each, Exception)], results
