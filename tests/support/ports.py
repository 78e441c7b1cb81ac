"""Where a server of a test can listen."""

import socket


def free_port() -> int:
    """A port of the loopback that nobody has, and that the system gives to nobody else for the next minute.

    Tests that run beside this one take ports too, and so does every connection. This one was used by a connection that
    its server has closed, so it is in TIME_WAIT: whoever asks for any port gets another, and whoever asks for this one
    with SO_REUSEADDR, as servers do, gets it.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        address: tuple[str, int] = server.getsockname()
        with socket.create_connection(address):
            server.accept()[0].close()
        return address[1]


def answers_at(port: int) -> bool:
    """Whether somebody listens at this port of the loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True
