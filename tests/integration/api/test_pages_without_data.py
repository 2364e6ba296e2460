"""Every page of a service that knows nothing yet: it says so, and praises nothing."""

from __future__ import annotations

from cloud_api.pages.contents import PAGES
from tests.integration.api.serving import client, served


def test_pages_say_that_there_is_nothing_yet(plain_database: str) -> None:
    paths = [page.path for page in PAGES if "{" not in page.path and page.path != "/plant/differences"]
    with served(plain_database) as address, client(address) as http:
        pages = {path: http.get(path, headers={"Accept": "text/html"}) for path in paths}
    assert {path: page.status_code for path, page in pages.items() if page.status_code != 200} == {}
    assert "can be believed" not in pages["/trust"].text
    assert "Nothing to judge yet" in pages["/trust"].text
    assert "No line yet" in pages["/floor"].text
