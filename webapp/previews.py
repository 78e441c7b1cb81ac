"""What a share link shows of itself where it is pasted, and what it says to search engines."""

from html import escape

from conversations import ConversationRecord, Role, ShareRecord
from conversations.text import clean_line

DESCRIPTION_LIMIT = 200  # characters; what shows previews cuts at about so many
LOOKED_AT = 10 * DESCRIPTION_LIMIT  # characters, of which blanks and what is not shown are left out
NO_INDEX = '<meta name="robots" content="noindex">'


def preview(share: ShareRecord, record: ConversationRecord, url: str) -> str:
    """Tags for the page's head (the Open Graph protocol, https://ogp.me): title and first lines, nothing else."""
    title = record.title or "A conversation"
    tags = {
        "og:type": "article",
        "og:site_name": "Rejoinder",
        "og:title": title,
        "og:description": first_lines(record),
        "og:url": url,
    }
    lines = [f'<meta property="{name}" content="{escape(content)}">' for name, content in tags.items()]
    lines.append('<meta name="twitter:card" content="summary">')
    if not share.terms.indexed:
        lines.append(NO_INDEX)
    return "\n".join([*lines, f"<title>{escape(title)}</title>"])


def first_lines(record: ConversationRecord) -> str:
    """How the first answer begins; as long as there is none, the first question."""
    said = [each for each in record.messages if each.content]
    answers = [each.content for each in said if each.role is Role.ASSISTANT]
    words = clean_line((answers or [each.content for each in said] or [""])[0][:LOOKED_AT])
    return words if len(words) <= DESCRIPTION_LIMIT else words[: DESCRIPTION_LIMIT - 1].rstrip() + "…"
