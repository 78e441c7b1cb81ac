"""The database: whether it answers, and has the tables of this version."""

from sqlalchemy.exc import SQLAlchemyError

from conversations import ConversationSettings
from conversations.inspection import NoDatabase, look_at_database
from rejoinder.checks.findings import Finding, ok, warning, wrong

ABOUT = "database"
PATIENCE = 5.0  # seconds
MIGRATE = "Run `python -m conversations.migrate`."


def check_database(settings: ConversationSettings, patience: float = PATIENCE) -> list[Finding]:
    try:
        sight = look_at_database(settings.database_url, patience=patience)
    except NoDatabase as error:
        return [wrong(ABOUT, str(error), f"{MIGRATE} It makes the file; or correct DATABASE_URL.")]
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        return [wrong(ABOUT, f"does not answer: {cause}", "Start it, or correct DATABASE_URL.")]
    return [
        ok(ABOUT, f"{sight.server} answers at {sight.name}"),
        _tables(sight.revision, sight.newest, known=sight.known),
        *([_journal(sight.journal)] if sight.journal else []),
    ]


def _tables(revision: str | None, newest: str, *, known: bool) -> Finding:
    if revision is None:
        return wrong(ABOUT, "has no tables yet", MIGRATE)
    if revision == newest:
        return ok(ABOUT, f"its tables are those of this version ({revision})")
    if not known:
        found = f"its tables ({revision}) were made by a version that is newer than this one ({newest})"
        return warning(ABOUT, found, "Deploy that version here, too; this one goes on as long as it must.")
    return wrong(ABOUT, f"its tables are older ({revision}) than this version's ({newest})", MIGRATE)


def _journal(mode: str) -> Finding:
    if mode == "wal":
        return ok(ABOUT, "readers and the writer do not wait for each other (WAL)")
    mend = "Put the file on a local disk; the processes switch WAL on by themselves where the file system allows it."
    return warning(ABOUT, f"readers and the writer wait for each other (journal mode {mode}, not WAL)", mend)
