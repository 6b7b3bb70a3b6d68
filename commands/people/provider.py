"""The provider at which users sign in by OpenID Connect: where it is, what it answers, and who somebody is by its word.

The authorization code flow with PKCE, through Authlib. A code is exchanged from here, and the ID token that comes for
it counts only if it was signed by a key of the provider, for this site, for this sign-in, a moment ago.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidKeyIdError,
    JoseError,
    UnsupportedAlgorithmError,
)
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from commands.outside import utc_now
from commands.people.provider_settings import ProviderSettings, is_guarded
from commands.people.vouching import NotVouched, Secrets, Vouched
from ledger.facts.texts import LONGEST_TEXT, fault_of

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""How an ID token may be signed: by a key that the provider alone has. Neither ``none`` nor a shared secret."""
SKEW_SECONDS: Final = 30
"""By how much the provider's clock may differ from this machine's."""
WAIT_SECONDS: Final = 5.0
KEPT_SECONDS: Final = 3600.0
"""How long what the provider says of itself is believed without asking again."""
AT_ONCE: Final = 8
"""How many sign-ins may wait for the provider at once: if it hangs, the site's pages do not."""


class Provider:
    """One provider. What it says of itself is asked for when somebody first signs in, and kept for a while."""

    def __init__(self, settings: ProviderSettings, secret: str) -> None:
        self.settings, self._secret = settings, secret
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._about: tuple[float, Mapping[str, Any]] | None = None
        self._keys: KeySet | None = None

    def address(self, begun: Secrets) -> str:
        """Where a browser goes to sign in; NotVouched if the provider does not answer."""
        with self._asking() as session:
            about = self._described(session)
            found, _ = session.create_authorization_url(
                about["authorization_endpoint"], state=begun.state, nonce=begun.nonce,
                code_verifier=begun.verifier,
            )  # fmt: skip
            return str(found)

    def vouched(self, code: str, begun: Secrets) -> Vouched:
        """Who signed in, by the code that a browser brought; NotVouched if it is nobody who may."""
        with self._asking() as session:
            about = self._described(session)
            methods = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
            if "client_secret_basic" not in methods:
                session.token_endpoint_auth_method = "client_secret_post"
            token = session.fetch_token(
                about["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=begun.verifier,
                allow_redirects=False,
            )  # fmt: skip
            return self._named(self._claims(session, token, begun.nonce))

    def sign_out_address(self) -> str | None:
        """Where a browser goes to sign out there, too; None where the provider did not say."""
        address = self._about[1].get("end_session_endpoint") if self._about else None
        if not isinstance(address, str) or not is_guarded(address):
            return None
        return f"{address}{'&' if '?' in address else '?'}{urlencode({'client_id': self.settings.client_id})}"

    @property
    def name(self) -> str:
        """What users know it by: the host of its address."""
        return urlsplit(self.settings.issuer).netloc

    @contextmanager
    def _asking(self) -> Iterator[OAuth2Session]:
        """A conversation with the provider; whatever goes wrong in it is NotVouched, in plain words."""
        if not self._turns.acquire(blocking=False):
            raise NotVouched("Many are signing in at this moment.", "Try again in a few seconds.")
        try:
            settings = self.settings
            with OAuth2Session(
                settings.client_id, self._secret, scope=" ".join(dict.fromkeys(("openid", *settings.scopes))),
                redirect_uri=settings.redirect, code_challenge_method="S256", default_timeout=WAIT_SECONDS,
            ) as session:  # fmt: skip
                session.trust_env = False  # no proxy, no password file: the provider, and nobody else
                session.verify = settings.ca_file or True
                yield session
        except (requests.RequestException, OAuthError, ValueError, TypeError, KeyError) as error:
            raise NotVouched(*_reasons(error)) from error
        finally:
            self._turns.release()

    def _described(self, session: OAuth2Session) -> Mapping[str, Any]:
        now = utc_now().timestamp()
        if self._about is None or now - self._about[0] > KEPT_SECONDS:
            about = self._json(session, self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if about.get("issuer") != self.settings.issuer:
                raise NotVouched("The provider calls itself by another name than the settings do.", _TO_OPERATOR)
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                self._refuse_elsewhere(about.get(name))
            self._about, self._keys = (now, about), None
        return self._about[1]

    def _refuse_elsewhere(self, address: object) -> None:
        known = (self.name, *self.settings.other_hosts)
        if not isinstance(address, str) or not is_guarded(address) or urlsplit(address).netloc not in known:
            raise NotVouched("The provider names an address of another host than its own.", _TO_OPERATOR)

    def _json(self, session: OAuth2Session, address: str) -> Any:
        answer = session.request("GET", address, withhold_token=True, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
        if answer.status_code != 200 or not isinstance(found, dict):
            raise ValueError("no JSON object")
        return found

    def _claims(self, session: OAuth2Session, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        settings = self.settings
        asked = {"iss": {"essential": True, "value": settings.issuer},
                 "aud": {"essential": True, "value": settings.client_id}}  # fmt: skip
        given = {"nonce": nonce, "client_id": settings.client_id, "access_token": token.get("access_token")}
        try:
            signed = self._signed(session, token["id_token"])
            claims = CodeIDToken(signed.claims, signed.header, asked, given)
            claims.validate(int(utc_now().timestamp()), SKEW_SECONDS)
        except JoseError as error:
            about = _CLAIM.get(getattr(error, "claim", ""))
            raise NotVouched(_UNFIT.get(type(error), _WRONG), *filter(None, [about])) from error
        return dict(claims)

    def _signed(self, session: OAuth2Session, text: str) -> jwt.Token:
        """What an ID token holds, its signature checked; the keys are asked for once more if it names a new one."""
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        for is_last in (self._keys is None, True):
            if self._keys is None or is_last:
                self._keys = KeySet.import_key_set(self._json(session, self._described(session)["jwks_uri"]))
            try:
                return jwt.decode(text, self._keys, registry=registry)
            except InvalidKeyIdError:
                if is_last:
                    raise
        raise AssertionError("the second try returns or raises")

    def _named(self, claims: Mapping[str, Any]) -> Vouched:
        settings = self.settings
        name, subject = _value(claims, settings.name_claim), claims["sub"]
        is_name = isinstance(name, str) and 0 < len(name) <= LONGEST_TEXT and not fault_of(name, "text")
        if not is_name or not isinstance(subject, str) or not subject:
            raise NotVouched(f"The provider tells no name that could stand in the ledger ({settings.name_claim}).",
                             _TO_OPERATOR)  # fmt: skip
        groups = _value(claims, settings.role_claim)
        held = {groups} if isinstance(groups, str) else set(map(str, groups)) if isinstance(groups, list) else set()
        role = next((role for group, role in settings.roles.items() if group in held), None)
        if role is None:
            raise NotVouched("You have no role at this site: none of your groups at the provider gives one.",
                             "Whoever runs the provider can put you into one that does.")  # fmt: skip
        return Vouched(str(name), role, f"{settings.issuer} {subject}")


_TO_OPERATOR: Final = "Tell whoever runs this site."
_WRONG: Final = "The provider's answer does not hold, so nobody was signed in."
_UNFIT: Final[Mapping[type[JoseError], str]] = {
    BadSignatureError: "The provider's answer was not signed by its key, so nobody was signed in.",
    InvalidKeyIdError: "The provider's answer was not signed by its key, so nobody was signed in.",
    UnsupportedAlgorithmError: "The provider's answer was not signed by its key, so nobody was signed in.",
    ExpiredTokenError: "The provider's answer has run out, so nobody was signed in. Sign in once more.",
}
_CLAIM: Final[Mapping[str, str]] = {
    "iss": "It is of another provider.",
    "aud": "It is for another site.",
    "azp": "It is for another site.",
    "nonce": "It is for another sign-in.",
    "iat": "The clocks of the two machines differ.",
}


def _reasons(error: Exception) -> tuple[str, ...]:
    if isinstance(error, OAuthError):
        return ("The provider did not accept the sign-in.", "Sign in once more.")
    if isinstance(error, requests.RequestException):
        return ("The provider does not answer.", "Try again in a while; users with a password sign in by it.")
    return ("The provider's answer cannot be read.", _TO_OPERATOR)


def _value(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name; or one within others, as in ``realm_access.roles``."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found
