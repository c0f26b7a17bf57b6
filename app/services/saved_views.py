"""Filters kept by name."""

from typing import Final

from app.services.deciding import checked_text
from data.ids import uuid7
from data.store import Store
from data.views import SavedView
from geo.errors import InvalidParameter
from geo.model import Role, Scope
from geo.view import View

MAX_SAVED: Final = 200


def save_view(store: Store, scope: Scope, name: str, view: View, *, now_us: int) -> SavedView:
    """Keep a filter under a name; one of the same name is replaced.

    Raises
    ------
    InvalidParameter
        When the name is empty or looks like a person's detail, or the filter shows everything.
    """
    plain = checked_text("name", name, now_us, business=True)
    if view == View():
        raise InvalidParameter("There is no filter to save: choose dates, days or kinds first.")
    kept = SavedView(view_id=uuid7(now_us), name=plain, query=view.query(), actor=scope.actor, made_at_us=now_us)
    with store.database.transaction():
        store.database.lock("views")
        others = store.views.saved(scope)
        same = [one for one in others if one.name.casefold() == plain.casefold()]
        if len(others) - len(same) >= MAX_SAVED:
            raise InvalidParameter(f"There are {MAX_SAVED} saved views; remove some first.")
        if any(one.actor != scope.actor for one in same) and scope.role is not Role.ANALYST:
            raise InvalidParameter("Somebody else saved a view of this name; choose another.")
        for one in same:
            store.views.forget(scope, one.view_id)
        store.views.save(scope, kept)
    return kept
