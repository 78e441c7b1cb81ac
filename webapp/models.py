"""Which models one can ask: what the operator allows, or what the workers say there is."""

import logging
from functools import partial

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from redis import RedisError

from streams import Offer, read_offer
from webapp.patience import patiently
from webapp.problems import described, invalid_field
from webapp.responses import respond
from webapp.schemas import ModelList
from webapp.services import Services

log = logging.getLogger(__name__)


def model_views(services: Services) -> APIBlueprint:
    """The routes of this feature."""
    api = APIBlueprint(
        "models", __name__, url_prefix="/api", abp_tags=[Tag(name="generations")], abp_responses=described()
    )

    @api.get("/models", responses={200: ModelList})
    def browse() -> Response:
        """List the models that one can ask, and which is asked where none is named."""
        return respond(ModelList.model_validate(offered(services)))

    return api


def offered(services: Services) -> Offer:
    """The models of OPENAI_MODELS, or those that the workers have listed. While nobody can say, only the default."""
    settings = services.settings
    if settings.openai_models:
        return Offer(settings.default_model, settings.openai_models)
    try:
        listed = patiently(partial(read_offer, services.stream_redis, settings.rq_queue))
    except RedisError as error:
        log.warning("could not read which models there are: %s", error)
        listed = None
    default = settings.default_model or (listed.default if listed else "")
    others = listed.models if listed else ()
    return Offer(default, others if default in others or not default else (default, *others))


def chosen_model(services: Services, model: str | None) -> str:
    """The model that is to answer. Raises Problem for one that the operator does not offer."""
    settings = services.settings
    if model is None:
        return settings.default_model
    if settings.openai_models and model not in settings.openai_models:
        raise invalid_field("model", f"This model is not offered; expected one of {', '.join(settings.openai_models)}")
    return model
