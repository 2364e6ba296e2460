"""What a what-if is asked: which machine and product, over which window, and what is tried."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from cloud_api.answers.options import Option
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.question import Mistake, Question, QuestionError, near
from cloud_api.interpret.plant import Standard
from cloud_api.interpret.whatif import Change

ZERO, ONE = Decimal(0), Decimal(1)

OPTIONS = (
    Option("cycle_s", "Ideal cycle, seconds.", "number"),
    Option("yield", "good / (good + scrap), above 0 to 1.", "number"),
    Option("crew", "People.", "number"),
    Option("lot_size", "Good units to a changeover.", "number"),
    Option("price", "Sales price of a unit.", "number"),
    Option("relief_h", "Hours a year more at the constraint.", "number"),
    Option("investment", "What it takes, once.", "number"),
    Option("years", "Whole years that it lasts, for the net present value.", "number", default="10"),
    Option("rate", "Interest a year; 0.08 is 8 %.", "number", default="0.08"),
)
_ABOVE_ZERO = ("cycle_s", "yield", "lot_size")


@dataclass(frozen=True, slots=True)
class Tried:
    """What is tried: None stays as it is."""

    change: Change
    price: Decimal | None
    relief_h: Decimal
    investment: Decimal | None
    years: int
    rate: Decimal


def read_tried(question: Question) -> Tried:
    """What a question tries. Raises QuestionError for a number that cannot be."""
    mistakes = []
    values: dict[str, Decimal] = {}
    for option in OPTIONS:
        text = question.options.get(option.name)
        if text is None:
            continue
        try:
            values[option.name] = Decimal(text)
        except InvalidOperation:
            mistakes.append(Mistake(option.name, f"{text!r} is no number"))
            continue
        low = values[option.name] <= 0 if option.name in _ABOVE_ZERO else values[option.name] < 0
        if low:
            mistakes.append(Mistake(option.name, "is below what can be; give a number above 0"))
    if values.get("yield", ONE) > 1:
        mistakes.append(Mistake("yield", "is a share, at most 1: 0.97 is 97 %"))
    years = values.get("years", Decimal(10))
    if years != int(years) or not 1 <= years <= 100:
        mistakes.append(Mistake("years", "is a whole number from 1 to 100"))
    if mistakes:
        raise QuestionError(mistakes)
    return Tried(
        Change(
            cycle_s=values.get("cycle_s"),
            yield_=values.get("yield"),
            crew=values.get("crew"),
            lot_size=values.get("lot_size"),
        ),
        values.get("price"),
        values.get("relief_h", ZERO),
        values.get("investment"),
        int(years),
        values.get("rate", ZERO),
    )


def subject(question: Question) -> tuple[Site, Machine, str, Standard]:
    """The machine and the product that a question names, with its standard at the end of the window."""
    mistakes = [
        Mistake(name, f"names one {name}; give just one")
        for name in ("machine", "product")
        if len(question.names(name) or ()) != 1 or question.names(name) == (None,)
    ]
    mistakes += [
        Mistake(name, "is missing; name the window to try it on")
        for name, value in (("from", question.from_us), ("to", question.to_us))
        if value is None
    ]
    found = [one for one in question.machines if one.line is not None]
    if not mistakes and len(found) != 1:
        mistakes.append(Mistake("machine", "is in no plant model, or at several sites; name a site"))
    if mistakes:
        raise QuestionError(mistakes)
    machine = found[0]
    site = next(site for site in question.sites if site.name == machine.site)
    product = str((question.names("product") or ("",))[0])
    assert site.book is not None
    assert question.to_us is not None
    date = site.book.effective(question.to_us - 1)
    standard = site.book.standard(machine.name, product, date, "ante")
    if standard is None:
        known = {row.product for row in site.book.plant.standards if row.machine == machine.name}
        message = f"{product!r} has no standard on {machine.name}{near(product, known)}"
        raise QuestionError([Mistake("product", message)])
    return site, machine, product, standard
