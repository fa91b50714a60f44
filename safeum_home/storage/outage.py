"""Why a database takes no changes, in the words that operators act on."""

DAMAGED = "database_damaged"
IN_USE = "database_in_use"
UNREACHABLE = "no_database"
UNAVAILABLE = "storage_unavailable"

# What SQLite, PostgreSQL (SQLSTATE, Appendix A of its manual) and this code call it, each by its beginning.
_WORDS = (
    (("SQLITE_CORRUPT", "SQLITE_NOTADB", "XX001", "XX002"), DAMAGED),
    (("SQLITE_FULL", "53100"), "disk_full"),
    (("SQLITE_READONLY", "25006"), "read_only"),
    (("DatabaseInUse", "WrittenByAnother", "55P03"), IN_USE),
    (("SQLITE_CANTOPEN", "08", "28", "3D", "57P", "OperationalError", "ConnectionTimeout"), UNREACHABLE),
)


def cause(outage: str) -> str:
    """The word for an outage as `Backend.outage` names it, or for the name of an exception."""
    return next((word for beginnings, word in _WORDS if outage.startswith(beginnings)), UNAVAILABLE)
