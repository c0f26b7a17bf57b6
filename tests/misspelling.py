"""Names of places as people misspell them, one or two slips a name, from a seed."""

from collections.abc import Callable, Sequence

import numpy as np

_NEIGHBOURS = {
    "a": "qsz", "b": "vgn", "c": "xdv", "d": "sfe", "e": "wrd", "f": "dgr", "g": "fht", "h": "gjy", "i": "uok", "j": "hku", "k": "jli", "l": "ko",
    "m": "nj", "n": "bm", "o": "ipl", "p": "ol", "q": "wa", "r": "etf", "s": "adw", "t": "ryg", "u": "yij", "v": "cb", "w": "qes", "x": "zc",
    "y": "tuh", "z": "xa",
}  # fmt: skip
_SOUNDS = [
    ("ph", "f"),
    ("ie", "ei"),
    ("ei", "ie"),
    ("ck", "k"),
    ("ough", "uff"),
    ("ll", "l"),
    ("tt", "t"),
    ("ss", "s"),
    ("ea", "ee"),
    ("y", "ie"),
    ("ar", "er"),
]
_SHORT = [
    ("Park", "Pk"),
    ("Road", "Rd"),
    ("Gardens", "Gdns"),
    ("Recreation Ground", "Rec"),
    ("Street", "St"),
    ("Lane", "Ln"),
    ("Saint", "St"),
    ("St ", "Saint "),
    ("and", "&"),
    ("Avenue", "Ave"),
    ("Playing Field", "PF"),
    ("Common", "Comon"),
]
Slip = Callable[[str, np.random.Generator], str]


def _letters(name: str) -> list[int]:
    return [i for i, letter in enumerate(name) if letter.isalpha()]


def _neighbour(name: str, rng: np.random.Generator) -> str:
    i = rng.choice(_letters(name))
    return name[:i] + rng.choice(list(_NEIGHBOURS.get(name[i].lower(), "e"))) + name[i + 1 :]


def _doubled(name: str, rng: np.random.Generator) -> str:
    i = rng.choice(_letters(name))
    return name[: i + 1] + name[i].lower() + name[i + 1 :]


def _dropped(name: str, rng: np.random.Generator) -> str:
    i = rng.choice(_letters(name)[1:] or [0])
    return name[:i] + name[i + 1 :]


def _swapped(name: str, rng: np.random.Generator) -> str:
    i = rng.integers(0, max(1, len(name) - 1))
    return name[:i] + name[i + 1 : i + 2] + name[i : i + 1] + name[i + 2 :]


def _by_ear(name: str, rng: np.random.Generator) -> str:
    known = [(a, b) for a, b in _SOUNDS if a in name.lower()]
    if not known:
        return _dropped(name, rng)
    a, b = known[rng.integers(len(known))]
    i = name.lower().index(a)
    return name[:i] + b + name[i + len(a) :]


def _shortened(name: str, rng: np.random.Generator) -> str:
    known = [(a, b) for a, b in _SHORT if a in name]
    if not known:
        return _neighbour(name, rng)
    return name.replace(*known[rng.integers(len(known))], 1)


def _bare(name: str, rng: np.random.Generator) -> str:
    bare = name.replace("'", "").replace(" Park", "").replace("The ", "")
    return bare if bare != name and len(bare) > 4 else _doubled(name, rng)


def _with_the(name: str, rng: np.random.Generator) -> str:
    return f"the {name.lower()}" if not name.startswith("The ") else _swapped(name, rng)


def _turned(name: str, rng: np.random.Generator) -> str:
    """Return the last word first, as in a list: Park, Royal Victoria."""
    first, _, last = name.rpartition(" ")
    return f"{last}, {first}" if first else _doubled(name, rng)


SLIPS: Sequence[Slip] = (_neighbour, _doubled, _dropped, _swapped, _by_ear, _shortened, _bare, _with_the, _turned)


def misspell(name: str, rng: np.random.Generator) -> str:
    """Return the name with one slip, or in one case of three with two; never as it was."""
    wrong = name
    while wrong.casefold() == name.casefold():
        for _ in range(1 + (rng.random() < 1 / 3)):
            wrong = SLIPS[rng.integers(len(SLIPS))](wrong, rng)
    return wrong


def misspelt(names: Sequence[str], count: int, seed: int) -> list[tuple[str, str]]:
    """Return pairs of a name and a misspelling of it."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(np.asarray(names, object), count)
    return [(str(name), misspell(str(name), rng)) for name in chosen]
