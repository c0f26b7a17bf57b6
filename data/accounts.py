"""People who may sign in, their one-time links and their sessions. Only hashes of tokens are stored."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geo.errors import Conflict
from geo.model import Role, Scope

if TYPE_CHECKING:
    from data.database import Database


@dataclass(frozen=True, kw_only=True)
class Account:
    """Someone who may sign in."""

    account_id: str
    org_id: str
    name: str
    role: Role
    created_at_us: int
    disabled_at_us: int | None = None
    passphrase_hash: str | None = None

    @property
    def scope(self) -> Scope:
        """What this person may touch."""
        return Scope(org_id=self.org_id, actor=self.name, role=self.role)


class Accounts:
    """Accounts, links and sessions of one store."""

    def __init__(self, database: "Database") -> None:
        self._db = database

    def add(self, account: Account) -> None:
        """Add an account; names are unique."""
        if self.by_name(account.name):
            raise Conflict(f"There is already a user called {account.name}.")
        self._db.insert(
            "account",
            {name: [value if name != "role" else str(value)] for name, value in vars(account).items()},
        )

    def all(self, scope: Scope) -> list[Account]:
        """Accounts of the organisation, by name."""
        return [_account(row) for row in self._db.rows("accounts", org_id=scope.org_id)]

    def by_name(self, name: str) -> Account | None:
        """Return an account by its name."""
        rows = self._db.rows("account_by_name", name=name)
        return _account(rows[0]) if rows else None

    def by_id(self, account_id: str) -> Account | None:
        """Return an account by its id."""
        rows = self._db.rows("account_by_id", account_id=account_id)
        return _account(rows[0]) if rows else None

    def set_passphrase(self, account_id: str, passphrase_hash: str | None) -> None:
        """Replace the passphrase, or take it away."""
        self._db.execute("set_passphrase", account_id=account_id, passphrase_hash=passphrase_hash)

    def disable(self, account_id: str, at_us: int) -> None:
        """Close an account and end its sessions."""
        with self._db.transaction():
            self._db.execute("disable_account", account_id=account_id, at_us=at_us)
            self._db.execute("revoke_sessions", account_id=account_id, at_us=at_us)

    def revoke_sessions(self, account_id: str, at_us: int, *, but: str = "") -> None:
        """End an account's sessions, all or all but one."""
        self._db.execute("revoke_other_sessions", account_id=account_id, at_us=at_us, token_hash=but)

    def add_link(self, token_hash: str, account_id: str, expires_at_us: int) -> None:
        """Add a one-time sign-in link."""
        self._db.insert(
            "sign_in_link",
            {"token_hash": [token_hash], "account_id": [account_id], "expires_at_us": [expires_at_us]},
        )

    def spend_links(self, account_id: str, at_us: int) -> None:
        """Make an account's open links useless."""
        self._db.execute("spend_links", account_id=account_id, at_us=at_us)

    def link_account(self, token_hash: str, at_us: int) -> Account | None:
        """Whom an unused, unexpired link would sign in."""
        rows = self._db.rows("sign_in_link", token_hash=token_hash)
        if not rows or rows[0]["used_at_us"] is not None or rows[0]["expires_at_us"] <= at_us:
            return None
        return self.by_id(rows[0]["account_id"])

    def use_link(self, token_hash: str, at_us: int) -> Account | None:
        """Use a link up; only one of two simultaneous users succeeds."""
        account = self.link_account(token_hash, at_us)
        if account is None or not self._db.execute("use_sign_in_link", token_hash=token_hash, at_us=at_us):
            return None
        return account

    def add_session(self, token_hash: str, account_id: str, at_us: int, expires_at_us: int) -> None:
        """Begin a session."""
        self._db.insert(
            "web_session",
            {
                "token_hash": [token_hash],
                "account_id": [account_id],
                "created_at_us": [at_us],
                "seen_at_us": [at_us],
                "expires_at_us": [expires_at_us],
            },
        )

    def session_account(self, token_hash: str, at_us: int, *, idle_us: int) -> Account | None:
        """Whose live session this is; keeps it alive."""
        rows = self._db.rows("session", token_hash=token_hash, at_us=at_us, idle_since_us=at_us - idle_us)
        if not rows:
            return None
        if at_us - rows[0]["seen_at_us"] > 60_000_000:
            self._db.execute("touch_session", token_hash=token_hash, at_us=at_us)
        return self.by_id(rows[0]["account_id"])

    def revoke_session(self, token_hash: str, at_us: int) -> None:
        """End a session."""
        self._db.execute("revoke_session", token_hash=token_hash, at_us=at_us)

    def failed_attempts(self, name: str, since_us: int) -> int:
        """Failed sign-ins under a name since a moment."""
        return int(self._db.rows("recent_attempts", name=name, since_us=since_us)[0]["n"])

    def add_attempt(self, name: str, at_us: int) -> None:
        """Count a failed sign-in."""
        self._db.insert("sign_in_attempt", {"name": [name], "at_us": [at_us]})

    def forget_attempts(self, name: str, before_us: int) -> None:
        """Forget a name's failures after success, and everyone's old ones."""
        self._db.execute("forget_attempts", name=name, before_us=before_us)


def _account(row: dict[str, Any]) -> Account:
    return Account(**(row | {"role": Role(row["role"])}))
