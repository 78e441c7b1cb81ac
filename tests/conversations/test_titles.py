"""Naming a conversation: after its first finished answer, and never over a title that somebody chose."""

import secrets

import pytest

from conversations import Changed, NotFound, Sent, Store, Unnamed

OWNER = "ada"


def ask(store: Store, conversation_id: str, content: str = "Why is the sky blue?") -> Sent:
    return store.send(OWNER, conversation_id, content, stream_id=secrets.token_hex(8), model="m")


def finish(store: Store, sent: Sent, outcome: str = "finished") -> str:
    """End the answer; return its stream."""
    assert sent.answer.stream_id
    store.save_answer(sent.answer.stream_id, text="Scattering.", reasoning="", outcome=outcome, reason=None, usage=None)
    return sent.answer.stream_id


@pytest.fixture
def conversation_id(store: Store) -> str:
    return store.create_conversation(OWNER).id


def test_the_first_finished_answer_is_what_a_title_is_made_of(store: Store, conversation_id: str) -> None:
    sent = ask(store, conversation_id)
    assert sent.answer.stream_id
    assert store.unnamed(sent.answer.stream_id) is None  # it is being written
    stream_id = finish(store, sent)
    question = "Why is the sky blue?"
    assert store.unnamed(stream_id) == Unnamed(conversation_id, question, question, "Scattering.", "m")


def test_an_answer_that_failed_is_not_the_first_but_the_next_one_is(store: Store, conversation_id: str) -> None:
    assert store.unnamed(finish(store, ask(store, conversation_id), "failed")) is None
    unnamed = store.unnamed(finish(store, ask(store, conversation_id, "And at night?")))
    assert unnamed
    assert (unnamed.title, unnamed.question) == ("Why is the sky blue?", "And at night?")


def test_a_later_answer_names_nothing_also_where_the_first_got_no_title(store: Store, conversation_id: str) -> None:
    finish(store, ask(store, conversation_id))
    assert store.unnamed(finish(store, ask(store, conversation_id))) is None


def test_an_edited_first_question_leaves_the_title_provisional(store: Store, conversation_id: str) -> None:
    first = ask(store, conversation_id)
    finish(store, first, "cancelled")
    edited = store.edit(OWNER, first.question.id, "Why is grass green?", stream_id="st_edited", model="m")
    unnamed = store.unnamed(finish(store, edited))
    assert unnamed
    assert (unnamed.title, unnamed.question) == ("Why is the sky blue?", "Why is grass green?")


def test_a_conversation_that_a_person_named_is_not_up_for_a_title(store: Store) -> None:
    named = store.create_conversation(OWNER, title="Mine")
    assert store.unnamed(finish(store, ask(store, named.id))) is None
    renamed = store.create_conversation(OWNER)
    sent = ask(store, renamed.id)
    store.change(OWNER, renamed.id, title="Mine")
    assert store.unnamed(finish(store, sent)) is None


def test_a_name_makes_a_new_version_and_does_not_move_the_conversation(store: Store, conversation_id: str) -> None:
    finish(store, ask(store, conversation_id))
    before = store.conversation(OWNER, conversation_id)
    named = store.name(conversation_id, "Blue\nskies", instead_of=before.title)
    after = store.conversation(OWNER, conversation_id)
    assert (after.title, after.version) == ("Blue skies", before.version + 1)
    assert named == Changed(conversation_id, after.version, OWNER)
    assert after.updated_at == before.updated_at


def test_a_person_who_was_quicker_keeps_their_title(store: Store, conversation_id: str) -> None:
    finish(store, ask(store, conversation_id))
    mine = store.change(OWNER, conversation_id, title="Mine")
    assert store.name(conversation_id, "Blue skies", instead_of="Why is the sky blue?") is None
    assert store.conversation(OWNER, conversation_id) == mine


def test_a_deleted_conversation_is_not_named(store: Store, conversation_id: str) -> None:
    store.delete(OWNER, conversation_id)
    assert store.name(conversation_id, "Blue skies", instead_of="") is None
    with pytest.raises(NotFound):
        store.conversation(OWNER, conversation_id)
