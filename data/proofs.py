"""Proofs of accuracy: what was asked of the method, and what came out."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geo.errors import NotFound
from geo.model import Scope

if TYPE_CHECKING:
    from data.database import Database

CALIBRATION = "calibration"
BACKTEST = "backtest"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A false-alarm rate or a backtest; ``question`` and ``result`` are plain values."""

    proof_id: str
    kind: str
    run_id: str | None
    question: dict[str, Any]
    result: dict[str, Any]
    made_at_us: int
    made_by: str


class Proofs:
    """Proofs of one store."""

    def __init__(self, database: "Database") -> None:
        self._db = database

    def add(self, scope: Scope, proof: Proof) -> None:
        """Keep a proof."""
        row = vars(proof) | {"question": json.dumps(proof.question), "result": json.dumps(proof.result)}
        self._db.insert("proof", {"org_id": [scope.org_id]} | {name: [value] for name, value in row.items()})

    def proofs(self, scope: Scope) -> list[Proof]:
        """Proofs, newest first."""
        return [_proof(row) for row in self._db.rows("proofs", org_id=scope.org_id)]

    def get(self, scope: Scope, proof_id: str) -> Proof:
        """Return one proof."""
        rows = self._db.rows("proof", org_id=scope.org_id, proof_id=proof_id)
        if not rows:
            raise NotFound(f"No proof {proof_id}.")
        return _proof(rows[0])


def _proof(row: dict[str, Any]) -> Proof:
    return Proof(**(row | {"question": json.loads(row["question"]), "result": json.loads(row["result"])}))
