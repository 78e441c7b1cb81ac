"""All that one can ask of history, and the promise of each answer.

Every method is one transaction with a session of its own, and hands out frozen records. What is not there and what is
someone else's raise the same NotFound. The work is done in history.py (reading), changes.py (the conversation as
a whole), shares.py, remarks.py, sends.py (asking), answers.py (answering) and titles.py (naming).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from conversations import accounts, answers, changes, history, remarks, sends, shares, spending, titles
from conversations.allowance import Allowance
from conversations.answers import Ending
from conversations.database import Database
from conversations.errors import Busy
from conversations.models import Conversation
from conversations.records import (
    AccountRecord,
    AnswerRecord,
    Beginning,
    Changed,
    ConversationRecord,
    Deleted,
    Erased,
    MessageRecord,
    Page,
    Profile,
    Queued,
    RemarkRecord,
    Sent,
    ShareRecord,
    SignedIn,
    Status,
    StreamRecord,
    Terms,
    Unnamed,
    Visitor,
)
from conversations.sends import Order
from conversations.settings import DEFAULT_POOL_SIZE
from conversations.text import clean_name, clean_title

P = ParamSpec("P")
T = TypeVar("T")

Run = Callable[[Callable[[], Any]], Any]
"""Executes a transaction, in whatever thread it likes, and returns what it returned."""


def here(transaction: Callable[[], T]) -> T:
    """A `Run` for a process of threads: a transaction may block the one that asks for it."""
    return transaction()


NO_LIMITS = Allowance()
PAGE_LIMIT = 200  # conversations on one page of the list, at most
KEY_LIMIT = 255  # characters of an idempotency key; a UUID has 36


def open_store(
    database_url: str,
    *,
    run_read: Run = here,
    run_write: Run = here,
    run: Run = here,
    pool_size: int = DEFAULT_POOL_SIZE,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    allowance: Allowance = NO_LIMITS,
) -> "Store":
    """The store in a database that `conversations.migrate` brought up to date. Open it after a fork, and close it.

    `run_read` and `run_write` execute what blocks its thread: every transaction on SQLite. `run` executes those that do
    not: on PostgreSQL. See greenlets.py.
    """
    database = Database(database_url, pool_size)
    if not database.blocks_its_thread:
        run_read = run_write = run
    return Store(database, run_read, run_write, now, allowance)


class Store:
    def __init__(
        self,
        database: Database,
        run_read: Run,
        run_write: Run,
        now: Callable[[], datetime],
        allowance: Allowance = NO_LIMITS,
    ) -> None:
        self._database = database
        self._run_read = run_read
        self._run_write = run_write
        self._now = now
        self._allowance = allowance

    # Conversations

    def create_conversation(self, owner: str, *, title: str = "", system_prompt: str = "") -> ConversationRecord:
        return self._write(changes.create, owner, clean_title(title), system_prompt, self._now())

    def list_conversations(self, owner: str, *, limit: int = 50, before: str | None = None, words: str = "") -> Page:
        """Newest activity first. `before` is the `next` of the page above. Raises InvalidCursor.

        With `words` only those in whose title or messages they stand, in capitals or not.
        """
        return self._read(history.page, owner, max(1, min(limit, PAGE_LIMIT)), before, words)

    def conversation(self, owner: str, conversation_id: str) -> ConversationRecord:
        """With the messages of the active path. Raises NotFound."""
        return self._read(history.conversation, owner, conversation_id)

    def all_messages(self, owner: str, conversation_id: str) -> list[MessageRecord]:
        """In all versions, oldest first. Raises NotFound."""
        return self._read(history.all_messages, owner, conversation_id)

    def change(
        self, owner: str, conversation_id: str, *, title: str | None = None, system_prompt: str | None = None
    ) -> ConversationRecord:
        """Give it another title or system prompt; None leaves it as it is. Raises NotFound."""
        named = None if title is None else clean_title(title)
        return self._write(changes.change, owner, conversation_id, named, system_prompt)

    def delete(self, owner: str, conversation_id: str) -> Deleted:
        """From now on nobody finds it, by a share neither; until it is purged it can be restored. Raises NotFound."""
        return self._write(changes.delete, owner, conversation_id, self._now())

    def restore(self, owner: str, conversation_id: str) -> ConversationRecord:
        """Take a deletion back. Raises NotFound, also when it was purged."""
        return self._write(changes.restore, owner, conversation_id)

    def purge(self, older_than: timedelta) -> int:
        """Remove for good what was deleted so long ago, some at a time; return how many conversations that were."""
        return self._write(changes.purge, self._now() - older_than)

    def erase(self, person: str) -> Erased:
        """Remove at once and for good all that is a person's, their account too, and their name and remarks in what is
        others'."""
        return self._write(changes.erase, person, self._now())

    def select_version(self, owner: str, message_id: str) -> ConversationRecord:
        """Make the branch through this message, down to its newest leaf, the active path. Raises NotFound."""
        return self._write(changes.select_version, owner, message_id)

    # Accounts

    def sign_in(self, profile: Profile, *, browser: str = "") -> SignedIn:
        """The account of whoever a provider vouches for, made now if there is none. What was the browser's, an owner
        that is no account, becomes the account's. As often as one likes."""
        try:
            return self._write(accounts.sign_in, profile, browser, self._now())
        except IntegrityError:  # somebody made it an instant earlier: now it is there
            return self._write(accounts.sign_in, profile, browser, self._now())

    def take_along(self, browser: str, owner: str) -> list[Changed]:
        """As `sign_in` does: once more, for what came meanwhile. `owner` is an account."""
        return self._write(accounts.take_along, browser, owner)

    def account(self, owner: str) -> AccountRecord | None:
        """The account that this owner is; None: somebody who has not signed in."""
        return self._read(accounts.account, owner)

    # Sharing

    def share(self, owner: str, conversation_id: str, terms: Terms) -> ShareRecord:
        """Make a link. Raises NotFound."""
        return self._write(shares.share, owner, conversation_id, terms, self._now())

    def revoke(self, owner: str, share_id: str) -> ShareRecord:
        """From now on the link lets nobody in. Raises NotFound."""
        return self._write(shares.revoke, owner, share_id, self._now())

    def shared(self, share_id: str) -> ShareRecord:
        """A link that lets one in. Raises NotFound, ShareOver."""
        return self._read(shares.shared, share_id, self._now())

    def good_shares(self, share_ids: Sequence[str]) -> set[str]:
        """Those of them that let one in."""
        return self._read(shares.good_among, share_ids, self._now())

    def shared_conversation(self, share_id: str) -> ConversationRecord:
        """What the link leads to, whole: it is for the caller to leave out what is not shared. As `shared`."""
        return self._read(shares.conversation, share_id, self._now())

    def shared_stream(self, stream_id: str, share_id: str) -> StreamRecord:
        """What is known of a stream of the shared conversation. As `shared`."""
        return self._read(shares.stream, stream_id, share_id, self._now())

    # The discussion. The caller has checked that this is a conversation, or a share, of whoever asks.

    def remarks(self, conversation_id: str, *, after: int = 0) -> list[RemarkRecord]:
        """What was said, or removed, after the change of this number: at most `remarks.PART` of them."""
        return self._read(remarks.changes, conversation_id, after)

    def add_remark(
        self, conversation_id: str, visitor: Visitor, content: str, *, share_id: str | None = None
    ) -> RemarkRecord:
        """By a share if one is named, else by the owner. Raises NotFound, DiscussionFull, ShareOver, NotShared."""
        named = Visitor(visitor.id, clean_name(visitor.name))
        return self._write(remarks.add, conversation_id, named, content, share_id, self._now())

    def remove_remark(self, person: str, conversation_id: str, remark_id: str) -> RemarkRecord:
        """For whoever owns the conversation or made the remark. Raises NotFound."""
        return self._write(remarks.remove, person, conversation_id, remark_id, self._now())

    # Asking. Each raises NotFound, Busy, KeyReused, and ValueError for a key that is too long; and what is beyond the
    # allowance: TooManyRunning, OutOfTokens, ConversationTooLong.

    def send(
        self,
        owner: str,
        conversation_id: str,
        content: str,
        *,
        stream_id: str,
        model: str,
        idempotency_key: str | None = None,
    ) -> Sent:
        """Add a question to the active path, and a queued answer. The first question names a nameless conversation."""
        order = self._order(owner, stream_id, model, idempotency_key)
        return self._once(order, sends.send, conversation_id, content)

    def ask(
        self,
        share_id: str,
        visitor: Visitor,
        content: str,
        *,
        stream_id: str,
        model: str,
        idempotency_key: str | None = None,
    ) -> Sent:
        """As `send`, by somebody who came by a share. Raises ShareOver, NotShared too."""
        order = self._order(visitor.id, stream_id, model, idempotency_key)
        return self._once(order, sends.ask, share_id, Visitor(visitor.id, clean_name(visitor.name)), content)

    def edit(
        self,
        owner: str,
        message_id: str,
        content: str,
        *,
        stream_id: str,
        model: str,
        idempotency_key: str | None = None,
    ) -> Sent:
        """Ask a question anew in other words: a version beside it, with an answer. Raises WrongRole for an answer."""
        order = self._order(owner, stream_id, model, idempotency_key)
        return self._once(order, sends.edit, message_id, content)

    def regenerate(
        self, owner: str, message_id: str, *, stream_id: str, model: str, idempotency_key: str | None = None
    ) -> Sent:
        """Have a question answered anew: a version beside this answer. Raises WrongRole for a question."""
        order = self._order(owner, stream_id, model, idempotency_key)
        return self._once(order, sends.regenerate, message_id)

    def continue_(
        self, owner: str, message_id: str, *, stream_id: str, model: str, idempotency_key: str | None = None
    ) -> Sent:
        """Have an answer gone on with: a version beside it that begins with its text. Raises WrongRole for a question,
        NothingToContinue for an answer without text."""
        order = self._order(owner, stream_id, model, idempotency_key)
        return self._once(order, sends.continue_, message_id)

    def was_sent(self, person: str, idempotency_key: str) -> bool:
        """Whether asking by this person with this key would find what was asked before, and begin nothing."""
        return self._read(sends.was_sent, person, idempotency_key)

    def withdraw(self, stream_id: str) -> bool:
        """Undo a send that could not be enqueued, as if it never was. False: it was begun or settled, and stays."""
        return self._write(sends.withdraw, stream_id)

    # Answering

    def begin(self, stream_id: str) -> Beginning:
        """A worker begins: what to ask the model. As often as one likes.

        From now on the send cannot be withdrawn; one that was withdrawn or deleted before is NotFound.
        """
        return self._write(answers.begin, stream_id)

    def checkpoint(self, texts: Mapping[str, tuple[str, str]]) -> None:
        """Keep the text and the reasoning that there are so far, of each of these streams, in case they are lost.

        Nothing happens to an answer that is settled.
        """
        self._write(answers.checkpoint, texts)

    def save_answer(
        self,
        stream_id: str,
        *,
        text: str,
        reasoning: str,
        outcome: str,
        reason: str | None,
        usage: dict[str, int] | None,
    ) -> Changed | None:
        """Keep the whole answer, end it, and free the conversation. None: it was settled before, or deleted."""
        ending = Ending(Status(outcome), reason, self._now(), text, reasoning, usage)
        return self._write(answers.settle, stream_id, ending)

    def settle_vanished(self, stream_id: str, reason: str) -> Changed | None:
        """Its stream is gone: end it as interrupted, with its last checkpoint. None: as with `save_answer`."""
        return self._write(answers.settle, stream_id, Ending(Status.INTERRUPTED, reason, self._now()))

    # Spending

    def spent(self, person: str) -> int:
        """The model tokens that a person has used today (UTC)."""
        return self._read(spending.of, person, self._now())

    def spent_by_all(self) -> int:
        """Those of all together, of people who are gone by now, too."""
        return self._read(spending.of_all, self._now())

    # Naming

    def unnamed(self, stream_id: str) -> Unnamed | None:
        """What to make a title of, once this answer is saved. None unless it is the first that finished in its
        conversation, and the title is still the provisional one."""
        return self._read(titles.unnamed, stream_id)

    def name(self, conversation_id: str, title: str, *, instead_of: str) -> Changed | None:
        """Give it this title if it still has that one. None: it has another title, or is deleted."""
        return self._write(titles.name, conversation_id, clean_title(title), instead_of)

    # News

    def versions(self, conversation_ids: Sequence[str], *, owner: str | None = None) -> dict[str, int]:
        """The versions of those that exist and, if `owner` is given, are theirs."""
        return self._read(history.versions, conversation_ids, owner)

    def standings(self, conversation_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
        """The versions of those that exist, and how many changes their discussions have seen."""
        return self._read(history.standings, conversation_ids)

    # Streams

    def stream(self, stream_id: str, owner: str) -> StreamRecord:
        """What is known of a stream of this owner's. Raises NotFound."""
        return self._read(answers.stream, stream_id, owner)

    def saved_text(self, stream_id: str) -> str:
        """The answer as it was saved. The caller has checked that it may be read. Raises NotFound."""
        return self._read(answers.saved_text, stream_id)

    def queued(self, stream_id: str) -> Queued | None:
        """An answer that no worker has begun; None where one has, or where it is no more."""
        return self._read(answers.queued, stream_id)

    def streams_in_flight(self) -> list[str]:
        """Every stream that a conversation waits for, longest wait first: for whoever looks which of them vanished."""
        return self._read(answers.all_in_flight)

    def answers_of(self, stream_ids: Sequence[str]) -> dict[str, AnswerRecord]:
        """Those of these streams' answers that exist, without their words: for whoever runs the service."""
        return self._read(answers.of_streams, stream_ids)

    # The store itself

    def ping(self) -> None:
        """Raise sqlalchemy.exc.SQLAlchemyError unless the database answers and has our tables."""
        self._read(lambda session: session.execute(select(Conversation.id).limit(1)).all())

    def close(self) -> None:
        self._database.close()

    def _order(self, owner: str, stream_id: str, model: str, idempotency_key: str | None) -> Order:
        if idempotency_key is not None and len(idempotency_key) > KEY_LIMIT:
            raise ValueError(f"an idempotency key has at most {KEY_LIMIT} characters, this one {len(idempotency_key)}")
        return Order(owner, stream_id, model, idempotency_key, self._now(), self._allowance)

    def _once(
        self, order: Order, ask: Callable[Concatenate[Session, Order, P], Sent], *args: P.args, **kwargs: P.kwargs
    ) -> Sent:
        """Ask; and if the same order got in an instant earlier, be that one."""
        try:
            return self._write(ask, order, *args, **kwargs)
        except (Busy, IntegrityError):
            if order.idempotency_key is None:
                raise
        # What was in the way is committed by now. If it was this very order, its key finds it; else this raises again.
        return self._write(ask, order, *args, **kwargs)

    def _read(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return _transact(self._run_read, self._database.read, lambda session: work(session, *args, **kwargs))

    def _write(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return _transact(self._run_write, self._database.write, lambda session: work(session, *args, **kwargs))


def _transact(run: Run, begin: Callable[[], AbstractContextManager[Session]], work: Callable[[Session], T]) -> T:
    def transaction() -> T | _Raised:
        try:
            with begin() as session:
                return work(session)
        except Exception as error:  # noqa: BLE001 - raised below, where the caller is
            return _Raised(error)

    outcome: T | _Raised = run(transaction)
    if isinstance(outcome, _Raised):
        raise outcome.error
    return outcome


@dataclass(frozen=True, slots=True)
class _Raised:
    """An exception on its way through `run`. A value, since gevent's thread pool prints those raised in it."""

    error: Exception
