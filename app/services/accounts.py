"""People who may sign in: one-time links, passphrases and sessions. Tokens are kept as hashes only."""

import hashlib
import re
import secrets
from typing import Final

from data.accounts import Account
from data.audit import Verb
from data.ids import uuid7
from data.store import Store
from geo.errors import Conflict, InvalidParameter, NotFound
from geo.model import Role, Scope

_HOUR_US: Final = 3_600_000_000
LINK_HOURS: Final = 24
MIN_PASSPHRASE: Final = 12
MAX_PASSPHRASE: Final = 512
MAX_ATTEMPTS: Final = 8
ATTEMPT_WINDOW_US: Final = _HOUR_US // 4
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{1,63}")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def add_user(store: Store, scope: Scope, name: str, role: Role, *, now_us: int) -> str:
    """Add a user and return the path of their one-time sign-in link."""
    if not _NAME.fullmatch(name):
        raise InvalidParameter("A user name has 2 to 64 letters, digits, dots, dashes, underscores or @.")
    account = Account(account_id=uuid7(now_us), org_id=scope.org_id, name=name, role=role, created_at_us=now_us)
    with store.database.transaction():
        store.accounts.add(account)
        store.audit.append(scope, Verb.ACCOUNT, f"user:{name}", now_us, action="add", role=str(role))
        return _link(store, account, now_us)


def demo_link(store: Store, scope: Scope, name: str, role: Role, *, now_us: int) -> str:
    """Return a fresh one-time link for the demo's user, who is made when missing."""
    account = store.accounts.by_name(name)
    return _link(store, account, now_us) if account else add_user(store, scope, name, role, now_us=now_us)


def _link(store: Store, account: Account, now_us: int) -> str:
    token = secrets.token_urlsafe(24)
    store.accounts.add_link(_digest(token), account.account_id, now_us + LINK_HOURS * _HOUR_US)
    return f"/sign-in/link/{token}"


def new_link(store: Store, scope: Scope, name: str, *, now_us: int) -> str:
    """Return the path of a fresh one-time link: for lost passphrases. Old sessions, links and passphrase end."""
    account = _own_account(store, scope, name)
    if account.disabled_at_us is not None:
        raise Conflict(f"{name} is disabled.")
    with store.database.transaction():
        store.accounts.revoke_sessions(account.account_id, now_us)
        store.accounts.spend_links(account.account_id, now_us)
        store.accounts.set_passphrase(account.account_id, None)
        store.audit.append(scope, Verb.ACCOUNT, f"user:{name}", now_us, action="new_link")
        return _link(store, account, now_us)


def _own_account(store: Store, scope: Scope, name: str) -> Account:
    account = store.accounts.by_name(name)
    if account is None or account.org_id != scope.org_id:
        raise NotFound(f"No user is called {name}; list them with: lapwing user list")
    return account


def disable_user(store: Store, scope: Scope, name: str, *, now_us: int) -> None:
    """Close an account and end its sessions."""
    account = _own_account(store, scope, name)
    with store.database.transaction():
        store.accounts.disable(account.account_id, now_us)
        store.audit.append(scope, Verb.ACCOUNT, f"user:{name}", now_us, action="disable")


def link_is_good(store: Store, token: str, *, now_us: int) -> bool:
    """Whether a one-time link would sign somebody in; does not use it up."""
    return store.accounts.link_account(_digest(token), now_us) is not None


def sign_in_by_link(store: Store, token: str, *, now_us: int, session_hours: int) -> tuple[Account, str] | None:
    """Use a link up; returns whom it signed in and their session token."""
    account = store.accounts.use_link(_digest(token), now_us)
    if account is None or account.disabled_at_us is not None:
        return None
    return account, _begin(store, account, now_us, session_hours, how="link")


def sign_in_by_passphrase(
    store: Store, name: str, passphrase: str, *, now_us: int, session_hours: int
) -> tuple[Account, str] | None:
    """Check a passphrase; returns None when wrong, unknown, disabled or tried too often, without saying which."""
    from argon2 import PasswordHasher
    from argon2.exceptions import VerificationError

    account = store.accounts.by_name(name)
    # What was typed may be a passphrase in the wrong box: only a known name is logged.
    scope = Scope(org_id=account.org_id, actor=account.name) if account else Scope(actor="unknown")
    blocked = store.accounts.failed_attempts(name, now_us - ATTEMPT_WINDOW_US) >= MAX_ATTEMPTS
    stored = account.passphrase_hash if account and account.passphrase_hash and not account.disabled_at_us else None
    hasher = PasswordHasher()
    try:
        # An unknown name costs the same time as a known one.
        good = hasher.verify(stored or _decoy(), passphrase[:MAX_PASSPHRASE]) and stored is not None
    except VerificationError:
        good = False
    if not good or blocked or account is None:
        store.accounts.add_attempt(name[:64], now_us)
        store.audit.append(scope, Verb.SIGN_IN_FAILED, "sign-in", now_us)
        return None
    store.accounts.forget_attempts(name, now_us - 24 * _HOUR_US)
    return account, _begin(store, account, now_us, session_hours, how="passphrase")


_decoys: list[str] = []


def _decoy() -> str:
    """Return a hash that nothing matches, made once."""
    if not _decoys:
        from argon2 import PasswordHasher

        _decoys.append(PasswordHasher().hash(secrets.token_urlsafe(32)))
    return _decoys[0]


def _begin(store: Store, account: Account, now_us: int, session_hours: int, *, how: str) -> str:
    token = secrets.token_urlsafe(32)
    store.accounts.add_session(_digest(token), account.account_id, now_us, now_us + session_hours * _HOUR_US)
    store.audit.append(account.scope, Verb.SIGN_IN, f"user:{account.name}", now_us, how=how)
    return token


def session_account(store: Store, token: str, *, now_us: int, idle_minutes: int) -> Account | None:
    """Whose live session a cookie's token is."""
    return store.accounts.session_account(_digest(token), now_us, idle_us=idle_minutes * 60_000_000)


def sign_out(store: Store, scope: Scope, token: str, *, now_us: int) -> None:
    """End a session."""
    store.accounts.revoke_session(_digest(token), now_us)
    store.audit.append(scope, Verb.SIGN_OUT, f"user:{scope.actor}", now_us)


def set_passphrase(store: Store, account: Account, passphrase: str, *, now_us: int, session: str = "") -> None:
    """Set or replace a passphrase; sessions other than the one at hand end.

    Raises
    ------
    InvalidParameter
        When it is too short or too long.
    """
    from argon2 import PasswordHasher

    if not MIN_PASSPHRASE <= len(passphrase) <= MAX_PASSPHRASE:
        raise InvalidParameter(f"Use at least {MIN_PASSPHRASE} characters; three unrelated words are good.")
    with store.database.transaction():
        store.accounts.set_passphrase(account.account_id, PasswordHasher().hash(passphrase))
        store.accounts.revoke_sessions(account.account_id, now_us, but=_digest(session))
        store.accounts.spend_links(account.account_id, now_us)
        store.audit.append(account.scope, Verb.ACCOUNT, f"user:{account.name}", now_us, action="set_passphrase")
