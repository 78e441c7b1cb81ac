"""Samples are taken when it is time, by one of all who could."""

import redis

from telemetry.history import DAY, HOUR, Ring, Sample, Sampler, read_samples


def measure(ring: Ring) -> Sample:
    return Sample(1000.0, {"viewers": 3}, {"ended": 5 if ring is DAY else 4})


def test_of_all_who_could_take_a_sample_one_does(client: "redis.Redis") -> None:
    for sampler in [Sampler(client, measure) for _ in range(3)]:
        sampler.look()
        sampler.look()
    assert read_samples(client, HOUR, 60) == [measure(HOUR)]
    assert read_samples(client, DAY, 60) == [measure(DAY)]


def test_the_next_one_is_taken_when_it_is_time(client: "redis.Redis") -> None:
    Sampler(client, measure).look()
    assert 0 < client.pttl(f"{HOUR.key}:turn") < HOUR.every * 1000
    client.delete(f"{HOUR.key}:turn")
    Sampler(client, lambda _: Sample(1010.0, {}, {})).look()
    assert [sample.at for sample in read_samples(client, HOUR, 60)] == [1000.0, 1010.0]


def test_a_ring_holds_so_many_and_ends_by_itself(client: "redis.Redis") -> None:
    client.lpush(HOUR.key, *["old"] * (HOUR.length + 5))
    Sampler(client, measure).look()
    assert client.llen(HOUR.key) == HOUR.length
    assert 0 < client.ttl(HOUR.key) <= HOUR.every * HOUR.length
    assert read_samples(client, HOUR, 3600) == [measure(HOUR)], "what is none is passed over"


def test_only_those_of_the_time_that_is_asked_for_are_read(client: "redis.Redis") -> None:
    for at in range(10):
        client.delete(f"{HOUR.key}:turn")
        Sampler(client, lambda _, at=at: Sample(at * 10.0, {}, {})).look()  # type: ignore[misc]
    assert [sample.at for sample in read_samples(client, HOUR, 30)] == [60.0, 70.0, 80.0, 90.0]
