"""The Lapwing application: command line, web service, use cases and their wiring."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.settings import Settings


def create_app(settings: "Settings | None" = None) -> "Flask":
    """Make the web application (for ``flask --app app`` and WSGI servers)."""
    from app.settings import load_settings
    from app.web import make_app
    from app.wiring import Lapwing

    return make_app(Lapwing(settings or load_settings()))
