"""Where a request comes from, as far as that can be known.

Rule: whoever asks can write what they like into X-Forwarded-For. Each proxy adds, at its end, by whom it was asked; so
only as many entries from the end are believed as there are proxies of ours in front.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Any

IPV6_PREFIX = 64  # bits; what one line, and so one person, has at least: their machines pick the rest as they like


def client_address(environ: Mapping[str, Any], trusted_proxies: int) -> str:
    """By what to count whoever sent a WSGI request: an IPv4 address, or the /64 network of an IPv6 one.

    Empty where it is not known: behind a unix socket without a trusted proxy.
    """
    hops = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
    told = hops[-trusted_proxies] if 0 < trusted_proxies <= len(hops) else ""
    return _counted(told) or _counted(environ.get("REMOTE_ADDR", ""))  # what came past our proxies has too few


def _counted(text: str) -> str:
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]  # [2001:db8::1]:4711
    elif host.count(":") == 1:
        host = host.partition(":")[0]  # 192.0.2.1:4711
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((address, IPV6_PREFIX), strict=False))
