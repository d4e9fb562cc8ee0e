"""Sessions in JSON Web Tokens: other programs can check them, and nothing in them is trusted."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions import ConfigurationError, SessionContainer
from sessions.stateless import JWTToken
from sessions.testing import ManualClock
from tests.support.apps import KEY, Site, everything, in_turn, writes
from tests.support.thoroughness import examples

jwt = pytest.importorskip("jwt", exc_type=ImportError)
pytest.importorskip("cryptography")

from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: E402

SHARED = "a secret that two programs share, with 64 bytes and a few more of it"
NAMES: dict[str, Any] = {"issuer": "https://shop.example", "audience": "shop"}


def pem(private: Any) -> str:
    """Return the text of a private key."""
    return str(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
    )


def public_pem(private: Any) -> str:
    """Return the text of the public half of a key."""
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return str(private.public_key().public_bytes(encoding, form).decode())


RSA = rsa.generate_private_key(65537, 2048)
P256 = ec.generate_private_key(ec.SECP256R1())
SHORT = 1024
PAIRS = {
    "RS256": RSA,
    "PS384": RSA,
    "ES256": P256,
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def a_site(**fields: Any) -> Site:
    """Make a site whose sessions live in tokens with these settings."""
    return Site(JWTToken(**{**NAMES, "keys": {"one": SHARED}, **fields}), ManualClock())


def a_token(site: Site) -> str:
    """Return the token of a session in which somebody is signed in."""
    answer = site.visit(in_turn(writes(a=1), lambda session: session.set_user("ada")))
    return answer.cookie.partition("=")[2]


def found(site: Site, token: str) -> Any:
    """Return the content of the session in a token."""
    return site.visit(everything, f"session={token}").value


def part(value: object) -> str:
    """Return one part of a token, decoded."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def read(text: str) -> Any:
    """Return the JSON in a part of a token."""
    return json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a token."""
    claims: dict[str, Any] = read(token.split(".")[1])
    return claims


def signed(header: object, claims: object, key: str = SHARED) -> str:
    """Sign a header and claims as HS256 does."""
    text = f"{part(header)}.{part(claims)}"
    algorithm = jwt.get_algorithm_by_name("HS256")
    return f"{text}.{part(algorithm.sign(text.encode(), key.encode()))}"


HEADER = {"alg": "HS256", "kid": "one", "typ": "session+jwt"}


def test_another_program_can_check_the_token() -> None:
    """The claims are those of the standard, and `sub` is the user."""
    token = a_token(a_site())

    claims = jwt.decode(
        token, SHARED, algorithms=["HS256"], audience="shop", issuer=NAMES["issuer"],
        options={"verify_exp": False, "verify_iat": False},
    )  # fmt: skip

    assert claims["sub"] == "ada"
    assert claims["exp"] - claims["iat"] == 24 * 3600
    assert isinstance(claims["jti"], str)
    assert jwt.get_unverified_header(token) == HEADER


def test_an_anonymous_session_has_no_sub_claim() -> None:
    """An anonymous session has no `sub`."""
    site = a_site()
    token = site.visit(writes(a=1)).cookie.partition("=")[2]

    assert "sub" not in claims_of(token)
    assert found(site, token) == {"a": 1}


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_shared_secrets_come_from_the_container(algorithm: str) -> None:
    """Without own keys, the format derives its keys from all keys of the container."""
    token = JWTToken(**NAMES, algorithm=algorithm)  # type: ignore[arg-type]
    new = "a newer key of the tests, 32 bytes and more"
    cookie = Site(token, ManualClock()).visit(writes(a=1)).cookie

    rotated = Site(token, ManualClock(), keys=[new, KEY])

    assert rotated.visit(everything, cookie).value == {"a": 1}
    renewed = rotated.visit(writes(b=2), cookie).cookie
    assert Site(token, ManualClock(), keys=[new]).visit(everything, renewed).value["b"] == 2
    assert Site(token, ManualClock(), keys=[KEY]).visit(everything, renewed).value == {}


@pytest.mark.parametrize("algorithm", PAIRS)
def test_key_pairs(algorithm: str) -> None:
    """The private key signs; the public key is enough to check."""
    site = a_site(algorithm=algorithm, keys={"one": pem(PAIRS[algorithm])})
    token = a_token(site)

    assert found(site, token) == {"a": 1}
    options = {"verify_exp": False, "verify_iat": False}
    public = public_pem(PAIRS[algorithm])
    assert jwt.decode(token, public, algorithms=[algorithm], audience="shop", options=options)


def test_key_pairs_rotate() -> None:
    """The public key of an old pair is enough to accept its tokens."""
    token = a_token(a_site(algorithm="ES256", keys={"old": pem(P256)}))
    new = pem(ec.generate_private_key(ec.SECP256R1()))

    site = a_site(algorithm="ES256", keys={"new": new, "old": public_pem(P256)})

    assert found(site, token) == {"a": 1}
    assert found(a_site(algorithm="ES256", keys={"new": new}), token) == {}


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, "alg": "none"},
        {**HEADER, "alg": "None"},
        {**HEADER, "alg": "HS384"},
        {**HEADER, "alg": ["HS256"]},
        {**HEADER, "kid": "two"},
        {**HEADER, "kid": "../../dev/null"},
        {**HEADER, "kid": 1},
        {**HEADER, "kid": None},
        {**HEADER, "typ": "JWT"},
        {**HEADER, "typ": None},
        {"alg": "HS256", "kid": "one"},
        {"alg": "HS256", "typ": "session+jwt"},
        {**HEADER, "jwk": {"kty": "oct", "k": part(b"k" * 64)}},
        {**HEADER, "jku": "https://evil.example/keys"},
        {**HEADER, "x5u": "https://evil.example/chain"},
        {**HEADER, "x5c": ["AAAA"]},
        {**HEADER, "crit": ["exp"], "exp": 1},
        {**HEADER, "crit": []},
        {**HEADER, "zip": "DEF"},
        {**HEADER, "b64": False},
        {**HEADER, "cty": "JWT"},
        [],
        "HS256",
        b"",
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_no_header_chooses_how_it_is_checked(header: object) -> None:
    """Each of these tokens is signed correctly, but with another header; none is accepted."""
    site = a_site()
    claims = claims_of(a_token(site))
    assert found(site, signed(HEADER, claims)) == {"a": 1}

    token = signed(header, claims)

    assert site.manager.from_token(token) is None
    assert site.manager.from_token(token.rpartition(".")[0] + ".") is None


ODD: list[object] = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    "",
    "x",
    [],
    ["shop"],
    {},
    {"a": 1},
    10**400,
    "1800000000",
]


@pytest.mark.parametrize("name", ["iss", "aud", "iat", "exp", "jti", "session"])
def test_each_claim_has_one_type_and_one_value(name: str) -> None:
    """A signed token with a missing or wrong claim is refused."""
    site = a_site()
    claims = claims_of(a_token(site))
    without = {key: value for key, value in claims.items() if key != name}

    for wrong in (without, *({**claims, name: value} for value in ODD)):
        assert site.manager.from_token(signed(HEADER, wrong)) is None, wrong[name]


@pytest.mark.parametrize("value", [*ODD[:7], *ODD[8:-1]])
def test_the_subject_is_a_text(value: object) -> None:
    """`sub` is never a number, and never empty."""
    site = a_site()
    claims = claims_of(a_token(site))

    assert site.manager.from_token(signed(HEADER, {**claims, "sub": value})) is None


@pytest.mark.parametrize(
    "name",
    ["version", "name", "created", "used", "updated", "expires", "values", "timeout", "generation"],
)
def test_each_part_of_the_session_has_its_type(name: str) -> None:
    """Times are numbers, and values are packed bytes."""
    site = a_site()
    claims = claims_of(a_token(site))

    odds: tuple[object, ...] = ([], {}, "x", True, "1800000000")
    for odd in odds:
        session = {**claims["session"], name: odd}
        assert site.manager.from_token(signed(HEADER, {**claims, "session": session})) is None


def test_more_claims_than_ours_are_refused() -> None:
    """An extra claim such as `nbf` would not be checked, so the token is refused."""
    site = a_site()
    claims = claims_of(a_token(site))

    assert site.manager.from_token(signed(HEADER, {**claims, "nbf": 1})) is None


def test_a_newer_format_is_reported() -> None:
    """A token of a later format is refused with an event, whatever its other claims are."""
    site = a_site()
    claims = claims_of(a_token(site))
    newer = {**claims, "session": {"version": 2, "more": True}, "new": 1}

    assert found(site, signed(HEADER, newer)) == {}
    assert site.told[-1] == "unreadable"


def test_a_public_key_is_not_accepted_as_a_shared_secret() -> None:
    """A token that is signed by HMAC with the public key is refused."""
    site = a_site(algorithm="RS256", keys={"one": pem(RSA)})
    claims = claims_of(a_token(site))

    for algorithm in ("HS256", "RS256"):
        forged = signed({**HEADER, "alg": algorithm}, claims, public_pem(RSA))
        assert site.manager.from_token(forged) is None


@pytest.mark.parametrize("change", [{"issuer": "https://other.example"}, {"audience": "admin"}])
def test_a_token_for_another_audience_is_refused(change: dict[str, str]) -> None:
    """A token for another audience is refused, although the keys are the same."""
    assert found(a_site(), a_token(a_site(**change))) == {}


def test_a_token_of_another_container_is_refused() -> None:
    """Another prefix is refused, although keys, issuer and audience are the same."""
    shop = JWTToken(**NAMES, keys={"one": SHARED})
    token = a_token(Site(shop, ManualClock()))
    admin = Site(shop, ManualClock(), session_prefix="admin")

    assert admin.visit(everything, f"admin={token}").value == {}


@given(text=st.text(max_size=60), parts=st.lists(st.binary(max_size=60), min_size=3, max_size=3))
@settings(max_examples=examples(200))
def test_no_foreign_exception_escapes(text: str, parts: list[bytes]) -> None:
    """A text that is not a token gives no session, and no exception."""
    manager = a_site().manager

    for token in (text, ".".join(map(part, parts)), f"{text}.{text}.{text}"):
        assert manager.from_token(token) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"issuer": ""}, "issuer='' is not a name"),
        ({"audience": None}, "audience=None is not a name"),
        ({"algorithm": "none"}, "algorithm='none' is unknown"),
        ({"algorithm": "ES256K"}, "algorithm='ES256K' is unknown"),
        ({"algorithm": "RS256", "keys": None}, "needs a key pair"),
        ({"keys": {}}, "not a dict with keys"),
        ({"keys": "a text"}, "keys is a str, not a dict with keys"),
        ({"keys": {1: SHARED}}, r"names \[1\]"),
        ({"keys": {"one": "short"}}, r"keys\['one'\] is too short for HS256"),
        ({"algorithm": "RS256", "keys": {"one": SHARED}}, "is not a private key for RS256"),
        ({"algorithm": "RS256", "keys": {"one": public_pem(RSA)}}, "is not a private key"),
        ({"algorithm": "ES384", "keys": {"one": pem(P256)}}, "is not a private key for ES384"),
        ({"algorithm": "RS256", "keys": {"one": pem(P256)}}, "is not a private key for RS256"),
        (
            {"algorithm": "RS256", "keys": {"one": pem(RSA), "two": "x"}},
            r"keys\['two'\] is not a key for RS256",
        ),
        (
            {
                "algorithm": "RS256",
                "keys": {"one": pem(rsa.generate_private_key(65537, SHORT))},
            },
            r"keys\['one'\] is too short for RS256",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused(fields: dict[str, Any], message: str) -> None:
    """The error comes at start-up, says what to do, and shows no key."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        SessionContainer(keys=[KEY], store=JWTToken(**{**NAMES, **fields}))

    assert re.search("Fix: ", f"{caught.value}")
    assert SHARED not in f"{caught.value}"


def test_the_settings_show_no_key() -> None:
    """The repr of the settings can be written to a log."""
    assert SHARED not in repr(JWTToken(**NAMES, keys={"one": SHARED}))
