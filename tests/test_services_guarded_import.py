"""Two hundred texts with planted identifiers go through the command line; none of them lies anywhere afterwards."""

import csv
import secrets
from pathlib import Path

import pytest

from tests.bytewatch import watching
from tests.corpus import clean_texts, planted_texts
from tests.files import BATH, command

HEADER = ("id", "date", "longitude", "latitude", "kind", "registration", "notes")


def write(path: Path, texts: list[str], mark: str) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = [[i, "2026-03-09", *BATH, "ASB", mark, text] for i, text in enumerate(texts)]
        csv.writer(stream).writerows([HEADER, *rows])
    return path


@pytest.mark.parametrize(("kind", "flags"), [("incidents", ["--redact"]), ("incidents", []), ("observations", [])])
@pytest.mark.alone
def test_what_is_planted_is_nowhere_on_the_disk(tmp_path: Path, kind: str, flags: list[str]) -> None:
    home, theirs = tmp_path / "home", tmp_path / "theirs"
    home.mkdir()
    theirs.mkdir()
    token = secrets.token_hex(5)
    mark = "AB12 CDE"
    planted = planted_texts(200, 7)
    unique = [f"write to {token}{i}@example.org now" for i in range(20)]
    texts = [one.text for one in planted] + unique
    needles = [f"{token}{i}@example.org".encode() for i in range(20)]
    path = write(theirs / "a.csv", texts, mark)
    with watching(needles, folders=[home], ignore=[theirs]) as watch:
        done = command(home, "import", kind, path, *flags, "--json")
        listed = command(home, "quarantine", "--json", "-o", home / "corrections.csv")
        command(home, "quality", "--json")
    assert done.code == 0
    assert watch.hits == []
    counts = done.json
    assert counts["read"] == 220 == counts["accepted"] + counts["rejected"] + counts["duplicates"]
    if flags:
        assert counts["redacted"] >= 0.98 * 220
        assert counts["rejected"] == 0
    else:
        assert counts["reasons"]["personal_data"] >= 0.98 * 220
    everything = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    everything += done.out.encode() + done.err.encode() + listed.out.encode()
    values = {value for one in planted for value in one.values if len(value) >= 6}
    left = [value for value in values if value.encode() in everything]
    assert len(left) <= 0.02 * len(values), left
    assert mark.encode() not in everything
    assert mark.replace(" ", "").encode() not in everything


def test_clean_texts_are_kept_as_they_are(tmp_path: Path) -> None:
    texts = clean_texts(200, 7)
    done = command(tmp_path, "import", "observations", write(tmp_path / "a.csv", texts, ""), "--json")
    assert done.json["rejected"] <= 0.05 * 200
