"""What one page is: its path, its name in the navigation, its template, who opens it, what it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cloud_api.access.roles import Area
from cloud_api.pages.asking import Asking


@dataclass(frozen=True, slots=True)
class Page:
    """A page. `show` gives what the template takes, and may raise QuestionError for a mistake in the address;
    values of the path's `{names}` are in `asking.path`. `name` is empty for a page outside the navigation.
    `script` is a file of `static/` that the page carries inside; a page without one runs no script at all."""

    path: str
    name: str
    template: str
    show: Callable[[Asking], dict[str, Any]]
    area: Area = Area.PAGE
    script: str | None = None
