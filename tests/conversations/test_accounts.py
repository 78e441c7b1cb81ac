"""Accounts: made at the first login, found at all others, and what a browser had becomes theirs."""

from collections.abc import Callable
from functools import partial

import pytest

from conversations import AccountRecord, Changed, NotFound, Profile, Sent, Store, Terms, Visitor, tag_of
from tests.conversations.conftest import OWNER, STRANGER, finish, new_stream, stream_of
from tests.conversations.together import at_once

ADA = Profile("https://id.test", "4711", "Ada", "ada@id.test")
BROWSER = OWNER  # which nobody has signed in to yet


def test_the_first_login_makes_an_account_with_an_owner_of_its_own(store: Store) -> None:
    account = store.sign_in(ADA, browser=BROWSER).account
    assert (account.name, account.email) == ("Ada", "ada@id.test")
    assert len(account.owner) >= 22  # 128 bits
    assert account.owner != BROWSER
    assert store.account(account.owner) == account
    assert store.account(BROWSER) is None


def test_later_logins_find_it_and_keep_its_name_up_to_date(store: Store) -> None:
    first = store.sign_in(ADA).account
    later = store.sign_in(Profile(ADA.issuer, ADA.subject, "Ada L.\u202e", None)).account
    assert later == AccountRecord(first.owner, "Ada L.", None)


@pytest.mark.parametrize(
    "other", [Profile("https://other.test", "4711", "Ada", None), Profile(ADA.issuer, "1", "", None)]
)
def test_another_issuer_or_subject_is_somebody_else(store: Store, other: Profile) -> None:
    assert store.sign_in(ADA).account.owner != store.sign_in(other).account.owner


def test_what_was_the_browsers_becomes_the_accounts(store: Store, talk: Callable[..., Sent]) -> None:
    talk(store.create_conversation(BROWSER, title="Finished").id)
    kept = store.create_conversation(BROWSER, title="Shared")
    share = store.share(BROWSER, kept.id, Terms(may_ask=True))
    deleted = store.create_conversation(BROWSER, title="Deleted")
    store.delete(BROWSER, deleted.id)

    signed_in = store.sign_in(ADA, browser=BROWSER)
    owner = signed_in.account.owner
    assert {each.title for each in store.list_conversations(owner).items} == {"Finished", "Shared"}
    assert store.list_conversations(BROWSER).items == []
    assert store.shared(share.id).conversation_id == kept.id
    assert store.revoke(owner, share.id).revoked_at
    assert store.restore(owner, deleted.id).title == "Deleted"
    with pytest.raises(NotFound):
        store.conversation(BROWSER, kept.id)
    assert Changed(kept.id, kept.version + 2, owner) in signed_in.changed  # by the share and by this
    assert len(signed_in.changed) == 3


def test_what_it_said_in_the_conversations_of_others_goes_along(store: Store) -> None:
    theirs = store.create_conversation(STRANGER)
    share = store.share(STRANGER, theirs.id, Terms(may_ask=True))
    visitor = Visitor(BROWSER, "Ada")
    remark = store.add_remark(theirs.id, visitor, "Hm.", share_id=share.id)
    store.ask(share.id, visitor, "Why?", stream_id=new_stream(), model="m")
    owner = store.sign_in(ADA, browser=BROWSER).account.owner
    tag = tag_of(theirs.id, owner)
    [said] = store.remarks(theirs.id)
    assert said.author.tag == tag
    record = store.conversation(STRANGER, theirs.id)
    assert record.messages[0].author is not None
    assert record.messages[0].author.tag == tag
    assert store.remove_remark(owner, theirs.id, remark.id).removed
    assert store.list_conversations(owner).items == []  # it stays theirs


def test_an_answer_that_is_being_written_goes_on(store: Store, ask: Callable[..., Sent]) -> None:
    sent = ask(store.create_conversation(BROWSER).id)
    store.begin(stream_of(sent))
    owner = store.sign_in(ADA, browser=BROWSER).account.owner
    assert store.stream(stream_of(sent), owner).in_flight
    finish(store, sent, "Because.")
    assert [each.content for each in store.conversation(owner, sent.conversation_id).messages] == ["Why?", "Because."]


def test_every_browser_brings_its_own_along_and_twice_is_as_once(store: Store) -> None:
    for browser in ("at home", "at work"):
        store.create_conversation(browser, title=browser)
        store.sign_in(ADA, browser=browser)
        assert store.sign_in(ADA, browser=browser).changed == []
    owner = store.sign_in(ADA).account.owner
    assert {each.title for each in store.list_conversations(owner).items} == {"at home", "at work"}


def test_what_is_one_accounts_does_not_become_anothers(store: Store) -> None:
    ada = store.sign_in(ADA).account.owner
    store.create_conversation(ada)
    eve = store.sign_in(Profile(ADA.issuer, "eve", "Eve", None), browser=ada)
    assert eve.changed == []
    assert len(store.list_conversations(ada).items) == 1


def test_a_send_that_is_repeated_after_the_login_is_still_the_same_one(store: Store, ask: Callable[..., Sent]) -> None:
    talk = store.create_conversation(BROWSER)
    sent = ask(talk.id, key="k")
    owner = store.sign_in(ADA, browser=BROWSER).account.owner
    again = store.send(owner, talk.id, "Why?", stream_id=new_stream(), model="m", idempotency_key="k")
    assert (again.created, again.answer.id) == (False, sent.answer.id)


def test_a_key_that_both_have_used_means_what_it_meant_to_the_account(store: Store, ask: Callable[..., Sent]) -> None:
    owner = store.sign_in(ADA).account.owner
    own = store.create_conversation(owner)
    sent = store.send(owner, own.id, "Why?", stream_id=new_stream(), model="m", idempotency_key="k")
    ask(store.create_conversation(BROWSER).id, key="k")
    store.sign_in(ADA, browser=BROWSER)
    again = store.send(owner, own.id, "Why?", stream_id=new_stream(), model="m", idempotency_key="k")
    assert (again.created, again.answer.id) == (False, sent.answer.id)


def test_logins_at_the_same_time_make_one_account(store: Store) -> None:
    browsers = [f"browser {n}" for n in range(6)]
    for browser in browsers:
        store.create_conversation(browser)
    made = at_once([partial(store.sign_in, ADA, browser=browser) for browser in browsers])
    assert len({each.account.owner for each in made}) == 1
    assert len(store.list_conversations(made[0].account.owner).items) == 6


def test_whoever_erases_all_of_theirs_has_no_account_any_more(store: Store) -> None:
    owner = store.sign_in(ADA).account.owner
    store.create_conversation(owner)
    store.erase(owner)
    assert store.account(owner) is None
    assert store.sign_in(ADA).account.owner != owner  # a new one, with nothing of what was
