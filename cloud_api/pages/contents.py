"""Every page, in the order of the navigation."""

from __future__ import annotations

from cloud_api.pages.evidence import evidence
from cloud_api.pages.home import home
from cloud_api.pages.page import Form, Page

PAGES: tuple[Page, ...] = (
    Page("/", "Overview", "home.html", home),
    Page("/segments", "Evidence", "segments.html", evidence),
)

FORMS: tuple[Form, ...] = ()
