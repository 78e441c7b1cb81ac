"""Any history of sends, edits, regenerations, choices and endings: the store shows what a simple model of it shows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from conversations import Busy, Changed, Sent, Store
from tests.conversations.conftest import OWNER, new_stream, stream_of

TEXTS = st.sampled_from(["Why?", "And then?", "nul \0", "half \ud83d", "🌧️", ""])


def stored(text: str) -> str:
    return text.replace("\0", "�").replace("\ud83d", "�")


@dataclass
class Said:
    """A message as the model knows it."""

    id: str
    above: str | None
    content: str
    status: str


class History(RuleBasedStateMachine):
    """The model: all messages in the order they came, the last of the active path, what is in flight."""

    store: ClassVar[Store]

    def __init__(self) -> None:
        super().__init__()
        self.conversation_id = self.store.create_conversation(OWNER, title="Title").id
        self.said: list[Said] = []
        self.head: str | None = None
        self.head_before: str | None = None
        self.flying: Sent | None = None
        self.version = 1

    # What a person does

    @rule(content=TEXTS)
    def send(self, content: str) -> None:
        self.ask(self.head, content, lambda stream: self.store.send(
            OWNER, self.conversation_id, content, stream_id=stream, model="m"
        ))  # fmt: skip

    @precondition(lambda self: self.said)
    @rule(data=st.data(), content=TEXTS)
    def edit(self, data: st.DataObject, content: str) -> None:
        question = data.draw(st.sampled_from([each for each in self.said if each.status == "complete"]))
        self.ask(question.above, content, lambda stream: self.store.edit(
            OWNER, question.id, content, stream_id=stream, model="m"
        ))  # fmt: skip

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def regenerate(self, data: st.DataObject) -> None:
        answer = data.draw(st.sampled_from([each for each in self.said if each.status != "complete"]))
        self.ask(answer.above, None, lambda stream: self.store.regenerate(
            OWNER, answer.id, stream_id=stream, model="m"
        ))  # fmt: skip

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def select(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(self.said)).id
        below = [each.id for each in self.said if chosen in self.path(each.id)]
        leaf = [each for each in below if not any(other.above == each for other in self.said)][-1]
        self.version += leaf != self.head
        self.head = leaf
        assert self.store.select_version(OWNER, chosen).version == self.version

    # What becomes of the answer

    @precondition(lambda self: self.flying)
    @rule()
    def begin(self) -> None:
        queued = self.answer.status == "queued"
        self.version += queued
        self.answer.status = "running"
        changed = Changed(self.conversation_id, self.version, OWNER)
        assert self.store.begin(self.stream).changed == (changed if queued else None)

    @precondition(lambda self: self.flying)
    @rule(text=TEXTS)
    def checkpoint(self, text: str) -> None:
        self.store.checkpoint({self.stream: (text, "")})
        self.answer.content = stored(text)

    @precondition(lambda self: self.flying)
    @rule(text=TEXTS, outcome=st.sampled_from(["finished", "failed", "cancelled", "interrupted"]))
    def save(self, text: str, outcome: str) -> None:
        assert self.store.save_answer(self.stream, text=text, reasoning="", outcome=outcome, reason=None, usage=None)
        if not self.answer.content.startswith(stored(text)):
            self.answer.content = stored(text)
        self.settled(outcome)

    @precondition(lambda self: self.flying)
    @rule()
    def vanish(self) -> None:
        assert self.store.settle_vanished(self.stream, "gone")
        self.settled("interrupted")

    @precondition(lambda self: self.flying)
    @rule()
    def withdraw(self) -> None:
        assert self.flying
        undone = self.answer.status == "queued"
        assert self.store.withdraw(self.stream) is undone
        if undone:
            answer = self.answer
            if self.head == answer.id:
                self.head = self.head_before
            self.said.remove(answer)
            if not any(each.above == answer.above for each in self.said):
                self.said = [each for each in self.said if each.id != answer.above]
            self.flying = None
            self.version += 1

    # The store shows it

    @invariant()
    def the_active_path_is_shown(self) -> None:
        shown = self.store.conversation(OWNER, self.conversation_id)
        by_id = {each.id: each for each in self.said}
        path = [by_id[each] for each in self.path(self.head)]
        assert shown.version == self.version
        assert shown.generating == (self.stream if self.flying else None)
        assert [(each.id, each.content, each.status) for each in shown.messages] == [
            (each.id, each.content, each.status) for each in path
        ]
        for message in shown.messages:
            siblings = [each.id for each in self.said if each.above == message.parent_id]
            assert list(message.versions) == siblings

    @precondition(lambda self: self.flying and self.answer.status == "running")
    @invariant()
    def the_prompt_is_what_stands_above_the_answer(self) -> None:
        by_id = {each.id: each for each in self.said}
        above = [by_id[each] for each in self.path(self.answer.above)]
        expected = [each.content for each in above if each.status == "complete" or each.content]
        assert [message["content"] for message in self.store.begin(self.stream).prompt.messages] == expected

    # The model itself

    @property
    def stream(self) -> str:
        assert self.flying
        return stream_of(self.flying)

    @property
    def answer(self) -> Said:
        assert self.flying
        return next(each for each in self.said if self.flying and each.id == self.flying.answer.id)

    def path(self, message_id: str | None) -> list[str]:
        above = {each.id: each.above for each in self.said}
        path: list[str] = []
        while message_id is not None:
            path.insert(0, message_id)
            message_id = above[message_id]
        return path

    def ask(self, above: str | None, content: str | None, how: Callable[[str], Sent]) -> None:
        """Ask for an answer: to the question `above`, or to a new one with this content below it."""
        if self.flying:
            with pytest.raises(Busy) as refusal:
                how(new_stream())
            assert refusal.value.stream_id == self.stream
            return
        sent = how(new_stream())
        if content is not None:
            self.said.append(Said(sent.question.id, above, stored(content), "complete"))
        self.said.append(Said(sent.answer.id, sent.question.id, "", "queued"))
        self.head_before, self.head = self.head, sent.answer.id
        self.flying = sent
        self.version += 1

    def settled(self, status: str) -> None:
        self.answer.status = status
        self.flying = None
        self.version += 1


def test_any_history_is_shown_as_it_was(store: Store) -> None:
    machine = type("HistoryInThisStore", (History,), {"store": store})
    few = settings(
        max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    run_state_machine_as_test(machine, settings=few)
