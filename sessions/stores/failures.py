"""The error of a store whose server cannot be used: what has failed, and what to do about it."""

import re
from collections.abc import Iterator

from sessions.errors import StoreUnavailable

_LONGEST = 300
# Words in the messages of drivers and systems, and the remedy; the first match counts.
_REMEDIES = {
    "database is locked|database table is locked": (
        "look for another program that keeps a transaction open, or use a store on a server"
    ),
    "readonly database|unable to open database": (
        "make the folder, and let the process write to it and to the file"
    ),
    "malformed|not a database": "restore the file from a backup, or remove it",
    "is full|no space|disk i/o|out of memory|oom": "give the server or the disk more room",
    "role .* does not exist|unknown user": (
        "create the user on the server, or correct its name in the URL of the store"
    ),
    "db index|invalid database index": (
        "correct the number of the database in the URL of the store: the server has fewer"
    ),
    "cluster mode is not enabled|cluster support disabled": (
        "begin the URL of the store with redis: in place of redis+cluster:, because the server is"
        " in no cluster"
    ),
    "movederror|\\bmoved \\d": (
        "begin the URL of the store with redis+cluster:, because the server is in a cluster"
    ),
    "unknown command .sentinel": (
        "give the address of a Sentinel, or begin the URL of the store with redis:"
    ),
    "createindex": (
        "let a user who may create an index run `framework sessions migrate --url URL`"
    ),
    "noauth|wrongpass|password|authenticat|access denied|no pg_hba": (
        "correct the user and the password in the URL of the store"
    ),
    "unknown database|database .* does not exist": (
        "create the database, or correct its name in the URL of the store"
    ),
    "noperm|permission|privilege|not authorized|unauthorized": (
        "give the user of the store the rights to read, write and delete"
    ),
    "ssl|tls|certificate|wrong version number": (
        "correct the settings of TLS: the server and the URL of the store must agree"
    ),
    "too many (connections|clients)|maxclients": (
        "allow more connections on the server, or use fewer processes"
    ),
    "readonly|read-only|not primary|not master": (
        "give the store the address of the primary server"
    ),
    "name or service not known|getaddrinfo|name resolution|nodename|unknown host|can't connect"
    "|refused|connecting to|connect call failed|connection failed|no such file|unreachable"
    "|no route|server selection|no servers|could not connect|no master found": (
        "start the server, or correct its address in the URL of the store"
    ),
    "timed? ?out|timeout|took too long": (
        "check that the server runs, is not overloaded, and has this address"
    ),
    "lost connection|closed|reset|broken pipe|gone away|terminat|shut": (
        "look in the log of the server for the reason why it ended the connection"
    ),
}
# The `repr` of a connection in a message says nothing about the failure.
_OBJECT = re.compile(r"(?: : )?<.*>")
_LATE = "there was no complete reply in time"
_ANY = "look in the log of the server for the cause"
_PATTERNS = {re.compile(words, re.IGNORECASE): remedy for words, remedy in _REMEDIES.items()}


def unavailable(store: object, error: Exception, remedy: str | None = None) -> StoreUnavailable:
    """Return a StoreUnavailable that tells the error of a driver in one line, with a remedy.

    If `store` is a text, this text is the name of the store.
    """
    told, name = _first_line(error), store if isinstance(store, str) else repr(store)
    if "Fix: " in told:
        return StoreUnavailable(f"{name} cannot be used: {told}")
    said = [type(error).__name__, *map(str, _with_causes(error))]
    whole = _OBJECT.sub("", " ".join(said))
    found = next((fix for words, fix in _PATTERNS.items() if words.search(whole)), _ANY)
    remedy = found if remedy is None else remedy
    return StoreUnavailable(f"{name} cannot be used: {told}. Fix: {remedy}")


def _first_line(error: Exception) -> str:
    """Return the message of an error in one line, without details that some drivers add."""
    text = str(error).partition(", Timeout: ")[0].partition("\n(Background on ")[0]
    # The TimeoutError of an event loop has no message.
    silent = _LATE if isinstance(error, TimeoutError) else type(error).__name__
    line = " ".join(_OBJECT.sub("", text).split()) or silent
    line = line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
    return line.rstrip(".")


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def always_changing(store: object, *, tries: int) -> StoreUnavailable:
    """Return the error of a call that gave up: other requests changed the record in each try."""
    return StoreUnavailable(
        f"{store!r} failed, because other requests changed the record {tries} times during the call"
    )
