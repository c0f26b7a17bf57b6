"""A new key for vehicles: every stored hash is hashed once more, and nobody needs to know what was hashed."""

from app.services.pseudonyms import Keyring
from data.audit import Verb
from data.store import Store
from geo.model import Scope


def rotate_vehicle_key(store: Store, scope: Scope, keys: Keyring, *, now_us: int) -> int:
    """Bring all stored hashes of vehicles under all of ``keys``, in one step; returns how many records have one.

    Hashes of one vehicle stay equal to each other; whoever holds an old key and an old hash can no longer find it.
    """
    known = store.vehicle_keys()
    with store.database.transaction():
        store.database.lock("import")
        hashed = store.evidence.vehicle_hashes()
        grown = {text: keys.regrown(text, since=known) for text in hashed["vehicle_hash"].unique()}
        store.intake.rehash(hashed.assign(vehicle_hash=hashed["vehicle_hash"].map(grown)))
        store.set_vehicle_keys(len(keys.keys))
        store.audit.append(scope, Verb.ALTERATION, "vehicle-key", now_us, records=len(hashed))
    store.database.compact()
    return len(hashed)
