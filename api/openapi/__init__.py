"""What describes the API: the OpenAPI 3.1 document, the page that shows it, and a collection to try it with."""

from __future__ import annotations

from flask import Flask

from api.openapi import page
from api.openapi.collection import collection
from api.openapi.document import document

__all__ = ["collection", "document", "register"]


def register(app: Flask) -> None:
    """Add the document, the collection and the page."""
    app.add_url_rule("/v1/openapi.json", "openapi", lambda: document())
    app.add_url_rule("/v1/collection.json", "collection", lambda: collection())
    page.register(app)
