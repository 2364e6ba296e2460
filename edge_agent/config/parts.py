"""A config in several files: what ``include`` names is put together before anything is read.

Included files hold sources, types, machines and instances; all paths in them start from the folder of the
main file.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edge_agent.config.document import Mapping, Scalar, Sequence, Tree, parse_document
from edge_agent.config.faults import Faults, did_you_mean
from edge_agent.config.sheet import text_of
from edge_agent.config.substitution import World, fill

NAMED = ("sources", "types", "machines")
LISTED = ("instances",)
_EMPTY = "'{}' is empty; write entries, each 'name: {{...}}', or remove it"


def put_together(main: Mapping, world: World, faults: Faults) -> Mapping:
    """The main file with the parts of every included file in it, and without include."""
    parts = {key.text: (key, value) for key, value in main.items()}
    include = parts.pop("include", None)
    folder = world.folder
    for named in _named(fill(include[1], world, faults) if include else None, faults):
        for path in _paths(folder, named, faults):
            _add(parts, _part(path, folder, named, faults), faults)
    for key, value in main.items():
        if key.text in NAMED and _is_empty(value) and not _is_empty(parts[key.text][1]):
            faults.add(value.place, _EMPTY.format(key.text))
    return Mapping(main.place, tuple(k for k, _ in parts.values()), tuple(v for _, v in parts.values()))


def _named(tree: Tree | None, faults: Faults) -> list[Scalar]:
    if tree is None:
        return []
    items = tree.items if isinstance(tree, Sequence) else (tree,)
    found = [item for item in items if isinstance(item, Scalar) and not item.absent]
    for item in items:
        if item not in found:
            faults.add(
                item.place, "'include' wants a list of files, such as [conf.d/*.yaml]; write their paths"
            )
    return [item for item in found if not item.broken]


def _paths(folder: Path, named: Scalar, faults: Faults) -> list[Path]:
    """The files that a pattern names, sorted."""
    if not any(sign in named.text for sign in "*?["):
        return [folder / named.text]
    pattern = Path(named.text)
    base = Path(pattern.anchor) if pattern.is_absolute() else folder
    try:
        found = sorted(base.glob(str(pattern.relative_to(pattern.anchor))))
    except (ValueError, IndexError):
        faults.add(named.place, f"include: '{named.shown}' is no pattern below {folder}; write conf.d/*.yaml")
        return []
    if not found:
        faults.warn(named.place, f"include: no file fits '{named.shown}'")
    return found


def _part(path: Path, folder: Path, named: Scalar, faults: Faults) -> Mapping | None:
    text = text_of(path, named, faults)
    if text is None:
        return None
    shown = (
        str(Path(named.place.file).parent / path.relative_to(folder))
        if path.is_relative_to(folder)
        else str(path)
    )
    tree = parse_document(text, shown, faults)
    if tree is not None and not isinstance(tree, Mapping):
        faults.add(
            tree.place, "an included file wants sources, types, machines or instances; write one of them"
        )
        return None
    return tree


def _add(parts: dict[str, tuple[Scalar, Tree]], more: Mapping | None, faults: Faults) -> None:
    """Add an included file to what is known; a name that stands twice is a mistake."""
    for key, value in more.items() if more is not None else ():
        if key.text in NAMED and _is_empty(value):
            faults.add(value.place, _EMPTY.format(key.text))
        if key.text not in (*NAMED, *LISTED):
            message = f"'{key.text}' cannot stand in an included file"
            faults.add(key.place, f"{message}; {did_you_mean(key.text, (*NAMED, *LISTED))}")
        elif key.text not in parts:
            parts[key.text] = (key, value)
        else:
            first, known = parts[key.text]
            parts[key.text] = (first, _joined(known, value, faults))


def _is_empty(tree: Tree) -> bool:
    return isinstance(tree, Mapping) and not tree.keys


def _joined(known: Tree, more: Tree, faults: Faults) -> Tree:
    if isinstance(known, Sequence) and isinstance(more, Sequence):
        return replace(known, items=(*known.items, *more.items))
    if not isinstance(known, Mapping) or not isinstance(more, Mapping):
        faults.add(more.place, "this is not of the same kind as in the file before; compare the two")
        return known
    merged = {key.text: (key, value) for key, value in known.items()}
    for key, value in more.items():
        if key.text in merged:
            first = merged[key.text][0].place
            message = f"'{key.text}' stands twice, first in {first.short}"
            faults.add(key.place, f"{message}; keep one of them")
        else:
            merged[key.text] = (key, value)
    return Mapping(known.place, tuple(k for k, _ in merged.values()), tuple(v for _, v in merged.values()))
