"""Accounts, one-time links and sessions, on both stores."""

import pytest

from app.services import accounts
from app.wiring import Lapwing
from data.store import Store
from geo.errors import Conflict
from geo.model import Role, Scope
from tests.conftest import NOW_US

HOUR_US = 3_600_000_000


def token_of(link: str) -> str:
    return link.rsplit("/", 1)[1]


def test_a_link_works_once(store: Store, scope: Scope) -> None:
    token = token_of(accounts.add_user(store, scope, "ann", Role.ANALYST, now_us=NOW_US))
    assert accounts.link_is_good(store, token, now_us=NOW_US)
    signed_in = accounts.sign_in_by_link(store, token, now_us=NOW_US, session_hours=10)
    assert signed_in is not None
    assert signed_in[0].name == "ann"
    assert accounts.sign_in_by_link(store, token, now_us=NOW_US, session_hours=10) is None


def test_a_link_expires(store: Store, scope: Scope) -> None:
    token = token_of(accounts.add_user(store, scope, "ann", Role.ANALYST, now_us=NOW_US))
    late = NOW_US + accounts.LINK_HOURS * HOUR_US
    assert accounts.sign_in_by_link(store, token, now_us=late, session_hours=10) is None


def test_a_session_ends_by_age_rest_sign_out_and_disabling(store: Store, scope: Scope) -> None:
    def begin(name: str) -> str:
        token = token_of(accounts.add_user(store, scope, name, Role.ANALYST, now_us=NOW_US))
        signed_in = accounts.sign_in_by_link(store, token, now_us=NOW_US, session_hours=1)
        assert signed_in is not None
        return signed_in[1]

    def who(token: str, at_us: int, idle_minutes: int = 600) -> str | None:
        found = accounts.session_account(store, token, now_us=at_us, idle_minutes=idle_minutes)
        return found and found.name

    old, out, shut = begin("old"), begin("out"), begin("shut")
    assert [who(token, NOW_US + 1) for token in (old, out, shut)] == ["old", "out", "shut"]
    assert who(old, NOW_US + HOUR_US // 2, idle_minutes=20) is None
    assert who(old, NOW_US + HOUR_US) is None
    accounts.sign_out(store, scope, out, now_us=NOW_US + 2)
    accounts.disable_user(store, scope, "shut", now_us=NOW_US + 2)
    assert [who(token, NOW_US + 3) for token in (old, out, shut)] == ["old", None, None]


def test_a_disabled_account_cannot_sign_in(store: Store, scope: Scope) -> None:
    token = token_of(accounts.add_user(store, scope, "ann", Role.ANALYST, now_us=NOW_US))
    account = store.accounts.by_name("ann")
    assert account is not None
    accounts.set_passphrase(store, account, "correct horse battery", now_us=NOW_US)
    accounts.disable_user(store, scope, "ann", now_us=NOW_US)
    assert accounts.sign_in_by_link(store, token, now_us=NOW_US, session_hours=1) is None
    assert not accounts.link_is_good(store, token, now_us=NOW_US)
    answer = accounts.sign_in_by_passphrase(store, "ann", "correct horse battery", now_us=NOW_US, session_hours=1)
    assert answer is None


def test_too_many_wrong_passphrases_shut_the_door_for_a_while(store: Store, scope: Scope) -> None:
    accounts.add_user(store, scope, "ann", Role.ANALYST, now_us=NOW_US)
    account = store.accounts.by_name("ann")
    assert account is not None
    good = "correct horse battery"
    accounts.set_passphrase(store, account, good, now_us=NOW_US)
    for _ in range(accounts.MAX_ATTEMPTS):
        assert accounts.sign_in_by_passphrase(store, "ann", "wrong", now_us=NOW_US, session_hours=1) is None
    assert accounts.sign_in_by_passphrase(store, "ann", good, now_us=NOW_US + 1, session_hours=1) is None
    later = NOW_US + accounts.ATTEMPT_WINDOW_US + 2
    assert accounts.sign_in_by_passphrase(store, "ann", good, now_us=later, session_hours=1) is not None


def test_names_are_unique_and_no_token_is_stored(lapwing: Lapwing, scope: Scope) -> None:
    token = token_of(accounts.add_user(lapwing.store, scope, "ann", Role.GIS, now_us=NOW_US))
    with pytest.raises(Conflict, match="ann"):
        accounts.add_user(lapwing.store, scope, "ann", Role.ANALYST, now_us=NOW_US)
    assert lapwing.database.rows("sign_in_link", token_hash=token) == []


# --- transactions -----------------------------------------------------------------------------------------------------
