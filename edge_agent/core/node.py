"""OPC UA node ids as people write them: ``ns=2;s=Press1.State``, ``nsu=urn:maker:line;s=Press1.State``,
``i=2258``.

A namespace index may change when the server restarts, a URI does not: ``nsu=`` is the better way to write it.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from dataclasses import dataclass

_NODE = re.compile(r"^(?:(ns)=([0-9]{1,5});|(nsu)=([^;]+);)?([sigb])=(.*)$", re.DOTALL)
_STEP = re.compile(r"\[([0-9]{1,6})\]|\.?([^.\[\]]+)")
_KINDS = {"s": "text", "i": "number", "g": "GUID", "b": "base64 bytes"}


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """A node: in namespace ``index``, or in the namespace named ``uri`` (then index is None).

    kind: ``s`` text, ``i`` number, ``g`` GUID, ``b`` base64 bytes; identifier is kept as text. path: from the
    node's value down to the wanted one: fields of structures by name, elements of arrays by number from 0.
    """

    kind: str
    identifier: str
    index: int | None = 0
    uri: str | None = None
    path: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return self._node() + shown_path(self.path)

    def _node(self) -> str:
        if self.uri is not None:
            return f"nsu={self.uri};{self.kind}={self.identifier}"
        space = f"ns={self.index};" if self.index else ""
        return f"{space}{self.kind}={self.identifier}"


def parse_node(text: str) -> NodeAddress:
    """Read a node id; raises ValueError with the mend."""
    found = _NODE.match(text.strip())
    if found is None:
        raise ValueError(f"'{text}' is not a node id; {_hint(text)}")
    kind, identifier = found.group(5), found.group(6)
    _check_identifier(kind, identifier)
    if found.group(3):
        return NodeAddress(kind, identifier, None, found.group(4).strip())
    index = int(found.group(2)) if found.group(1) else 0
    if index > 65535:
        raise ValueError(
            f"namespace index {index} is beyond 65535; write nsu=URI;... or the index that browse shows"
        )
    return NodeAddress(kind, identifier, index)


def parse_path(text: str) -> tuple[str | int, ...]:
    """``[3]``, ``.Speed`` or ``.Axes[2].Speed``: steps into an array or structure; raises ValueError."""
    steps: list[str | int] = []
    at, text = 0, text.strip()
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None or (at and found.group(2) and text[at] != "."):
            raise ValueError(f"'{text}' is not a path; write [3] for an element, .Speed for a field")
        steps.append(int(found.group(1)) if found.group(1) else found.group(2).strip())
        at = found.end()
    if not steps:
        raise ValueError("the path is empty; write [3] for an element, .Speed for a field, or remove it")
    return tuple(steps)


def shown_path(steps: tuple[str | int, ...]) -> str:
    """A path as it is written."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def _check_identifier(kind: str, identifier: str) -> None:
    """Raise ValueError where the part behind s= i= g= b= is not of its kind."""
    if not identifier:
        raise ValueError(f"nothing stands behind '{kind}='; give the {_KINDS[kind]} of the node")
    if kind == "i" and not (identifier.isascii() and identifier.isdigit() and int(identifier) < 2**32):
        raise ValueError(f"'i={identifier}' needs a number from 0 to 4294967295; use s= for a text")
    if kind == "g":
        try:
            uuid.UUID(identifier)
        except ValueError:
            raise ValueError(
                f"'g={identifier}' is not a GUID; write g=09087e75-8e5e-499b-954f-f2a9603db28a"
            ) from None
    if kind == "b":
        try:
            base64.b64decode(identifier, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"'b={identifier}' is not base64; copy the node id from browse") from None


def _hint(text: str) -> str:
    if "," in text and ";" not in text:
        return f"separate its parts by a semicolon: {text.replace(',', ';', 1)}"
    if text.strip().startswith(("ns=", "nsu=")):
        return "behind the semicolon comes s= (text), i= (number), g= (GUID) or b= (base64)"
    return "write for example ns=2;s=Press1.State or nsu=urn:maker:line;s=Press1.State"
