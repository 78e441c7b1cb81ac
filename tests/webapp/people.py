"""What a person does, in one line each."""

from typing import Any

from flask.testing import FlaskClient

Json = dict[str, Any]


def send(client: FlaskClient, conversation: str, content: str = "Why?", key: str | None = None) -> Json:
    """Send a message; returns what was sent."""
    headers = {"Idempotency-Key": key} if key else {}
    response = client.post(f"/api/conversations/{conversation}/messages", json={"content": content}, headers=headers)
    assert response.status_code == 202, response.text
    return dict(response.get_json())


def read(client: FlaskClient, conversation: str) -> Json:
    """Open a conversation."""
    response = client.get(f"/api/conversations/{conversation}")
    assert response.status_code == 200, response.text
    return dict(response.get_json())


def share(client: FlaskClient, conversation: str, **terms: Any) -> str:
    """Share a conversation; returns the link's id."""
    response = client.post(f"/api/conversations/{conversation}/shares", json=terms)
    assert response.status_code == 201, response.text
    return str(response.get_json()["id"])


def another_tab(client: FlaskClient) -> FlaskClient:
    """The same person, with the same cookie."""
    cookie = client.get_cookie("rejoinder")
    assert cookie is not None
    tab = client.application.test_client()
    tab.set_cookie("rejoinder", cookie.value)
    return tab


def cookie_of(person: FlaskClient) -> str:
    """What to send as `Cookie` to be this person."""
    cookie = person.get_cookie("rejoinder")
    assert cookie is not None
    return f"rejoinder={cookie.value}"
