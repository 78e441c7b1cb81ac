"""How a view answers."""

from http import HTTPStatus

from flask import Response
from pydantic import BaseModel


def respond(body: BaseModel, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """A model as JSON."""
    return Response(body.model_dump_json(), status, content_type="application/json")
