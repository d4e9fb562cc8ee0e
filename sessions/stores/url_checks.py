"""Find out what is wrong with the URL of a store, without showing what may be a secret."""

import re
from collections.abc import Callable

IS_CUT = (
    "seems to have a @, /, ? or # in its password, but this character ends the password of a URL."
    " Fix: in the password, write %40 for a @, %2F for a /, %3F for a ? and %23 for a #"
)
_OPTION = re.compile(r"[A-Za-z]\w{0,39}(=|$)", re.ASCII)


def may_cut_password(url: str) -> bool:
    """Return whether the password of a URL possibly ends too early, at an unescaped character.

    The rest of the password would then count as a host, a database or an option, and would be shown
    in messages. The value of an option is allowed to have an @, as in a@b, but no / after the @.
    """
    rest = url.partition("://")[2]
    place = re.split("[/?#]", rest, maxsplit=1)[0]
    path, _, options = rest.removeprefix(place).partition("?")
    if "@" in path:
        return True
    parts = [option.partition("=") for option in options.split("&")]
    return any("@" in name or "/" in value.partition("@")[2] for name, _, value in parts)


def refused_options(query: str, works: Callable[[str], bool]) -> list[str]:
    """Return the names of the options that make a URL unusable, without their values.

    A value is possibly a secret. `works` returns whether the URL can be used with these options.
    """
    if not works(""):
        return []
    refused = [option for option in query.split("&") if not works(option)]
    return list(dict.fromkeys(one.partition("=")[0] for one in refused if _OPTION.match(one)))


def remedy_of(options: list[str], owner: str) -> str:
    """Return what to do about options that cannot be used."""
    if "prefix" in options:
        return f'give the prefix beside the URL, as in {owner}.from_url(url, prefix="shop")'
    return "correct or remove the options after the ?"
