"""Folium maps that load nothing from third parties and live under a Content-Security-Policy with a nonce."""

import json
import re
from functools import cache
from pathlib import PurePosixPath
from typing import Any

import folium
from branca.element import Element, Figure, JavascriptLink, Link, MacroElement
from folium.template import Template
from markupsafe import Markup

from maps.page import MapParts, ThirdPartyAsset
from maps.vendor import VENDOR


@cache
def _vendored() -> dict[str, str | None]:
    manifest = VENDOR / "manifest.json"
    if not manifest.is_file():
        raise ThirdPartyAsset("The browser assets are missing; run: make setup")
    remote: dict[str, str | None] = json.loads(manifest.read_text(encoding="utf-8"))["remote"]
    return remote


class OfflineFigure(Figure):
    """A Folium root that yields parts for our own page and refuses every address it does not know."""

    def __init__(self, nonce: str, *, static_url: str) -> None:
        super().__init__()
        self.nonce, self.static_url = nonce, static_url
        _children_of(self.header).pop("meta_http", None)

    def parts(self) -> MapParts:
        """Render once; call it once, since Folium adds header elements at every rendering."""
        for child in self._children.values():
            child.render()
        header = _children_of(self.header)
        for name in ("css_style", "map_style"):  # full-window rules that would stop our page from scrolling
            header.pop(name, None)
        # The map's own head: a viewport that forbids zoom (WCAG 1.4.4) and sizes, which our style sheet sets.
        for child in self._children.values():
            header.pop(child.get_name(), None)
        self._localise(self.header)
        return MapParts(
            Markup(self._nonced(self.header.render())),  # noqa: S704 - scripts by design; data text must not reach it
            Markup(self.html.render()),  # noqa: S704
            Markup(f'<script nonce="{self.nonce}">{self.script.render()}</script>'),  # noqa: S704
        )

    def _localise(self, node: Element) -> None:
        children = _children_of(node)
        for name, child in list(children.items()):
            if isinstance(child, Link) and not self._point_home(child):
                del children[name]
            else:
                self._localise(child)

    def _point_home(self, link: Link) -> bool:
        """Give a link its vendored address; False when the page needs no such file."""
        if link.url.startswith(self.static_url):
            return True
        if link.url not in _vendored():
            raise ThirdPartyAsset(f"{link.url} is not vendored: add it to REMOTE in maps/vendor.py")
        local = _vendored()[link.url]
        if local is not None:
            link.url = f"{self.static_url}vendor/{local}"
        return local is not None

    def _nonced(self, head: str) -> str:
        return re.sub(r"<(script|style)(?=[\s>])", rf'<\1 nonce="{self.nonce}"', head)


def _children_of(node: Element) -> dict[str, Element]:
    children: dict[str, Element] = node._children  # noqa: SLF001 - branca offers no other way to remove a child
    return children


class OfflineMap(folium.Map):
    """A Folium map without base tiles in an `OfflineFigure`; our style sheet gives `.folium-map` its size."""

    def __init__(self, *, nonce: str, static_url: str, **options: Any) -> None:
        super().__init__(**{"tiles": None, **options})
        self._parent = None  # type: ignore[assignment]  # leave the Figure that Folium made
        self.figure = OfflineFigure(nonce, static_url=static_url)
        self.figure.add_child(self)


class Attach(MacroElement):
    """Hand the Leaflet map and a JSON configuration to `window.lapwing.attach` of static scripts."""

    _template = Template(
        "{% macro script(this, kwargs) %}window.lapwing.attach({{ this._parent.get_name() }}, {{ this.config|tojson }});{% endmacro %}"
    )

    def __init__(self, config: dict[str, Any], *, script_urls: tuple[str, ...]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Attach"
        self.config, self.script_urls = config, script_urls

    def render(self, **kwargs: Any) -> str:
        """Ask for the static scripts in the head, then add the call."""
        root = self.get_root()
        if not isinstance(root, Figure):
            raise TypeError("add the element to a map before rendering")
        for url in self.script_urls:
            root.header.add_child(JavascriptLink(url), name=f"lapwing_{PurePosixPath(url).stem}")
        rendered: str = super().render(**kwargs)  # type: ignore[no-untyped-call]
        return rendered
