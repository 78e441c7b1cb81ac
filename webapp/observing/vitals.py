"""What one web process holds right now: whoever runs it sees what grows, and what is left when everybody has gone."""

import gc
from http import HTTPStatus

import greenlet
from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from webapp.admin import Admin
from webapp.following import sockets
from webapp.problems import described
from webapp.responses import respond
from webapp.schemas import Vitals
from webapp.services import Services


def vital_views(services: Services, admin: Admin) -> APIBlueprint:
    """The route of this feature. Without an administrator it is 404."""
    admin.pages.append(("/vitals", "Vitals", "What the process that answers holds, as JSON."))
    api = APIBlueprint(
        "vitals",
        __name__,
        abp_tags=[Tag(name="health")],
        abp_security=[{"admin": []}],
        abp_responses=described(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
    )

    @api.get("/vitals", responses={200: Vitals})
    def vitals() -> Response:
        """What the process that answers holds. For the administrator; takes a tenth of a second of its time."""
        admin.admit()
        tails = services.hub.tails
        return respond(
            Vitals(
                connections=sockets.count(),
                tails=len(tails),
                viewers=sum(tails.values()),
                subscriptions=services.subscriber.count,
                greenlets=sum(issubclass(type(each), greenlet.greenlet) and not each.dead for each in gc.get_objects()),
            )
        )

    return api
