"""What a process holds, for the administrator only."""

from flask.testing import FlaskClient
from pydantic import SecretStr

from tests.webapp.test_dashboard import ADMIN, PASSWORD
from webapp.app import create_app
from webapp.services import Services
from webapp.settings import Settings


def test_the_administrator_sees_what_the_process_holds(settings: Settings, services: Services) -> None:
    guarded = settings.model_copy(update={"admin_password": SecretStr(PASSWORD)})
    visitor = create_app(guarded, services).test_client()
    assert visitor.get("/vitals").status_code == 401
    vitals = visitor.get("/vitals", headers=ADMIN).get_json()
    assert vitals == {"connections": 0, "tails": 0, "viewers": 0, "subscriptions": 0, "greenlets": vitals["greenlets"]}


def test_without_a_password_there_is_nothing_to_see(ada: FlaskClient) -> None:
    assert ada.get("/vitals", headers=ADMIN).status_code == 404
