"""What describes the API: the OpenAPI 3.1 document, the page that shows it, and a collection to try it with."""

from __future__ import annotations

from flask import Flask, render_template

from api.openapi.document import document

__all__ = ["document", "register"]


def _page() -> str:
    return render_template("docs.html", openapi=document(), lang="vi")


def register(app: Flask) -> None:
    """Add the document and its page."""
    app.add_url_rule("/v1/openapi.json", "openapi", lambda: document())
    app.add_url_rule("/docs", "docs", _page)
