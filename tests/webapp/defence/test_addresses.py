"""Where a request is taken to come from."""

import pytest

from webapp.defence.addresses import client_address

PEER, CLIENT, LIE = "192.0.2.1", "198.51.100.7", "203.0.113.9"


@pytest.mark.parametrize(
    ("forwarded", "proxies", "counted"),
    [
        (None, 0, PEER),
        (None, 1, PEER),  # somebody came past the proxy
        (CLIENT, 0, PEER),  # without a proxy of ours, anybody may have written it
        (CLIENT, 1, CLIENT),
        (f"{LIE}, {CLIENT}", 1, CLIENT),
        (f"{LIE},{LIE} , {CLIENT}", 1, CLIENT),
        (f"{LIE}, {CLIENT}, 10.0.0.1", 2, CLIENT),
        (CLIENT, 2, PEER),
        ("", 1, PEER),
        ("unknown", 1, PEER),
        (f"{CLIENT}:4711", 1, CLIENT),
        ("[2001:db8:1:2::3]:4711", 1, "2001:db8:1:2::/64"),
    ],
)
def test_as_many_entries_are_believed_as_there_are_proxies(forwarded: str | None, proxies: int, counted: str) -> None:
    environ = {"REMOTE_ADDR": PEER} | ({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded is not None else {})
    assert client_address(environ, proxies) == counted


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        ("2001:db8:1:2::3", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::3", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),  # a unix socket
    ],
)
def test_an_ipv6_line_counts_as_one_however_many_addresses_it_has(peer: str, counted: str) -> None:
    assert client_address({"REMOTE_ADDR": peer}, 0) == counted
