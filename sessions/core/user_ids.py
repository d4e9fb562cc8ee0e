"""Check the id of a user: it must be a text that every store keeps and returns exactly."""

from sessions.core.limits import LONGEST_USER_ID
from sessions.errors import UnencodableValue


def check_user_id(user_id: object, given: str) -> str:
    """Return the id of a user, if every store can keep it.

    Raises TypeError if the id is not a text, and UnencodableValue if some store could not keep it.
    The message of the error begins with `given`, for example `session.set_user()`.
    """
    if not isinstance(user_id, str) or not user_id:
        wanted = "a str" if user_id != "" else "a text that is not empty"
        raise TypeError(
            f"{given} needs the user's id as {wanted}, but got {user_id!r}. Fix: give a text such"
            " as str(user.id)"
        )
    if len(user_id) > LONGEST_USER_ID:
        raise UnencodableValue(
            f"{given} got an id of {len(user_id)} characters, but at most {LONGEST_USER_ID} are"
            " allowed. Fix: give a short id, such as the key of the user in your"
            " database"
        )
    # Most ids are ASCII. For these, `isascii` only reads a flag of the text.
    if not user_id.isascii() and any("\ud800" <= character <= "\udfff" for character in user_id):
        raise UnencodableValue(
            f"{given} got {user_id!r}, which is not Unicode text. Fix: give an id without lone"
            " surrogates"
        )
    return user_id
