"""Sessions without a server: the whole session travels in its token.

What they cannot promise: an older token of a session can be sent again, so a logout does not hold
for who has kept a copy; and of two requests at the same time, the later answer wins. With a list of
revocations, a logout holds. Where the rest matters, take a store.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Literal, get_args

from sessions.core.ids import hash_of
from sessions.core.signed_tokens import SignedSealer
from sessions.core.signing import derived_key
from sessions.core.token_formats import Sealer, TokenFormat
from sessions.errors import ConfigurationError
from sessions.stores.base import AsyncStore, Store

__all__ = ["Algorithm", "EncryptedToken", "JWTToken", "SignedToken", "TokenFormat"]

Algorithm = Literal[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
    "ES256", "ES384", "ES512", "EdDSA",
]  # fmt: skip


@dataclass(frozen=True)
class SignedToken(TokenFormat):
    """Keep the session in a token whose content the client can read, and cannot change.

    Without `revocations`, a logout does not hold for a copy of the token until its session expires.
    """

    revocations: Store | AsyncStore | None = field(default=None, kw_only=True)

    def sealer(self, keys: Sequence[str | bytes], name: str) -> Sealer:
        """Return what signs with HMAC-SHA256."""
        return SignedSealer(keys, name)


@dataclass(frozen=True)
class EncryptedToken(TokenFormat):
    """Keep the session in a token that the client can neither read nor change: AES-256-GCM.

    Without `revocations`, a logout does not hold for a copy of the token until its session expires.
    Raises ConfigurationError where `cryptography` is not installed.
    """

    revocations: Store | AsyncStore | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        _require("cryptography", "EncryptedToken", "encryption")

    def sealer(self, keys: Sequence[str | bytes], name: str) -> Sealer:
        """Return what encrypts with AES-256-GCM."""
        # The driver is an extra: only who asks for encryption needs it.
        from sessions.core.encrypted_tokens import EncryptedSealer

        return EncryptedSealer(keys, name)


@dataclass(frozen=True, kw_only=True, eq=False)
class JWTToken(TokenFormat):
    """Keep the session in a JSON Web Token, which the client and other programs can read.

    Without `revocations`, a logout does not hold for a copy of the token until its session expires.
    `keys` names each key by its `kid`: a shared secret for HS256 and its kin, else a PEM key. The
    first one signs, so it is a private key, and all verify. Without `keys`, HS256 and its kin use
    the container's. Raises ConfigurationError where PyJWT is not installed. Source: RFC 7519, 8725.
    """

    issuer: str
    audience: str
    algorithm: Algorithm = "HS256"
    keys: Mapping[str, str | bytes] | None = field(default=None, repr=False)
    revocations: Store | AsyncStore | None = None

    def __post_init__(self) -> None:
        _require("jwt", "JWTToken", "jwt")
        if not f"{self.algorithm}".startswith("HS"):
            # PyJWT works with key pairs only where this is installed.
            _require("cryptography", "JWTToken", "jwt")

    def problems(self) -> Sequence[str]:
        """Return what makes the settings unfit; no message shows a key."""
        return [*super().problems(), *_unfit_names(self), *_unfit_keys(self)]

    def sealer(self, keys: Sequence[str | bytes], name: str) -> Sealer:
        """Return what signs with the algorithm."""
        from sessions.core.jwt_tokens import Claimed, JWTSealer

        own = self.keys or _derived_keys(keys, self.algorithm, name)
        return JWTSealer(self.algorithm, own, Claimed(self.issuer, self.audience, name))


def _require(package: str, name: str, extra: str) -> None:
    """Refuse a token whose package is not installed."""
    try:
        import_module(package)
    except ImportError as error:
        raise ConfigurationError(
            f"{name} needs the package {package}, which is not installed. Fix: pip install"
            f" 'satsuma[{extra}]'"
        ) from error


def _unfit_names(token: JWTToken) -> Iterator[str]:
    for name in ("issuer", "audience"):
        value = getattr(token, name)
        if not isinstance(value, str) or not value:
            yield f"JWTToken: {name}={value!r} is not a name. Fix: give a text that is not empty"
    if token.algorithm not in get_args(Algorithm):
        known = ", ".join(get_args(Algorithm))
        yield f"JWTToken: algorithm={token.algorithm!r} is unknown. Fix: give one of {known}"


def _unfit_keys(token: JWTToken) -> Iterator[str]:
    keys: object = token.keys
    if token.algorithm not in get_args(Algorithm):
        return
    if keys is None:
        if not token.algorithm.startswith("HS"):
            yield (
                f"JWTToken: algorithm={token.algorithm!r} needs a key pair. Fix: give"
                " keys={'2026-01': private_key_in_pem}"
            )
    elif not isinstance(keys, Mapping) or not keys:
        yield f"JWTToken: keys is a {type(keys).__name__} without a key. Fix: give a dict of keys"
    elif not all(isinstance(kid, str) and kid for kid in keys):
        yield f"JWTToken: keys has the names {[*keys]!r}. Fix: name each key by a text"
    else:
        from sessions.core.jwt_tokens import key_problems

        problems = key_problems(token.algorithm, keys)
        yield from (f"JWTToken: {problem}. Fix: give another key" for problem in problems)


def _derived_keys(
    keys: Sequence[str | bytes], algorithm: str, name: str
) -> Mapping[str, str | bytes]:
    """Derive the keys for the purpose, each named by a hash of it."""
    purpose = f"JSON Web Token session:{algorithm}:{name}"
    derived = [derived_key(key, purpose).hex() for key in keys]
    return {hash_of(key)[:16]: key for key in derived}
