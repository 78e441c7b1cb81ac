"""What the page says of a click, so that whoever runs this finds all that came of it."""

import re

from tests.browser.stage import Person, Stack


def test_a_wish_of_the_page_has_one_id_from_the_click_to_the_models_server(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": ["Here I am."]})
    visit = person.visit()
    with visit.page.expect_request(lambda request: request.url.endswith("/messages")) as sent:
        visit.ask("Are you there?")
    visit.wait_for_text("Here I am.")
    headers = sent.value.headers
    wish = headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", wish)
    assert headers["idempotency-key"] == wish
    assert headers["traceparent"] == f"00-{wish}-{wish[:16]}-01"
    response = sent.value.response()
    assert response is not None
    assert response.headers["x-request-id"] == wish
    [asked] = person.requests()
    assert asked["headers"]["x-request-id"] == wish
