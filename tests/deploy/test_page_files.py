"""What a browser gets of the built page, from a real server: the smallest that it takes, and nothing twice."""

import gzip
import re
import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path

import pytest

from development.node import path_with_node
from tests.support.database import migrated, new_sqlite
from tests.support.redis_server import running_redis
from tests.support.slug import Slug
from tests.support.web_process import WebProcess, running_web

UNPACK = "process.stdout.write(require('zlib').brotliDecompressSync(require('fs').readFileSync(0)))"

pytestmark = pytest.mark.timeout(600)  # builds the page


@pytest.fixture(scope="module")
def page(slug: Slug) -> Path:
    return slug.folder / "frontend" / "dist"


@pytest.fixture(scope="module")
def web(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    folder = tmp_path_factory.mktemp("page")
    url, shown = migrated(new_sqlite(folder)), {"PAGE_FOLDER": str(page)}
    with (
        running_redis() as redis,
        running_web(redis_url=redis.url, database_url=url, log=folder / "web.log", environment=shown) as process,
    ):
        yield process


@pytest.fixture(scope="module")
def script(page: Path) -> str:
    """The path of what the document loads first."""
    found = re.search(r'src="(/assets/[^"]+\.js)"', (page / "index.html").read_text())
    assert found
    return found[1]


def get(web: WebProcess, path: str, **headers: str) -> tuple[int, HTTPMessage, bytes]:
    connection = HTTPConnection("127.0.0.1", web.port, timeout=60)
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def test_a_browser_gets_the_smallest_that_it_takes(web: WebProcess, page: Path, script: str) -> None:
    plain = (page / script[1:]).read_bytes()
    _, headers, as_it_is = get(web, script, Accept_Encoding="identity")
    assert (headers["Content-Encoding"], as_it_is) == (None, plain)
    _, headers, zipped = get(web, script, Accept_Encoding="gzip, deflate")
    assert (headers["Content-Encoding"], gzip.decompress(zipped)) == ("gzip", plain)
    _, headers, smallest = get(web, script, Accept_Encoding="gzip, deflate, br, zstd")
    assert (headers["Content-Encoding"], unpacked(smallest)) == ("br", plain)
    assert len(smallest) < len(zipped) < len(plain) / 2


def test_whatever_keeps_it_on_the_way_is_told_that_there_are_several(web: WebProcess, script: str) -> None:
    for taken in ("identity", "gzip", "br"):
        assert get(web, script, Accept_Encoding=taken)[1]["Vary"] == "Accept-Encoding"


def test_hashed_files_are_kept_for_ever_and_the_document_is_asked_for_each_time(web: WebProcess, script: str) -> None:
    assert get(web, script)[1]["Cache-Control"] == "max-age=315360000, public, immutable"
    assert get(web, "/")[1]["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("taken", ["identity", "br"])
def test_what_a_browser_has_already_is_not_sent_again(web: WebProcess, script: str, taken: str) -> None:
    for path in ("/", script):
        tag = get(web, path, Accept_Encoding=taken)[1]["ETag"]
        status, _, body = get(web, path, Accept_Encoding=taken, If_None_Match=tag)
        assert (status, body) == (304, b"")


def test_every_file_that_is_worth_it_has_its_copies_and_the_document_has_none(page: Path) -> None:
    copies = {path.relative_to(page).as_posix() for path in page.rglob("*") if path.suffix in {".br", ".gz"}}
    texts = [
        path for path in (page / "assets").iterdir() if path.suffix in {".js", ".css"} and path.stat().st_size > 500
    ]
    assert copies >= {f"assets/{path.name}{suffix}" for path in texts for suffix in (".br", ".gz")}
    assert not [copy for copy in copies if copy.startswith("index.html")]


def unpacked(brotli: bytes) -> bytes:
    """Python has no Brotli; Node, which packed it, has."""
    node = subprocess.run(
        ["node", "-e", UNPACK], input=brotli, capture_output=True, check=True, env={"PATH": path_with_node()}
    )
    return node.stdout
