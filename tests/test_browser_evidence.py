"""Evidence in, in a real browser: a quiet session on a telephone, and a file with personal data from upload to store."""

import csv
import secrets
from pathlib import Path

import pytest

from app.settings import Settings
from app.wiring import Lapwing
from geo.model import Scope
from tests.browser import Watched, chromium, serving, sign_in
from tests.bytewatch import watching
from tests.conftest import PROJECT

pytestmark = pytest.mark.browser

PICTURES = PROJECT / "var/screenshots"
MAX_INPUTS = 6


class Counted:
    """A page on which every input of a person is counted."""

    def __init__(self, seen: Watched) -> None:
        self.page, self.inputs = seen.page, 0

    def fill(self, selector: str, text: str) -> None:
        self.inputs += 1
        self.page.fill(selector, text)

    def click(self, selector: str) -> None:
        self.inputs += 1
        self.page.click(selector)


def stored(home: Path, kind: str) -> list[dict[str, object]]:
    app = Lapwing(Settings(home=home, store=f"sqlite:///{home}/var/lapwing.db"))
    found = app.store.evidence.newest_records(Scope(), [kind], count=50)
    app.database.close()
    return found


def fits(page: object) -> bool:
    return page.evaluate("document.documentElement.scrollWidth") <= 320  # type: ignore[attr-defined]


def test_a_quiet_session_takes_at_most_six_inputs_on_a_telephone(tmp_path: Path) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with serving(tmp_path, role="coordinator") as served, chromium(width=320, height=640) as seen:
        sign_in(seen.page, served)
        seen.page.goto(f"{served.address}/records/new/effort")
        assert fits(seen.page)
        seen.page.screenshot(path=PICTURES / "session-phone.png", full_page=True)
        person = Counted(seen)
        person.fill("#area", "Royal Victoria Park")
        person.fill("#day", "2026-02-14")
        person.fill("#start", "19:00")
        person.fill("#end", "21:30")
        person.fill("#workers", "2")
        person.click("#nothing-seen")
        seen.page.wait_for_selector("text=Recorded.")
        assert fits(seen.page)
        seen.page.screenshot(path=PICTURES / "session-stored-phone.png", full_page=True)
        assert person.inputs <= MAX_INPUTS
        (record,) = stored(tmp_path, "effort")
        assert '"nothing_seen":"yes"' in str(record["detail"])
        assert '"workers":2' in str(record["detail"])
        assert (int(str(record["to_us"])) - int(str(record["from_us"]))) // 60_000_000 == 150

        seen.page.goto(f"{served.address}/records/new/effort")
        again = Counted(seen)
        again.click("#copy-last")
        again.fill("#day", "2026-02-21")
        again.click("#nothing-seen")
        seen.page.wait_for_selector("text=Recorded.")
        assert again.inputs == 3
        assert len(stored(tmp_path, "effort")) == 2
        seen.page.goto(f"{served.address}/records")
        assert fits(seen.page)
        assert seen.elsewhere == []
        assert seen.complaints == []


def a_file_with_secrets(path: Path, rows: int) -> list[bytes]:
    """Write a CSV of about 5 MB in which half of the notes hold something personal; returns what must be nowhere."""
    token = secrets.token_hex(4)
    letters = "".join(secrets.choice("bcdfghjklmnpqrstvwxyz") for _ in range(6)).capitalize()
    secret = [
        f"{token}.kay@example.org",
        f"@kay_{token}",
        f"Mrs {letters}ova",
        f"07700 900{secrets.randbelow(900) + 100}",
    ]
    filler = (
        "seen by the swings after dark, left towards the station when staff came near; nobody was hurt and nobody ran. "
    )
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "date", "longitude", "latitude", "kind", "notes"])
        for i in range(rows):
            note = filler * 3 + (f"ask {secret[i // 2 % 4]} about it" if i % 2 else "all quiet")
            writer.writerow([f"R{i:06d}", f"2026-03-{1 + i % 28:02d}", -2.36 + i * 1e-6, 51.38, "ASB", note])
    return [text.encode() for text in secret]


@pytest.mark.alone
def test_what_is_personal_in_an_upload_is_never_on_the_disk(tmp_path: Path) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    source = tmp_path / "theirs"
    source.mkdir()
    home = tmp_path / "home"
    home.mkdir()
    rows = 13_000
    needles = a_file_with_secrets(source / "council.csv", rows)
    assert (source / "council.csv").stat().st_size > 5_000_000
    with (
        serving(home) as served,
        chromium() as seen,
        watching(needles, folders=[home], processes=[served.process], ignore=[source]) as watch,
    ):
        page = seen.page
        sign_in(page, served)
        page.goto(f"{served.address}/imports")
        page.click("text=Import a file")
        page.select_option("#kind", "incidents")
        page.set_input_files("#file", source / "council.csv")
        page.fill("#source", "Anytown Council")
        page.screenshot(path=PICTURES / "import-1.png", full_page=True)
        page.click("text=Look at the file")
        page.wait_for_selector("text=Which column is what?")
        sealed = list((home / "var/uploads").iterdir())
        assert len(sealed) == 2
        assert all(file.stat().st_mode & 0o077 == 0 for file in sealed)
        page.screenshot(path=PICTURES / "import-2.png", full_page=True)
        page.click("text=Check every row")
        page.wait_for_selector("text=can be used", timeout=60_000)
        assert f"{rows // 2:,} rows of {rows:,} can be used" in page.inner_text("h1")
        assert not [one for one in needles if one.decode() in page.content()]
        page.screenshot(path=PICTURES / "import-3.png", full_page=True)
        page.click("text=Take the personal data out and keep the rows")
        page.wait_for_selector(f"text={rows:,} rows of {rows:,} can be used", timeout=60_000)
        page.click(f"text=Import {rows:,} rows")
        page.wait_for_selector("text=Imported:", timeout=120_000)
        page.screenshot(path=PICTURES / "import-4.png", full_page=True)
        assert list((home / "var/uploads").iterdir()) == []
        assert not page.context.cookies(f"{served.address}/imports") or all(
            one["name"] != "lapwing_upload" for one in page.context.cookies(f"{served.address}/imports")
        )
        assert seen.elsewhere == []
        assert seen.complaints == []
    assert watch.hits == []
    assert watch.looks > 50
    records = stored(home, "incidents")
    assert all("[removed: " in str(one["notes"]) or "all quiet" in str(one["notes"]) for one in records)


def test_a_cancelled_upload_leaves_nothing(tmp_path: Path) -> None:
    needles = a_file_with_secrets(tmp_path / "council.csv", 40)
    home = tmp_path / "home"
    home.mkdir()
    with serving(home) as served, chromium(width=320, height=640) as seen:
        page = seen.page
        sign_in(page, served)
        page.goto(f"{served.address}/imports/new?kind=incidents")
        assert fits(page)
        page.set_input_files("#file", tmp_path / "council.csv")
        page.click("text=Look at the file")
        page.wait_for_selector("text=Which column is what?")
        assert fits(page)
        page.click("text=Cancel and delete the upload")
        page.wait_for_url("**/imports")
        assert list((home / "var/uploads").iterdir()) == []
        page.goto(f"{served.address}/imports/columns")
        assert "Choose a file first" in page.inner_text("main")
    everything = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert not [one for one in needles if one in everything]
