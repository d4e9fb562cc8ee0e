"""Errors for unknown settings; each error says what to write instead."""

import functools
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from sessions.errors import ConfigurationError, WrongSettings

Kind = TypeVar("Kind", bound=type)

# The number of arguments of an application.
_INTERFACES = {"WSGI": 2, "ASGI": 3}
# The same number, found by the usual name of one of the arguments.
_NAMED = {"start_response": 2, "receive": 3}

# Names of settings in other libraries, and what to write here.
OF_CONTAINERS = {
    "secret_key secret secrets key signing_key": "the setting is called keys, and is a list",
    "max_age lifetime permanent_session_lifetime ttl timeout expires": (
        "write idle_timeout or absolute_timeout, or cookie=CookieSettings(max_age=...)"
    ),
    "cookie_name session_cookie name prefix": "the setting is called session_prefix",
    "secure https_only httponly http_only same_site samesite domain path": (
        "write it in cookie=CookieSettings(...)"
    ),
    "backend engine redis client": "the setting is called store",
    "max_sessions maximum_sessions max_sessions_per_user concurrent_sessions": (
        "write sessions_per_user=SessionLimit(5), with SessionLimit from sessions.users"
    ),
    "remember_me remember_timeout remember_duration": (
        "write longest_timeout, and set session.timeout at the sign-in"
    ),
    "rotate_every rotation_interval regenerate_every": "the setting is called renew_every",
    "encryption encrypt encryption_key encryption_secret fernet_key fernet cipher": (
        "the setting is called encryption_keys, and is a list"
    ),
}
OF_STORES = {
    "filename file database db url uri": "the path is the first argument of SQLiteStore",
    "table table_name table_prefix key_prefix namespace": "the setting is called prefix",
    "size maxsize max_size limit": "write MemoryStore(max_sessions=...)",
    "ttl timeout expires max_age": "write SessionContainer(idle_timeout=...)",
}
OF_SERVERS = {
    "host hostname port unix_socket_path db database dbname password username user ssl tls": (
        "write it in the URL of from_url, as in redis://user:password@host:6379/0 or"
        " postgresql+psycopg://user:password@host/database"
    ),
    "url uri dsn connection connection_string redis_url database_url": (
        "write from_url(url), with the URL as the first argument"
    ),
    "client redis connection_pool engine bind session sessionmaker collection": (
        "the client, engine or collection is the first argument"
    ),
    "namespace key_prefix table table_name": "the setting is called prefix",
    "ttl timeout expires max_age": "write SessionContainer(idle_timeout=...)",
}
_KEYS_OF_CONTAINER = (
    "the keys belong to the container: write SessionContainer(keys=[...], store=...)"
)
OF_TOKENS = {
    "secret secrets secret_key signing_key key keys password": _KEYS_OF_CONTAINER,
    "encryption_key encryption_keys fernet_key": _KEYS_OF_CONTAINER,
    "max_age expires expires_in exp ttl lifetime timeout": (
        "write SessionContainer(idle_timeout=..., absolute_timeout=...)"
    ),
    "blacklist blocklist denylist revocation store": (
        "write revocations=SQLiteStore('revocations.db')"
    ),
}
OF_JWT = {
    "secret secrets secret_key signing_key key password jwt_secret": (
        "with HS256, JWTToken uses the keys of the container, so leave the argument out; for other"
        ' keys, write keys={"2026-11": key}'
    ),
    "private_key public_key private public": (
        'write keys={"2026-11": private_key_in_pem}, with algorithm="ES256" or another'
    ),
    "alg algorithms": 'write algorithm="HS256", a single algorithm',
    "iss": "the setting is called issuer",
    "aud": "the setting is called audience",
    "headers claims payload": "the token has the claims of the session, so leave the argument out",
    **OF_TOKENS,
}
OF_TRANSPORTS = {
    "name cookie_name key": "write session_prefix=... in SessionContainer",
    "secure https_only httponly http_only same_site samesite domain path max_age partitioned": (
        "write SessionContainer(cookie=CookieSettings(...))"
    ),
    "header header_name": "the name of the header is the first argument",
    "bearer scheme prefix": "write HeaderTransport.bearer()",
    "param query query_param": "the setting is called parameter",
}
OF_COOKIES = {
    "name key": "write session_prefix=... in SessionContainer",
    "expires lifetime": "the setting is called max_age",
    "https_only": "the setting is called secure",
}


def takes_container(*, arguments: int) -> Callable[[Kind], Kind]:
    """Return a decorator that makes a middleware explain wrong arguments, without showing values.

    `arguments` is the number of arguments of an application: 2 for WSGI, 3 for ASGI.
    """

    def decorate(middleware: Kind) -> Kind:
        kind: Any = middleware
        construct = kind.__init__
        known = [name for name in inspect.signature(construct).parameters if name != "self"]

        @functools.wraps(construct)
        def explained(self: Any, *args: object, **settings: object) -> None:
            unknown = [name for name in settings if name not in known]
            if unknown or len(args) + len(settings) < len(("app", "container")):
                given = f", not {', '.join(unknown)}" if unknown else ""
                raise TypeError(
                    f"{kind.__name__} takes the application and a SessionContainer{given}. Fix:"
                    f" write {kind.__name__}(app, SessionContainer(keys=[...])), and give the"
                    " container all other settings"
                )
            construct(self, *args, **settings)
            _refuse_other_interface(self.app, arguments)

        kind.__init__ = explained
        return middleware

    return decorate


def _refuse_other_interface(app: Callable[..., object], arguments: int) -> None:
    """Raise TypeError if an application is written for the other interface, WSGI or ASGI."""
    try:
        signature = inspect.signature(app)
    # A function in C may have no signature.
    except (TypeError, ValueError):
        return
    ((theirs, others),) = ((name, n) for name, n in _INTERFACES.items() if n != arguments)
    if _fits(signature, others) and not _fits(signature, arguments):
        raise TypeError(
            f"this SessionMiddleware calls the application with {arguments} arguments, but the"
            f" application takes {others}, as {theirs} applications do. Fix: write"
            f" `from sessions.{theirs.lower()} import SessionMiddleware`"
        )


def _fits(signature: inspect.Signature, count: int) -> bool:
    # Some applications also take the arguments of the other interface, to refuse its servers.
    named = next((n for name, n in _NAMED.items() if name in signature.parameters), count)
    if named != count:
        return False
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def explains_settings(remedies: Mapping[str, str]) -> Callable[[Kind], Kind]:
    """Return a decorator that makes a class explain wrong settings, without showing their values.

    In `remedies`, each key lists the names that other libraries use for a setting, separated by
    spaces. The value says what to write instead.
    """

    def decorate(settings: Kind) -> Kind:
        kind: Any = settings
        construct = kind.__init__
        _, *parameters = inspect.signature(construct).parameters.values()

        @functools.wraps(construct)
        def explained(self: object, *args: object, **given: object) -> None:
            if problems := list(_problems(kind.__name__, parameters, args, given, remedies)):
                # Construct only a dataclass: another constructor may open a connection.
                if is_dataclass(kind) and not args:
                    problems += _value_problems(functools.partial(construct, self), kind, given)
                raise WrongSettings(problems)
            construct(self, *args, **given)

        kind.__init__ = explained
        if "from_url" in vars(kind):
            kind.from_url = _explained_from_url(kind, remedies)
        return settings

    return decorate


def _explained_from_url(kind: Any, remedies: Mapping[str, str]) -> Any:
    """Return the class method `from_url`, changed so that its error explains wrong settings."""
    make = vars(kind)["from_url"].__func__
    _, *parameters = inspect.signature(make).parameters.values()

    @functools.wraps(make)
    def explained(cls: Any, *args: Any, **given: Any) -> Any:
        name = f"{cls.__name__}.from_url"
        if problems := list(_problems(name, parameters, args, given, remedies)):
            raise WrongSettings(problems)
        return make(cls, *args, **given)

    bound: Any = classmethod
    return bound(explained)


def _problems(
    kind: str,
    parameters: Sequence[inspect.Parameter],
    args: Sequence[object],
    given: Collection[str],
    remedies: Mapping[str, str],
) -> Iterator[str]:
    """Yield a text for each setting that does not exist, and for each missing setting."""
    known = [parameter.name for parameter in parameters]
    takes = f"{kind} takes {', '.join(known)}"
    unknown = [name for name in given if name not in known]
    by_place = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    given = {*given, *by_place[: len(args)]}
    too_many = args[len(by_place) :]
    if too_many and len(by_place) == len(known):
        yield f"{kind} got {len(args)} values by position. Fix: give {len(known)} at most. {takes}"
    elif too_many:
        by_name = "other settings" if by_place else "its settings"
        fix = _of_secret(too_many[0], remedies) or f"write {kind}({known[len(by_place)]}=...). "
        yield f"{kind} takes {by_name} by name. Fix: {fix}{takes}"
    for name in unknown:
        fix = _remedy(name, remedies) or _guess(name, known) + takes
        yield f"{kind} has no setting {name!r}. Fix: {fix}"
    for parameter in parameters if not too_many and not unknown else ():
        if parameter.default is parameter.empty and parameter.name not in given:
            yield f"{kind} needs {parameter.name!r}. Fix: give {parameter.name!r}. {takes}"


def _value_problems(
    construct: Callable[..., object], kind: Any, given: Mapping[str, object]
) -> list[str]:
    """Return a text for each wrong value in a call that also has wrong or missing names."""
    known = inspect.signature(kind).parameters.values()
    missing = [one.name for one in known if one.default is one.empty and one.name not in given]
    values = {one.name: given[one.name] for one in known if one.name in given}
    try:
        construct(**values, **dict.fromkeys(missing))
    except ConfigurationError as error:
        kinds = f"{kind.__name__}: ", f"{kind.__name__}."
        about_missing = tuple(start + name for start in kinds for name in missing)
        return [text for text in error.problems if not text.startswith(about_missing)]
    return []


def _of_secret(given: object, remedies: Mapping[str, str]) -> str:
    # A text without a name is probably a secret: other libraries take a secret in this way.
    remedy = _remedy("secret_key", remedies) if isinstance(given, str | bytes) else None
    return "" if remedy is None else f"{remedy}. "


def _remedy(unknown: str, remedies: Mapping[str, str]) -> str | None:
    """Return what to write instead of a setting of another library, or None."""
    return next((text for names, text in remedies.items() if unknown in names.split()), None)


def _guess(unknown: str, known: Sequence[str]) -> str:
    """Return a question about the most similar setting, or an empty text."""
    close = get_close_matches(unknown, known, 1)
    return f"did you mean {close[0]!r}? " if close else ""


def note_remedy(error: BaseException, key: str) -> None:
    """Add a note to an application's error, if the application used the session in a wrong way."""
    if isinstance(error, KeyError) and error.args == ("session",) and key != "session":
        _note(error, f'Fix: read the session from environ["{key}"].')
    elif isinstance(error, TypeError) and "'coroutine'" in str(error):
        _note(error, 'Fix: await the call, as in await session.increment("visits").')


def _note(error: BaseException, remedy: str) -> None:
    # An error can pass several middlewares, but gets the note only once.
    if remedy not in getattr(error, "__notes__", ()):
        error.add_note(remedy)
