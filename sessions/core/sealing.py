"""Encrypt (seal) the values of sessions with AES-256-GCM, by the library `cryptography`.

Each session has a random data key, which seals the values one by one. The record also contains the
data key, encrypted (wrapped) with a wrapping key. HKDF derives the wrapping key from a key of the
server and from the id. A store has only hashes of ids. So the key of the server and a copy of the
store are not enough to open (decrypt) a data key. Each sealed text opens only in its place: for its
session, its value name and its format. Sources: NIST SP 800-38D, 8.2.2; RFC 5869.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from os import urandom

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sessions.core.ids import Id
from sessions.core.limits import REMEMBERED_TOKENS
from sessions.core.values import SEALED, SEALED_BYTE
from sessions.errors import UnreadableValue

_MARK = SEALED_BYTE + b"\x01"
_NONCE = 12
_TAG = 16
_KEY = 32
_SHORTEST = len(_MARK) + _NONCE + _TAG

_WRAPPED = f"{SEALED}key."
USER = f"{SEALED}user"
"""The name of the sealed user id in a record."""

LABEL = f"{SEALED}device"
"""The name of the sealed device in a record."""

# A sealed value is never empty.
_UNLIKE_ANY = b""


class DataKey:
    """Seal and open the values of one session; remember each value with its sealed bytes."""

    def __init__(self, key: str, secret: bytes, *, is_newest: bool) -> None:
        self.key = key
        self.secret = secret
        self.is_newest = is_newest
        """Whether the data key is wrapped with the newest key of the server."""
        self.is_present = True
        """Whether the id that opened the data key was the present id of the record."""
        self.wrapped: frozenset[str] = frozenset()
        """The names of the wrapped data keys in the record."""
        self._cipher = AESGCM(secret)
        self._plain: dict[str, bytes] = {}
        self._sealed: dict[str, bytes] = {}

    def seal(self, name: str, plain: bytes) -> bytes:
        """Return the sealed bytes of a value; each call returns different bytes."""
        return _sealed(self._cipher, plain, _place(self.key, name))

    def seal_all(self, values: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the sealed values for a call of the store, and remember them."""
        sealed = {name: self.seal(name, plain) for name, plain in values.items()}
        self._plain.update(values)
        self._sealed.update(sealed)
        return sealed

    def open_all(self, values: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the opened values of a record, without the reserved names.

        Raises UnreadableValue if a value was changed, or was sealed for another session or name.
        """
        opened, reserved = {}, []
        for name, sealed in values.items():
            if name.startswith(SEALED):
                reserved.append(name)
            else:
                # These bytes were opened before, so they are not decrypted again.
                is_known = name in self._plain and self._sealed[name] == sealed
                opened[name] = self._plain[name] if is_known else self._open(name, sealed)
        self.wrapped = frozenset(name for name in reserved if name.startswith(_WRAPPED))
        self._plain, self._sealed = opened.copy(), dict(values)
        return opened

    def user_in(self, values: Mapping[str, bytes]) -> str | None:
        """Return the user id in the sealed values, or None."""
        sealed = values.get(USER)
        return None if sealed is None else _text(self._open(USER, sealed))

    def sealed_user(self, user_id: str) -> bytes:
        """Return the sealed bytes of a user id."""
        return self.seal(USER, user_id.encode("utf-8", "surrogatepass"))

    def as_stored(self, name: str, plain: bytes | None) -> bytes | None:
        """Return the stored bytes of a value that was read, for a comparison in the store.

        If the bytes are not known, return bytes that fail the comparison, so that the value is
        loaded again.
        """
        if plain is None:
            return None
        return self._sealed[name] if self._plain.get(name) == plain else _UNLIKE_ANY

    def after_renewal(self, name: str) -> "DataKey":
        """Return a copy of this data key for the session's next id.

        The newest key of the server will wrap the copy.
        """
        renewed = DataKey(self.key, self.secret, is_newest=True)
        renewed.wrapped = self.wrapped | {name}
        renewed.know(self)
        return renewed

    def know(self, other: "DataKey") -> None:
        """Remember the sealed values that another object with the same key has opened or sealed."""
        if other.secret == self.secret:
            self._plain, self._sealed = other._plain, other._sealed

    def _open(self, name: str, sealed: bytes) -> bytes:
        opened = _opened(self._cipher, sealed, _place(self.key, name))
        if opened is None:
            what = "its signed-in user" if name == USER else f"session[{name!r}]"
            raise UnreadableValue(
                f"{what} cannot be decrypted, because it was changed in the store, or was encrypted"
                " for another session or another name"
            )
        return opened


class Wrapping:
    """Wrap and unwrap the data keys of one SessionContainer, with the keys of the server.

    The first of the keys is the newest. With another `name`, the same keys of the server cannot
    open these data keys.
    """

    def __init__(self, keys: Sequence[str | bytes], name: str) -> None:
        self._keys = tuple(key.encode() if isinstance(key, str) else key for key in keys)
        self._purpose = f"session data key:{name}".encode()
        self._device_purpose = f"session device:{name}".encode()
        # A browser sends the same id in each request, so the last results are kept in a cache.
        self._unwrapped = lru_cache(REMEMBERED_TOKENS)(self._unwrap)

    def new(self, id: Id) -> DataKey:
        """Return a random data key for a new session."""
        data_key = DataKey(id.key, urandom(_KEY), is_newest=True)
        data_key.wrapped = frozenset({wrapped_name(id.secret)})
        return data_key

    def wrap(self, id: Id, data_key: DataKey) -> bytes:
        """Return the wrapped data key; to open it, both the id and the newest key are needed."""
        cipher = self._cipher(self._keys[0], id)
        return _sealed(cipher, data_key.secret, _place(id.key, wrapped_name(id.secret)))

    def unwrap(self, id: Id, values: Mapping[str, bytes]) -> DataKey:
        """Return the data key of a record; raise UnreadableValue if no server key opens it."""
        found = self._unwrapped(id, values.get(wrapped_name(id.secret), b""))
        if found is not None:
            secret, number = found
            return DataKey(id.key, secret, is_newest=number == 0)
        raise UnreadableValue(
            "its values are encrypted, and none of the encryption_keys can decrypt them. Fix: if a"
            " key was replaced, keep the old key behind the new key for as long as sessions live."
            " If no key was replaced, somebody has changed the record in the store"
        )

    def sealed_device(self, key: str, plain: bytes) -> bytes:
        """Return the sealed device of a sign-in.

        A list of sessions shows the devices, but does not know the ids. So the device is sealed
        with the server's key alone, without an id.
        """
        return _sealed(self._device_cipher(self._keys[0]), plain, _place(key, LABEL))

    def open_device(self, key: str, sealed: bytes | None) -> bytes | None:
        """Return the decrypted device (user agent and network); None if no server key opens it."""
        for server_key in self._keys if sealed is not None else ():
            plain = _opened(self._device_cipher(server_key), sealed or b"", _place(key, LABEL))
            if plain is not None:
                return plain
        return None

    def _device_cipher(self, key: bytes) -> AESGCM:
        return AESGCM(HKDF(SHA256(), _KEY, salt=key, info=self._device_purpose).derive(key))

    def _unwrap(self, id: Id, wrapped: bytes) -> tuple[bytes, int] | None:
        """Return a data key's secret, and the position of the server key that decrypts the secret.

        Return None if no server key decrypts the secret.
        """
        place = _place(id.key, wrapped_name(id.secret))
        for number, key in enumerate(self._keys):
            secret = _opened(self._cipher(key, id), wrapped, place)
            if secret is not None:
                return secret, number
        return None

    def _cipher(self, key: bytes, id: Id) -> AESGCM:
        derived = HKDF(SHA256(), _KEY, salt=key, info=self._purpose).derive(id.text.encode())
        return AESGCM(derived)


def wrapped_name(secret: str) -> str:
    """Return the name of the value in which a record keeps the data key of one id.

    The name is different for each id. So a request with an earlier id never replaces the data key
    of the present id.
    """
    return f"{_WRAPPED}{secret[:32]}"


def _place(key: str, name: str) -> bytes:
    # The key always has the same length, so no other key and name give the same bytes.
    return b"".join((_MARK, key.encode(), name.encode("utf-8", "surrogatepass")))


def _sealed(cipher: AESGCM, plain: bytes, place: bytes) -> bytes:
    nonce = urandom(_NONCE)
    return b"".join((_MARK, nonce, cipher.encrypt(nonce, plain, place)))


def _opened(cipher: AESGCM, sealed: bytes, place: bytes) -> bytes | None:
    if len(sealed) < _SHORTEST or not sealed.startswith(_MARK):
        return None
    nonce = sealed[len(_MARK) : len(_MARK) + _NONCE]
    try:
        return cipher.decrypt(nonce, sealed[len(_MARK) + _NONCE :], place)
    except InvalidTag:
        return None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
