"""What people have running, what they have spent, and how much of it there may be."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text

from conversations import (
    Allowance,
    ConversationSettings,
    ConversationTooLong,
    OutOfTokens,
    Profile,
    Sent,
    Store,
    Terms,
    TooManyRunning,
    Visitor,
    accounts,
    open_store,
    spending,
)
from conversations.database import Database
from conversations.models import Account
from conversations.rows import touched_by
from conversations.settings import DEFAULT_ALLOWANCE
from tests.conversations.conftest import OWNER, STRANGER, Clock, new_stream, stream_of
from tests.conversations.together import at_once
from tests.support.database import migrated, new_postgres
from tests.support.waiting import wait_until

Open = Callable[..., Store]

WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


def rows_of_spent(database: Database) -> int:
    with database.read() as session:
        return int(session.execute(text("SELECT count(*) FROM spent")).scalar_one())


@pytest.fixture
def open_with(database_url: str, clock: Clock) -> Iterator[Open]:
    """A store with an allowance."""
    opened: list[Store] = []

    def open_with(**allowed: int) -> Store:
        opened.append(open_store(database_url, pool_size=8, now=clock, allowance=Allowance(**allowed)))
        return opened[-1]

    yield open_with
    for store in opened:
        store.close()


def ask(store: Store, owner: str = OWNER, conversation: str | None = None, content: str = "Why?") -> Sent:
    conversation = conversation or store.create_conversation(owner).id
    return store.send(owner, conversation, content, stream_id=new_stream(), model="a-model")


def end(store: Store, sent: Sent, said: str = "Because.", outcome: str = "finished", **counts: int) -> bool:
    stream_id, usage = stream_of(sent), counts or None
    ended = store.save_answer(stream_id, text=said, reasoning="", outcome=outcome, reason=None, usage=usage)
    return ended is not None


# --- running


def test_a_person_has_so_many_answers_running_in_all_conversations(open_with: Open) -> None:
    store = open_with(running=2)
    first = ask(store)
    ask(store)
    with pytest.raises(TooManyRunning):
        ask(store)
    ask(store, STRANGER)  # is somebody else
    store.begin(stream_of(first))
    with pytest.raises(TooManyRunning):  # one that is being written counts as one that is queued
        ask(store)
    assert end(store, first)
    ask(store)


def test_what_is_refused_leaves_nothing_behind(open_with: Open) -> None:
    store = open_with(running=1)
    ask(store)
    conversation = store.create_conversation(OWNER)
    with pytest.raises(TooManyRunning):
        ask(store, conversation=conversation.id)
    assert store.conversation(OWNER, conversation.id) == conversation


def test_a_send_that_is_repeated_is_the_first_one_and_not_one_too_many(open_with: Open) -> None:
    store = open_with(running=1, tokens=1)
    conversation = store.create_conversation(OWNER).id
    send = partial(store.send, OWNER, conversation, "Why?", model="a-model", idempotency_key="once")
    first = send(stream_id=new_stream())
    again = send(stream_id=new_stream())
    assert (again.answer.id, again.created) == (first.answer.id, False)


@pytest.mark.parametrize("way", ["withdrawn", "vanished", "deleted"])
def test_an_answer_that_ends_another_way_runs_no_longer(open_with: Open, way: str) -> None:
    store = open_with(running=1)
    sent = ask(store)
    if way == "withdrawn":
        assert store.withdraw(stream_of(sent))
    elif way == "vanished":
        assert store.settle_vanished(stream_of(sent), "Gone.")
    else:
        store.delete(OWNER, sent.conversation_id)
        assert end(store, sent, "", "cancelled")
    ask(store)


def test_an_answer_that_an_older_version_ended_runs_no_longer(open_with: Open, database_url: str) -> None:
    store = open_with(running=1)
    sent = ask(store)
    assert end(store, sent)
    database = Database(database_url)
    with database.write() as session:
        session.execute(text("UPDATE sends SET owed = (1 = 1)"))  # it does not know the column
    database.close()
    ask(store)


def test_of_sends_at_one_instant_as_many_begin_as_may(open_with: Open) -> None:
    store = open_with(running=3)
    talks = [store.create_conversation(OWNER).id for _ in range(6)]

    def sends(conversation: str) -> bool:
        try:
            ask(store, conversation=conversation)
        except TooManyRunning:
            return False
        return True

    assert sum(at_once([partial(sends, each) for each in talks])) == 3


def test_who_asks_by_a_share_is_counted_and_not_the_owner(open_with: Open) -> None:
    store = open_with(running=1, tokens=10)
    link = store.share(OWNER, store.create_conversation(OWNER).id, Terms(may_ask=True))
    other = store.share(OWNER, store.create_conversation(OWNER).id, Terms(may_ask=True))
    visitor = Visitor(STRANGER, "Eve")
    asked = store.ask(link.id, visitor, "Why?", stream_id=new_stream(), model="a-model")
    with pytest.raises(TooManyRunning):
        store.ask(other.id, visitor, "Why?", stream_id=new_stream(), model="a-model")
    ask(store)
    store.begin(stream_of(asked))
    assert end(store, asked, total_tokens=50)
    assert (store.spent(STRANGER), store.spent(OWNER)) == (50, 0)
    with pytest.raises(OutOfTokens):
        store.ask(other.id, visitor, "Why?", stream_id=new_stream(), model="a-model")


# --- tokens


def run(store: Store, owner: str = OWNER, said: str = "Because.", outcome: str = "finished", **counts: int) -> Sent:
    """An answer from its question to its end."""
    sent = ask(store, owner)
    store.begin(stream_of(sent))
    assert end(store, sent, said, outcome, **counts)
    return sent


def test_what_the_model_reports_is_spent_and_a_send_beyond_it_is_refused_until_tomorrow(
    open_with: Open, clock: Clock
) -> None:
    store = open_with(tokens=100)
    run(store, total_tokens=60)
    run(store, prompt_tokens=30, completion_tokens=9)
    run(store, total_tokens=500)  # it may finish, whatever it costs
    assert store.spent(OWNER) == 599
    with pytest.raises(OutOfTokens) as refused:
        ask(store)
    assert (refused.value.limit, refused.value.spent) == (100, 599)
    assert refused.value.returns == datetime(2026, 1, 2, tzinfo=UTC)
    run(store, STRANGER, total_tokens=1)  # has an allowance of their own
    clock.moment = refused.value.returns
    assert store.spent(OWNER) == 0
    ask(store)


def test_all_together_have_an_allowance_too(open_with: Open) -> None:
    store = open_with(tokens_of_all=100)
    run(store, total_tokens=60)
    run(store, STRANGER, total_tokens=60)
    assert store.spent_by_all() == 120
    with pytest.raises(OutOfTokens) as refused:
        ask(store, "somebody else")
    assert (refused.value.limit, refused.value.spent) == (None, None)


def test_an_answer_is_paid_for_once_however_many_save_it(open_with: Open) -> None:
    store, other = open_with(), open_with()
    sent = ask(store)
    store.begin(stream_of(sent))
    saved = at_once([partial(end, each, sent, total_tokens=7) for each in (store, other) * 3])
    assert sum(saved) == 1
    assert store.spent(OWNER) == 7


def test_answers_that_end_at_one_instant_are_all_paid_for(open_with: Open) -> None:
    store = open_with()
    running = [ask(store) for _ in range(8)]
    for sent in running:
        store.begin(stream_of(sent))
    assert all(at_once([partial(end, store, sent, total_tokens=7) for sent in running]))
    assert store.spent(OWNER) == 56


def test_what_the_model_does_not_report_is_estimated_from_the_bytes(open_with: Open) -> None:
    store = open_with()
    talk = store.create_conversation(OWNER, system_prompt="s" * 40)
    sent = ask(store, conversation=talk.id, content="q" * 20)
    store.begin(stream_of(sent))
    assert end(store, sent, "a" * 11, "cancelled")
    assert store.spent(OWNER) == 18  # 71 bytes
    again = ask(store, conversation=talk.id, content="ä" * 4)
    store.begin(stream_of(again))
    assert end(store, again, "", "interrupted")
    assert store.spent(OWNER) == 18 + 20  # what was said before is sent again, and 8 bytes


def test_what_was_never_begun_or_failed_before_its_first_word_costs_nothing(open_with: Open) -> None:
    store = open_with()
    assert end(store, ask(store), "", "cancelled")
    run(store, said="", outcome="failed")
    assert store.spent(OWNER) == 0
    run(store, said="Once", outcome="failed")
    assert store.spent(OWNER) == 2


def test_a_vanished_answer_costs_what_was_kept_of_it(open_with: Open) -> None:
    store = open_with()
    sent = ask(store)
    store.begin(stream_of(sent))
    store.checkpoint({stream_of(sent): ("a" * 36, "")})
    assert store.settle_vanished(stream_of(sent), "Gone.")
    assert store.spent(OWNER) == 10


@pytest.mark.parametrize(("reported", "counted"), [(-5, 0), (10**12, 10**9)])
def test_a_report_that_cannot_be_is_not_believed(open_with: Open, reported: int, counted: int) -> None:
    store = open_with()
    run(store, total_tokens=reported)
    assert store.spent(OWNER) == counted


def test_who_erases_themselves_gives_nothing_back_to_all(open_with: Open) -> None:
    store = open_with(tokens_of_all=1_000)
    run(store, total_tokens=60)
    running = ask(store, content="q" * 40)
    store.begin(stream_of(running))
    store.checkpoint({stream_of(running): ("a" * 40, "")})
    store.erase(OWNER)
    assert (store.spent(OWNER), store.spent_by_all()) == (0, 80)


def test_who_signs_in_has_spent_what_the_browser_has_and_what_the_account_had(open_with: Open) -> None:
    store = open_with(tokens=100)
    profile = Profile("https://issuer.example", "ada", "Ada", "")
    account = store.sign_in(profile).account.owner
    run(store, account, total_tokens=40)
    run(store, total_tokens=60)
    store.sign_in(profile, browser=OWNER)
    assert (store.spent(OWNER), store.spent(account), store.spent_by_all()) == (0, 100, 100)


def test_what_was_spent_long_ago_is_forgotten(open_with: Open, clock: Clock, database_url: str) -> None:
    store = open_with()
    run(store, total_tokens=60)
    database = Database(database_url)
    clock.moment += timedelta(days=30)
    store.purge(timedelta(minutes=10))
    assert rows_of_spent(database) == 1
    clock.moment += timedelta(days=10)
    store.purge(timedelta(minutes=10))
    assert rows_of_spent(database) == 0
    database.close()


def test_who_erases_themselves_and_what_removes_the_old_wait_for_each_other_in_one_order(
    postgres: str, clock: Clock
) -> None:
    database_url = migrated(new_postgres(postgres))
    with (
        closing(open_store(database_url, now=clock)) as store,
        closing(Database(database_url)) as database,
        ThreadPoolExecutor(1) as pool,
    ):
        store.delete(OWNER, run(store, total_tokens=60).conversation_id)
        clock.moment += timedelta(days=40)
        with database.write() as session:
            session.scalars(touched_by(OWNER)).all()  # as `erase` begins
            purged = pool.submit(store.purge, timedelta(minutes=10))
            wait_until(lambda: session.scalar(WAITING), what="the other to wait for the conversation")
            spending.hand_over(session, OWNER, spending.NOBODY)
        assert purged.result(60) == 1


def test_what_removes_the_old_waits_for_nobody(postgres: str, clock: Clock) -> None:
    """Else it would hold what nobody has spent, and wait for what somebody hands over to nobody."""
    database_url = migrated(new_postgres(postgres))
    with closing(open_store(database_url, now=clock)) as store, closing(Database(database_url)) as database:
        for owner in (OWNER, STRANGER, "carol"):
            run(store, owner, total_tokens=60)
        store.erase("carol")
        clock.moment += timedelta(days=40)
        with database.write() as session, ThreadPoolExecutor(1) as pool:
            spending.hand_over(session, OWNER, "an account")
            assert pool.submit(store.purge, timedelta(minutes=10)).result(60) == 0
            spending.hand_over(session, STRANGER, spending.NOBODY)
        store.purge(timedelta(minutes=10))
        assert rows_of_spent(database) == 0


def test_two_who_erase_themselves_in_mid_answer_wait_for_each_other_in_one_order(postgres: str, clock: Clock) -> None:
    database_url = migrated(new_postgres(postgres))
    with (
        closing(open_store(database_url, now=clock)) as store,
        closing(Database(database_url)) as database,
        ThreadPoolExecutor(1) as pool,
    ):
        for owner in (OWNER, STRANGER):
            run(store, owner, total_tokens=60)
        clock.moment += timedelta(days=1)
        run(store, "carol", total_tokens=60)
        running = ask(store, content="q" * 40)
        store.begin(stream_of(running))
        with database.write() as session:
            spending.hand_over(session, STRANGER, spending.NOBODY)  # of yesterday
            erased = pool.submit(store.erase, OWNER)
            wait_until(lambda: session.scalar(WAITING), what="the other to wait for nobody's row of yesterday")
            spending.hand_over(session, "carol", spending.NOBODY)  # of today
        assert erased.result(60).stream_ids == [stream_of(running)]
        assert (store.spent(OWNER), store.spent_by_all()) == (0, 70)


def test_who_signs_in_and_erases_themselves_at_one_instant_is_not_kept_waiting(postgres: str, clock: Clock) -> None:
    database_url = migrated(new_postgres(postgres))
    profile = Profile("https://issuer.example", "ada", "Ada", "")
    with (
        closing(open_store(database_url, now=clock)) as store,
        closing(Database(database_url)) as database,
        ThreadPoolExecutor(1) as pool,
    ):
        account = store.sign_in(profile).account.owner
        link = store.share(account, store.create_conversation(account).id, Terms(discussion=True))
        store.add_remark(link.conversation_id, Visitor(OWNER, "Ada"), "Hm.", share_id=link.id)
        with database.write() as session:
            session.get_one(Account, (profile.issuer, profile.subject), with_for_update=True)  # as `sign_in` begins
            erased = pool.submit(store.erase, account)
            wait_until(lambda: session.scalar(WAITING), what="the other to wait for the account")
            assert accounts.take_along(session, OWNER, account)
        assert erased.result(60)
        assert store.account(account) is None


# --- settings


def test_the_allowance_is_read_from_the_environment() -> None:
    told = {"RUNNING_PER_IDENTITY": "3", "DAILY_TOKENS": "1000", "MAX_CONVERSATION": "none"}
    assert ConversationSettings.from_env(told).allowance == Allowance(running=3, tokens_of_all=1_000)
    assert ConversationSettings.from_env({"DAILY_TOKENS": ""}).allowance == DEFAULT_ALLOWANCE


@pytest.mark.parametrize("told", ["many", "-1", "0", "1.5", "²"])
def test_an_allowance_that_cannot_be_meant_is_named(told: str) -> None:
    with pytest.raises(ValueError, match="DAILY_TOKENS_PER_IDENTITY must be a whole number from 1, or none, not"):
        ConversationSettings.from_env({"DAILY_TOKENS_PER_IDENTITY": told})


# --- length


def test_a_conversation_that_has_grown_too_long_is_sent_no_further_but_its_shorter_branches_are(
    open_with: Open,
) -> None:
    store = open_with(conversation=50)
    talk = store.create_conversation(OWNER, system_prompt="s" * 10)
    first = ask(store, conversation=talk.id, content="q" * 20)
    store.begin(stream_of(first))
    assert end(store, first, "a" * 20)
    with pytest.raises(ConversationTooLong) as refused:
        ask(store, conversation=talk.id, content="q")
    assert (refused.value.length, refused.value.most) == (51, 50)
    assert len(store.conversation(OWNER, talk.id).messages) == 2
    again = store.edit(OWNER, first.question.id, "q" * 40, stream_id=new_stream(), model="a-model")
    assert again.created
