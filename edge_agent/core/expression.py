"""Expressions over tags: names, numbers, texts, arithmetic, comparison, and/or/not, ``bit(x, n)``.

Parsed to a tree and walked; nothing is ever run as code. A value that is not known makes the whole unknown,
unless ``and`` or ``or`` is decided before it is looked at.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

LONGEST = 500
DEEPEST = 30
_TOKEN = re.compile(
    r"\s*(?:(0x[0-9A-Fa-f]+|[0-9]+(?:\.[0-9]+)?)|([A-Za-z_][A-Za-z0-9_]*)|'([^']*)'|(==|!=|<=|>=|[-+*/%<>(),]))"
)
_WORDS = frozenset({"and", "or", "not", "bit", "true", "false"})
_ORDERED: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}
Value = float | str


class UnknownValue(Exception):
    """The expression has no value now; the text says why."""


@dataclass(frozen=True, slots=True)
class Constant:
    value: Value


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """operator: ``not``, ``-`` with one part; else two parts; ``bit`` too."""

    operator: str
    parts: tuple[Expression, ...]


Expression = Constant | Name | Operation


def parse_expression(text: str) -> Expression:
    """The tree; raises ValueError that names the place in the text."""
    if len(text) > LONGEST:
        raise ValueError(f"the expression is longer than {LONGEST} characters; split it into several rules")
    return _Parser(text).whole()


def names_in(expression: Expression) -> Iterator[str]:
    """Every name, as often as it is used."""
    if isinstance(expression, Name):
        yield expression.name
    elif isinstance(expression, Operation):
        for part in expression.parts:
            yield from names_in(part)


def evaluate(expression: Expression, values: Mapping[str, Value | None]) -> Value:
    """The value; a truth value is 1 or 0. Raises UnknownValue where a name has no value that is needed."""
    if isinstance(expression, Constant):
        return expression.value
    if isinstance(expression, Name):
        value = values.get(expression.name)
        if value is None:
            raise UnknownValue(f"{expression.name} is not known")
        return value
    return _operated(expression, values)


def is_true(value: Value) -> bool:
    """Numbers but 0, and texts but the empty one."""
    return bool(value)


def _operated(expression: Operation, values: Mapping[str, Value | None]) -> Value:
    sign, parts = expression.operator, expression.parts
    first = evaluate(parts[0], values)
    if sign == "not":
        return float(not is_true(first))
    if len(parts) == 1:
        return -_number(first)
    if sign == "and":
        return float(is_true(first) and is_true(evaluate(parts[1], values)))
    if sign == "or":
        return float(is_true(first) or is_true(evaluate(parts[1], values)))
    second = evaluate(parts[1], values)
    if sign in ("==", "!="):
        return float((first == second) is (sign == "=="))
    if sign in _ORDERED:
        return float(_ORDERED[sign](_number(first), _number(second)))
    if sign == "bit":
        return _bit(_number(first), _number(second))
    try:
        return _ARITHMETIC[sign](_number(first), _number(second))
    except (ZeroDivisionError, OverflowError):
        raise UnknownValue(f"{sign} has no result") from None


def _bit(of: float, number: float) -> float:
    try:
        return float(int(of) >> int(number) & 1)
    except (ValueError, OverflowError):
        raise UnknownValue("bit has no result") from None


def _number(value: Value) -> float:
    if isinstance(value, str):
        raise UnknownValue(f"'{value}' is a text, a number is wanted")
    return value


class _Parser:
    """Recursive descent; each level binds tighter than the one before."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self._tokens())
        self.at = 0
        self.depth = 0

    def _tokens(self) -> Iterator[tuple[str, str]]:
        """(kind, text) of each token."""
        place = 0
        while self.text[place:].strip():
            found = _TOKEN.match(self.text, place)
            if found is None:
                rest = self.text[place:].strip()
                mend = "write == to compare" if rest.startswith("=") else "use names, numbers and operators"
                raise ValueError(f"'{rest[:10]}' in the expression is not understood; {mend}")
            number, name, text, sign = found.groups()
            kind = "number" if number else "name" if name else "text" if text is not None else "sign"
            yield kind, number or name or sign or text or ""
            place = found.end()

    def whole(self) -> Expression:
        if not self.tokens:
            raise ValueError("the expression is empty; write for example run and speed > 0.5")
        expression = self._or()
        if self.at < len(self.tokens):
            self._refuse("an operator")
        return expression

    def _or(self) -> Expression:
        return self._row(self._and, "or")

    def _and(self) -> Expression:
        return self._row(self._not, "and")

    def _not(self) -> Expression:
        if self._take("not"):
            return Operation("not", (self._deeper(self._not),))
        return self._comparison()

    def _comparison(self) -> Expression:
        left = self._sum()
        for sign in ("==", "!=", "<=", ">=", "<", ">"):
            if self._take(sign):
                return Operation(sign, (left, self._sum()))
        return left

    def _sum(self) -> Expression:
        return self._row(self._product, "+", "-")

    def _product(self) -> Expression:
        return self._row(self._atom, "*", "/", "%")

    def _row(self, inner: Callable[[], Expression], *signs: str) -> Expression:
        left = inner()
        while sign := next((sign for sign in signs if self._take(sign)), None):
            left = Operation(sign, (left, inner()))
        return left

    def _atom(self) -> Expression:
        if self._take("-"):
            return Operation("-", (self._deeper(self._atom),))
        if self._take("("):
            inner = self._deeper(self._or)
            self._need(")")
            return inner
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")
        if kind not in ("number", "text", "name") or text in _WORDS - {"bit", "true", "false"}:
            self._refuse("a name or a number")
        self.at += 1
        if kind == "text":
            return Constant(text)
        if kind == "number":
            return Constant(float(int(text, 16) if text.startswith("0x") else float(text)))
        if text in ("true", "false"):
            return Constant(float(text == "true"))
        return self._bit() if text == "bit" else Name(text)

    def _bit(self) -> Expression:
        self._need("(")
        of = self._deeper(self._or)
        self._need(",")
        number = self._deeper(self._or)
        self._need(")")
        return Operation("bit", (of, number))

    def _deeper(self, inner: Callable[[], Expression]) -> Expression:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ValueError(f"the expression is nested deeper than {DEEPEST}; split it into several rules")
        found = inner()
        self.depth -= 1
        return found

    def _take(self, word: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] in (("name", word), ("sign", word)):
            self.at += 1
            return True
        return False

    def _need(self, word: str) -> None:
        if not self._take(word):
            self._refuse(f"'{word}'")

    def _refuse(self, wanted: str) -> None:
        found = f"'{self.tokens[self.at][1]}'" if self.at < len(self.tokens) else "the end"
        raise ValueError(f"{wanted} is missing before {found} in '{self.text}'; mend the expression")
