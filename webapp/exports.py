"""A conversation to take along: as Markdown to read, as JSON with everything that is known of it."""

import re
from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from conversations import ConversationRecord, MessageRecord, Role, Status
from webapp.identity import current_owner
from webapp.problems import described
from webapp.schemas import ConversationPath, Exported, ExportQuery
from webapp.services import Services

UNFIT = re.compile(r"[^\w\- ]+")  # in a file's name, on any system
SYNTAX = re.compile(r"[\\`*_{}\[\]<>#!|&~$]")
MARK = 6  # characters, as the page shows them: whatever a guest's name is, this is nobody else's
ENDINGS = {
    Status.FAILED: "This answer failed.",
    Status.CANCELLED: "This answer was stopped.",
    Status.INTERRUPTED: "This answer was interrupted.",
    Status.QUEUED: "This answer had not begun.",
    Status.RUNNING: "This answer was still being written.",
}


def export_views(services: Services) -> APIBlueprint:
    """The route of this feature."""
    api = APIBlueprint(
        "exports",
        __name__,
        url_prefix="/api",
        abp_tags=[Tag(name="conversations")],
        abp_security=[{"cookie": []}],
        abp_responses=described(),
    )

    @api.get(
        "/conversations/<id:conversation_id>/export",
        responses={200: Exported, **described(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)},
    )
    def export(path: ConversationPath, query: ExportQuery) -> Response:
        """Download a conversation, as JSON (with all versions) or as Markdown (`format=markdown`, as it is shown)."""
        owner = current_owner()
        record = services.settler.settled(lambda: services.store.conversation(owner, path.conversation_id))
        if query.format == "markdown":
            return _download(as_markdown(record), "text/markdown; charset=utf-8", record.title, "md")
        messages = services.store.all_messages(owner, path.conversation_id)
        body = Exported.model_validate({**_facts(record), "messages": messages})
        return _download(body.model_dump_json(indent=2), "application/json", record.title, "json")

    return api


def as_markdown(record: ConversationRecord) -> str:
    """The path that is shown. What people and models wrote stands as they wrote it; titles and names are only words."""
    parts = [f"# {_words(record.title) or 'A conversation'}"]
    if record.system_prompt:
        parts.append("\n".join(f"> {line}" for line in f"**Instructions:** {record.system_prompt}".splitlines()))
    for message in record.messages:
        parts.append(f"## {_speaker(message)}, {_moment(message.created_at)}")
        if message.content:
            parts.append(message.content.strip())
        if message.status in ENDINGS:
            parts.append(f"*{' '.join(filter(None, [ENDINGS[message.status], _words(message.reason or '')]))}*")
    return "\n\n".join(parts) + "\n"


def _speaker(message: MessageRecord) -> str:
    if message.role is Role.ASSISTANT:
        return f"Answer ({_words(message.model)})" if message.model else "Answer"
    if message.author is None or message.author.owner:
        return "Question"
    name, mark = _words(message.author.name) or "a guest", message.author.tag[:MARK]
    return f"Question of {name} ({mark})" if mark else f"Question of {name}"


def _words(text: str) -> str:
    """On one line, and nothing in it means anything to Markdown."""
    return SYNTAX.sub(r"\\\g<0>", " ".join(text.split()))


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _facts(record: ConversationRecord) -> dict[str, Any]:
    names = ("id", "title", "system_prompt", "created_at", "updated_at")
    return {name: getattr(record, name) for name in names} | {"shown": [each.id for each in record.messages]}


def _download(body: str, content_type: str, title: str, ending: str) -> Response:
    name = UNFIT.sub("", title).strip()[:80].strip() or "conversation"
    response = Response(body, content_type=content_type)
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.{ending}")
    return response
