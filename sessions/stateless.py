"""Token formats for stateless sessions: the token contains the whole session.

These sessions have two limits. First, a client can send an older token again, so a copy of a token
still works after a logout. A list of revocations (`revocations=...`) prevents this. Second, if two
requests run at the same time, the client keeps only the changes of the later response. If this
matters, use a store.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Literal, get_args

from sessions.core.ids import hash_of
from sessions.core.signed_tokens import SignedSealer
from sessions.core.signing import derived_key
from sessions.core.token_formats import Sealer, TokenFormat
from sessions.errors import ConfigurationError
from sessions.names import OF_JWT, OF_TOKENS, explains_settings
from sessions.public_names import refusing
from sessions.stores.base import AsyncStore, Store

__all__ = ["Algorithm", "EncryptedToken", "JWTToken", "SignedToken", "TokenFormat"]

Algorithm = Literal[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
    "ES256", "ES384", "ES512", "EdDSA",
]  # fmt: skip


@explains_settings(OF_TOKENS)
@dataclass(frozen=True)
class SignedToken(TokenFormat):
    """Store the session in a signed token; a copy of the token works until the session expires.

    The client can read the token, but not change it. With `revocations`, no copy works after a
    logout.
    """

    revocations: Store | AsyncStore | None = field(default=None, kw_only=True)

    def sealer(self, keys: Sequence[str | bytes], name: str) -> Sealer:
        """Return a sealer that signs with HMAC-SHA256."""
        return SignedSealer(keys, name)


@explains_settings(OF_TOKENS)
@dataclass(frozen=True)
class EncryptedToken(TokenFormat):
    """Store the session in an encrypted token; a copy of it works until the session expires.

    The client cannot read or change the token (AES-256-GCM). With `revocations`, no copy works
    after a logout. Raises ConfigurationError if `cryptography` is not installed.
    """

    revocations: Store | AsyncStore | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        _require("cryptography", "EncryptedToken", "encryption")

    def sealer(self, keys: Sequence[str | bytes], name: str) -> Sealer:
        """Return a sealer that encrypts with AES-256-GCM."""
        # `cryptography` is an optional dependency, so it is imported only here.
        from sessions.core.encrypted_tokens import EncryptedSealer

        return EncryptedSealer(keys, name)


@explains_settings(OF_JWT)
@dataclass(frozen=True, kw_only=True, eq=False)
class JWTToken(TokenFormat):
    """Store the session in a JSON Web Token; a copy of the token works until the session expires.

    The client and other programs can read the token. With `revocations`, no copy works after a
    logout. `keys` maps a key id (`kid`) to a key. For the HS algorithms, a key is a shared secret.
    For all others, a key is a text in PEM, and the first key is a private key. The first key signs,
    and all keys verify. Without `keys`, the HS algorithms use the keys of the container. Raises
    ConfigurationError if PyJWT is not installed.
    Source: RFC 7519, RFC 8725.
    """

    issuer: str
    audience: str
    algorithm: Algorithm = "HS256"
    keys: Mapping[str, str | bytes] | None = field(default=None, repr=False)
    revocations: Store | AsyncStore | None = None

    def __post_init__(self) -> None:
        _require("jwt", "JWTToken", "jwt")
        if not f"{self.algorithm}".startswith("HS"):
            # PyJWT needs this package for key pairs.
            _require("cryptography", "JWTToken", "jwt")

    def problems(self) -> Sequence[str]:
        """Return a text for each wrong setting; keys are secret, so no text contains a key."""
        return [*super().problems(), *_unfit_names(self), *_unfit_keys(self)]

    def sealer(self, keys: Sequence[str | bytes], name: str) -> Sealer:
        """Return the object that signs tokens with `algorithm`, and verifies them."""
        from sessions.core.jwt_tokens import Claimed, JWTSealer

        own = self.keys or _derived_keys(keys, self.algorithm, name)
        return JWTSealer(self.algorithm, own, Claimed(self.issuer, self.audience, name))


def _require(package: str, name: str, extra: str) -> None:
    """Raise ConfigurationError if a package that the token needs is not installed."""
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
            yield (
                f"JWTToken: {name}={value!r} is not a name. Fix: give a text of at least one"
                " character"
            )
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
        yield (
            f"JWTToken: keys is a {type(keys).__name__}, not a dict with keys. Fix: give a"
            ' dict of keys with their names, as in keys={"2026-11": key}'
        )
    elif not all(isinstance(kid, str) and kid for kid in keys):
        yield (
            f"JWTToken: keys has the names {[*keys]!r}, but each name must be a text. Fix:"
            " give names such as '2026-01'"
        )
    else:
        from sessions.core.jwt_tokens import key_problems

        problems = key_problems(token.algorithm, keys)
        yield from (f"JWTToken: {problem}. Fix: give another key" for problem in problems)


def _derived_keys(
    keys: Sequence[str | bytes], algorithm: str, name: str
) -> Mapping[str, str | bytes]:
    """Derive a key from each key of the container; return a dict from `kid` to derived key.

    The `kid` is the beginning of the hash of the derived key.
    """
    purpose = f"JSON Web Token session:{algorithm}:{name}"
    derived = [derived_key(key, purpose).hex() for key in keys]
    return {hash_of(key)[:16]: key for key in derived}


# Type checkers do not see this function, because they would then accept every name.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
