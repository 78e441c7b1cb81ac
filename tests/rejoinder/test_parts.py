"""The small parts: addresses, patience, what a terminal may see, what is kept of an identity."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.api import parsed_cookie, seconds_of
from rejoinder.errors import Unreachable
from rejoinder.following import AWAY, turn
from rejoinder.identities import Identities, Identity
from rejoinder.patience import Patience
from rejoinder.places import Place
from rejoinder.secrecy import secrets_in, shown_url, without
from rejoinder.terminal import harmless, one_line
from rejoinder.words import duration, size


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://host/s/aB-_9", Place("https://host", share="aB-_9")),
        ("http://host:8000/c/abc/", Place("http://host:8000", conversation="abc")),
        ("https://host/api/streams/st_1", Place("https://host", stream="st_1")),
        ("https://host/api/streams/st_1?share=x&y=1", Place("https://host", share="x", stream="st_1")),
        ("https://host/under/here/s/abc#top", Place("https://host/under/here", share="abc")),
        ("https://[::1]:8000/s/abc", Place("https://[::1]:8000", share="abc")),
    ],
)
def test_an_address_is_read(url: str, place: Place) -> None:
    assert Place.parse(url) == place


@pytest.mark.parametrize(
    "url", ["host/s/abc", "ftp://host/s/abc", "https:///s/abc", "https://host/", "https://host/s/a b", "https://[x/s/a"]
)
def test_an_address_that_leads_nowhere_is_told_what_would_be_right(url: str) -> None:
    with pytest.raises(ValueError, match="expected https://host/s/"):
        Place.parse(url)


def patience(seconds: float, said: list[str], slept: list[float]) -> Patience:
    """Whose time passes only while it sleeps."""
    return Patience(seconds, said.append, random=lambda: 1.0, clock=lambda: sum(slept), sleep=slept.append)


def test_pauses_double_up_to_half_a_minute_and_begin_anew_after_what_worked() -> None:
    slept: list[float] = []
    waiting = patience(1e6, [], slept)
    for _ in range(8):
        waiting.wait("Away")
    assert slept == [0.5, 1, 2, 4, 8, 16, 30, 30]
    waiting.worked()
    waiting.wait("Away")
    assert slept[-1] == 0.5


def test_a_server_that_restarts_or_asks_for_time_is_given_it() -> None:
    slept: list[float] = []
    waiting = patience(1e6, [], slept)
    waiting.wait("Restarts", spread=2)
    waiting.wait("Restarts", asked=1.4, spread=0)
    waiting.wait("Busy", asked=20)
    assert slept == [2, 1.4, 22]


def test_patience_ends_with_a_sentence() -> None:
    said: list[str] = []
    waiting = patience(3, said, [])
    waiting.wait("Nobody is there")
    waiting.wait("Nobody is there")
    with pytest.raises(Unreachable, match=r"Nobody is there. Given up after 1.5 s."):
        waiting.wait("Nobody is there")
    assert said == ["Nobody is there; trying again in 0.5 s.", "Nobody is there; trying again in 1.0 s."]


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left_and_all_else_is_as_it_was(text: str) -> None:
    shown = harmless(text)
    assert len(shown) == len(text)
    for before, after in zip(text, shown, strict=True):
        code = ord(before)
        obeyed = (code < 0x20 and before not in "\n\t") or 0x7F <= code < 0xA0
        reorders = 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069
        assert (after != before) == (obeyed or reorders)
        assert ord(after) >= 0x20 or after in "\n\t"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"ahead": 2}, "In the queue: 2 come before it."),
        ({"ahead": 0, "away": False}, "It is next."),
        ({"ahead": None, "away": False}, "It waits for its turn."),
        ({"ahead": 2, "away": True}, AWAY),
        ({"ahead": None, "away": True}, AWAY),
    ],
)
def test_whose_turn_it_is_is_told_also_by_a_server_that_says_less(said: dict[str, object], words: str) -> None:
    assert turn({"type": "queue", "stream": "st", **said}) == words


def test_a_sentence_is_one_line() -> None:
    assert one_line("a\r\n b\x1b[2J\u2028c") == "a b␛[2J c"


def test_secrets_are_found_by_the_names_of_variables_and_in_urls() -> None:
    environ = {
        "SECRET_KEY": "first-of-two, second-of-two",
        "REDIS_URL": "redis://ada:p%40ss-word@host/0",
        "ADMIN_PASSWORD": "x",  # too short to be told from words
        "PORT": "8000",
    }
    found = secrets_in(environ)
    assert without(found, "first-of-two p%40ss-word p@ss-word 8000 x second-of-two") == "••• ••• ••• 8000 x •••"
    assert shown_url(environ["REDIS_URL"] + "?password=x") == "redis://ada@host/0"


def test_a_cookie_is_a_value_or_what_a_browser_sends() -> None:
    assert parsed_cookie("eyJvIjo.aB.c_d-e") == {"rejoinder": "eyJvIjo.aB.c_d-e"}
    assert parsed_cookie("rejoinder=abc.d; other=1") == {"rejoinder": "abc.d", "other": "1"}
    assert parsed_cookie("") == {}


def test_retry_after_is_seconds_or_nothing() -> None:
    assert [seconds_of(value) for value in ("2", "", None, "soon", "Mon, 30 Nov 2026 10:00:00 GMT")] == [2, *[None] * 4]


def test_an_identity_is_kept_for_its_server_and_read_by_nobody_else(tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    identities = Identities(folder)
    assert identities.at("http://a") is None
    identities.keep("http://a", Identity("rejoinder=1", "c1"))
    identities.keep("http://b", Identity("rejoinder=2"))
    identities.keep("http://a", Identity("rejoinder=3", "c2"))
    assert Identities(folder).at("http://a") == Identity("rejoinder=3", "c2")
    assert Identities(folder).at("http://b") == Identity("rejoinder=2")
    [file] = folder.iterdir()
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(folder.stat().st_mode)) == (0o600, 0o700)


@pytest.mark.parametrize("nonsense", ["", "[]", "no json", '{"http://a": 3}', '{"http://a": {}}'])
def test_a_file_of_identities_that_is_none_is_as_if_there_were_none(tmp_path: Path, nonsense: str) -> None:
    (tmp_path / "identities.json").write_text(nonsense)
    assert Identities(tmp_path).at("http://a") is None


def test_numbers_are_told_as_people_read_them() -> None:
    assert [duration(each) for each in (0, 9.94, 41.4, 125, 3600, 12_000, 190_000)] == [
        "0.0 s",
        "9.9 s",
        "41 s",
        "2 min 5 s",
        "1 h",
        "3 h 20 min",
        "2 d 4 h",
    ]
    assert [size(each) for each in (0, 1023, 1024, 30_000, 2**21, 2**40)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "29 KiB",
        "2.0 MiB",
        "1024 GiB",
    ]
