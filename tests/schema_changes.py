"""What a change of a JSON Schema would break for those who send what the schema before allowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

SAYS_NOTHING = {"$comment", "$defs", "$schema", "anyOf", "description", "discriminator", "title"}
"""Keys that allow or forbid nothing by themselves, or that are looked at through ``anyOf``."""

AT_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems")
AT_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


def incompatible(old: Schema, new: Schema) -> list[str]:
    """Every way in which the new schema refuses, or reads differently, what the old one allowed; a sentence each."""
    found = list(_breaks("a line", old, new))
    for name, definition in old.get("$defs", {}).items():
        if name in new.get("$defs", {}):
            found += _breaks(name, definition, new["$defs"][name])
        else:
            found.append(f"{name}: removed or renamed")
    return found


def _breaks(at: str, old: Schema, new: Schema) -> Iterator[str]:
    choices = {_kind(choice): choice for choice in _choices(new)}
    for choice in _choices(old):
        wider = [kind for kind in _as_wide_as(_kind(choice)) if kind in choices]
        if wider:
            yield from _breaks_of_one(at, choice, choices[wider[0]])
        else:
            yield f"{at}: {_kind(choice)} is no longer taken"


def _choices(schema: Schema) -> list[Schema]:
    """The alternatives of a schema, one for each type or definition."""
    if "anyOf" in schema:
        return [one for choice in schema["anyOf"] for one in _choices(choice)]
    types = schema.get("type")
    return [schema | {"type": each} for each in types] if isinstance(types, list) else [schema]


def _kind(schema: Schema) -> str:
    return str(schema.get("$ref", schema.get("type", "a word" if "enum" in schema else "anything")))


def _as_wide_as(kind: str) -> tuple[str, ...]:
    return (kind, "number", "anything") if kind == "integer" else (kind, "anything")


def _breaks_of_one(at: str, old: Schema, new: Schema) -> Iterator[str]:
    looked_at = SAYS_NOTHING | {"type"}
    for check in (_fields, _items, _words, _bounds):
        keys, found = check(at, old, new)
        looked_at |= keys
        yield from found
    for key in sorted({*old, *new} - looked_at):
        if old.get(key) != new.get(key) and not (key != "default" and key not in new):
            yield f"{at}: {key} changed"


def _fields(at: str, old: Schema, new: Schema) -> tuple[set[str], list[str]]:
    before, after = old.get("properties", {}), new.get("properties", {})
    found = [f"{at}.{name}: removed or renamed" for name in before if name not in after]
    for name in new.get("required", ()):
        if name not in old.get("required", ()):
            found.append(f"{at}.{name}: {'optional before, now required' if name in before else 'new and required'}")
    for name in before:
        if name in after:
            found += _breaks(f"{at}.{name}", before[name], after[name])
    return {"properties", "required"}, found


def _items(at: str, old: Schema, new: Schema) -> tuple[set[str], list[str]]:
    if "items" not in old and "items" not in new:
        return {"items"}, []
    return {"items"}, list(_breaks(f"{at}[]", old.get("items", {}), new.get("items", {})))


def _words(at: str, old: Schema, new: Schema) -> tuple[set[str], list[str]]:
    if "enum" not in new:
        return {"enum"}, []
    if "enum" not in old:
        return {"enum"}, [f"{at}: only some words are taken now"]
    return {"enum"}, [f"{at}: {word!r} is no longer taken" for word in old["enum"] if word not in new["enum"]]


def _bounds(at: str, old: Schema, new: Schema) -> tuple[set[str], list[str]]:
    found = [f"{at}: {key} raised" for key in AT_LEAST if key in new and new[key] > old.get(key, float("-inf"))]
    found += [f"{at}: {key} lowered" for key in AT_MOST if key in new and new[key] < old.get(key, float("inf"))]
    return {*AT_LEAST, *AT_MOST}, found
