"""Which models there are, as a worker says it to whoever takes questions."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from streams import Offer, connect, keys, read_offer
from streams.offer import OFFER_KEPT
from tests.support.waiting import wait_until
from tests.workers.bench import PATIENCE, QUEUE, Bench
from tests.workers.test_openai_chat import source
from workers.offering import Offering

pytestmark = pytest.mark.timeout(300)

NOBODY = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def nothing_said(bench: Bench) -> Iterator[None]:
    bench.redis.delete(keys.offer(QUEUE))
    yield
    bench.model.lists([{"id": "scripted"}])


def say(bench: Bench, base_url: str, only: Sequence[str] = ()) -> bool:
    with source(base_url) as chat, closing(connect(bench.redis_server.url)) as client:
        return Offering(chat, client, QUEUE, "the-default", only).say()


def test_a_worker_says_what_its_model_server_lists(bench: Bench) -> None:
    bench.model.lists([{"id": "small"}, {"id": "large"}])
    with bench.worker(OPENAI_MODEL="small"):
        offer = wait_until(lambda: read_offer(bench.redis, QUEUE), PATIENCE, "the models")
    assert offer == Offer("small", ("large", "small"))


def test_a_worker_with_a_list_of_its_own_says_that_in_its_order(bench: Bench) -> None:
    with bench.worker(OPENAI_MODELS="one, two,one ,"):
        offer = wait_until(lambda: read_offer(bench.redis, QUEUE), PATIENCE, "the models")
    assert offer == Offer("one", ("one", "two"))


def test_a_listing_that_fails_keeps_the_last_and_keeps_it_longer(bench: Bench) -> None:
    assert say(bench, bench.model.base_url)
    bench.redis.expire(keys.offer(QUEUE), 5)
    assert not say(bench, NOBODY)
    assert read_offer(bench.redis, QUEUE) == Offer("the-default", ("scripted",))
    assert OFFER_KEPT - 60 < bench.redis.ttl(keys.offer(QUEUE)) <= OFFER_KEPT


def test_where_nothing_was_ever_listed_nothing_is_said_unless_the_operator_has(bench: Bench) -> None:
    assert not say(bench, NOBODY)
    assert read_offer(bench.redis, QUEUE) is None
    assert not say(bench, NOBODY, ["one"])
    assert read_offer(bench.redis, QUEUE) == Offer("the-default", ("one",))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"default": "a"}', '{"default": "a", "models": 7}'])
def test_what_cannot_be_read_counts_as_nothing(bench: Bench, text: str) -> None:
    bench.redis.set(keys.offer(QUEUE), text)
    assert read_offer(bench.redis, QUEUE) is None
