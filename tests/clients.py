"""Signed in to the service without a browser."""

from flask.testing import FlaskClient

from app.services import accounts
from app.web import make_app
from app.wiring import Lapwing
from geo.model import Role
from tests.conftest import NOW_US
from tests.runs import SCOPE


def client_of(lapwing: Lapwing, role: Role) -> FlaskClient:
    """Client of a new account of that role, in a service of its own."""
    app = make_app(lapwing)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    client.post(accounts.add_user(lapwing.store, SCOPE, f"{role}-9", role, now_us=NOW_US))
    return client
