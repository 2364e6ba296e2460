"""What one page or one form of a page is; the tables of them are in `contents`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cloud_api.access.roles import Area
from cloud_api.acts.actor import Actor
from cloud_api.pages.asking import Asking


@dataclass(frozen=True, slots=True)
class Page:
    """A page. `show` gives what the template takes, and may raise QuestionError for a mistake in the address;
    values of the path's `{names}` are in `asking.path`. `name` is empty for a page outside the navigation;
    a `plant` page stands in its second row, with what is not a question of finance. `script` is a file of
    `static/` that the page carries inside; a page without one runs no script at all."""

    path: str
    name: str
    template: str
    show: Callable[[Asking], dict[str, Any]]
    area: Area = Area.PAGE
    script: str | None = None
    plant: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What a form tells in its own answer: what is never shown again, as a key, or what it would do."""

    template: str
    values: Mapping[str, Any]


def once(title: str, secret: str, advice: str, back: str) -> Told:
    """A secret that is told once: what it is, what to do with it, the page to go back to."""
    return Told("once.html", {"title": title, "secret": secret, "advice": advice, "back": back})


@dataclass(frozen=True, slots=True)
class Form:
    """What a page sends when a button is pressed: POST to `path`, with `token` = `asking.form_token` among
    its fields. `perform` gets the actor and the fields (an uploaded file as its text), in one transaction,
    and gives the address to go to, or what is told at once; it may raise what an Action may
    (QuestionError, Conflict, Missing)."""

    path: str
    area: Area
    perform: Callable[[Actor, Mapping[str, str]], str | Told]
