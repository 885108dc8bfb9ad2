"""From a YAML file to a checked, frozen tree of typed parts.

Two layers only: the YAML file and the pydantic model. ``key=value`` overrides are merged into the parsed YAML before
validation, so that they are checked in the same way.
"""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from asr_s2s.errors import ConfigError
from asr_s2s.files import write_text
from asr_s2s.inputs import read_text

MOST_BYTES = 1_000_000  # of a configuration
MOST_MERGED_KEYS = 1_000  # of one mapping: a few lines of nested merges can stand for billions
LONGEST_SHOWN = 80  # characters of a faulty value
RENAMED = {"features": "input", "model.encoder.subsampling": "model.encoder.stem"}  # what older files call a key

# Beyond every published network, and far below what no machine can hold: a model's configuration may come from anywhere
Width = Annotated[int, Field(ge=1, le=65_536)]
Layers = Annotated[int, Field(ge=1, le=256)]


class PartConfig(BaseModel):
    """What every room's config class extends: frozen, strictly typed, unknown keys refused, numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Config = TypeVar("Config", bound=PartConfig)


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads ``1e-3`` as a string, to everyone's surprise; this loader reads it as a number.

    Of a key that stands there twice PyYAML takes the last value without a word; this loader refuses it.
    """

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Read keys and values as they are written, each key once."""
        node = super().compose_mapping_node(anchor)
        keys: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in keys:
                raise yaml.composer.ComposerError(None, None, f"{key.value!r} is given twice", key.start_mark)
            keys.add(key.value)
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge the keys of ``<<``, as long as they stay few."""
        super().flatten_mapping(node)
        if len(node.value) > MOST_MERGED_KEYS:
            raise yaml.constructor.ConstructorError(None, None, "merges too many keys", node.start_mark)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d[\d_]*)(\.[\d_]*)?[eE][-+]?\d+$"),
    list("-+0123456789"),
)


def kind_of(path: Path) -> str | None:
    """Return what a configuration file says it is of, its `kind`; None if it says nothing, or cannot be read."""
    try:
        tree = _content(path)
    except ConfigError:
        return None
    return tree.get("kind") if isinstance(tree, dict) else None


def read_config(path: Path, kind: type[Config], overrides: Sequence[str] = (), *, older: bool = False) -> Config:
    """Read and check one configuration file, with ``dotted.key=value`` overrides merged in first.

    older: a key that was renamed may have its old name, as in a model directory of an earlier version
    Raises ConfigError that lists every fault with its dotted path and, for an unknown key, the nearest known one.
    """
    tree = _mapping(_content(path), str(path))
    for override in overrides:
        _merge(tree, override)
    if older:
        _rename(tree)
    return check_config(tree, kind, origin=str(path))


def parse_config(content: str, kind: type[Config], *, origin: str) -> Config:
    """Read and check a configuration that was read already; origin begins each message. Raises ConfigError."""
    tree = _parsed(content, origin=f"{origin}: is not valid YAML")
    return check_config(_mapping(tree, origin), kind, origin=origin)


def check_config(tree: dict[str, Any], kind: type[Config], *, origin: str) -> Config:
    """Validate a parsed tree; origin begins each message."""
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        raise config_error(error, tree, origin=origin) from error


def config_error(error: ValidationError, tree: dict[str, Any], *, origin: str) -> ConfigError:
    """Word what is wrong with a parsed tree; origin begins each line."""
    return ConfigError("\n".join(f"{origin}: {_fault(item, tree, error)}" for item in error.errors()))


def _mapping(tree: Any, origin: str) -> dict[str, Any]:
    if not isinstance(tree, dict):
        raise ConfigError(f"{origin}: holds {type(tree).__name__}, not keys and values. Write 'key: value' lines.")
    return tree


def write_config(path: Path, config: PartConfig) -> None:
    """Write a config so that read_config gives an equal one back."""
    write_text(path, config_text(config))


def config_text(config: PartConfig) -> str:
    """Return a config as YAML, in the order of its fields."""
    tree = config.model_dump(mode="json")
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=120)


def _content(path: Path) -> Any:
    text = read_text(path, error=ConfigError, advice="Name an existing YAML file.", most=MOST_BYTES)
    return _parsed(text, origin=f"{path}: is not valid YAML")


def _parsed(text: str, *, origin: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader
    except Exception as error:  # PyYAML raises ValueError, IndexError, KeyError, RecursionError beside its own
        raise ConfigError(f"{origin}: {error or type(error).__name__}") from error


def _merge(tree: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"'{override}' is not an override. Write dotted.key=value, such as training.epochs=3.")
    *parents, last = key.split(".")
    node = tree
    for parent in parents:
        child = node.setdefault(parent, {})
        if child is None:
            child = node[parent] = {}
        if not isinstance(child, dict):
            raise ConfigError(f"{key}: '{parent}' holds the value {child!r}, so nothing can be set below it.")
        node = child
    node[last] = _parsed(value, origin=f"{key}: the value {value!r} is not valid YAML")


def _rename(tree: dict[str, Any]) -> None:
    """Bring renamed keys to their new names, but for those that stand beside their new name: they are faults."""
    for old, new in RENAMED.items():
        *parents, last = old.split(".")
        node: Any = tree
        for parent in parents:
            node = node.get(parent) if isinstance(node, dict) else None
        name = new.split(".")[-1]
        if isinstance(node, dict) and last in node and name not in node:
            node[name] = node.pop(last)


def _fault(item: ErrorDetails, tree: dict[str, Any], error: ValidationError) -> str:
    """Word one validation error: the path as the user wrote it, what is wrong, what is near."""
    path = _written_path(item["loc"], tree)
    dotted = ".".join(path)
    if item["type"] == "extra_forbidden":
        if dotted in RENAMED:
            return f"{dotted}: is called '{RENAMED[dotted]}' now. Rename it."
        near = difflib.get_close_matches(path[-1], _known_keys(error, item), n=1, cutoff=0.5)
        hint = f", did you mean '{near[0]}'?" if near else f". Known here: {', '.join(_known_keys(error, item))}."
        return f"{dotted}: unknown key{hint}"
    if item["type"] == "missing":
        return f"{dotted}: is missing. Add it."
    return f"{dotted}: {item['msg'].removeprefix('Value error, ')}{_got(item['input'])}"


def _got(given: Any) -> str:
    """Show a faulty value, if it is short enough to help."""
    if isinstance(given, dict | list | tuple):
        return ""
    try:
        shown = repr(given)
    except ValueError:  # Python refuses to write an integer of thousands of digits
        return ""
    return f" (got {shown if len(shown) <= LONGEST_SHOWN else shown[:LONGEST_SHOWN] + '...'})"


def _written_path(location: tuple[int | str, ...], tree: Any) -> list[str]:
    """Drop the tags of unions, which pydantic puts into the location but no file contains."""
    path: list[str] = []
    node = tree
    for index, part in enumerate(location):
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            if index < len(location) - 1:
                continue
        path.append(str(part))
    return path


def _known_keys(error: ValidationError, item: ErrorDetails) -> list[str]:
    """Ask the schema for the keys allowed beside the unknown one: walk the root model along the location."""
    fields: dict[str, Any] = {}
    for model in _models_along(_root_model(error), list(item["loc"][:-1])):
        fields = model.model_fields
    return sorted(fields)


def _root_model(error: ValidationError) -> type[BaseModel]:
    """Find the class whose validation failed; pydantic's error carries only its name."""
    pending: list[type[BaseModel]] = [PartConfig]
    while pending:
        model = pending.pop()
        if model.__name__ == error.title:
            return model
        pending.extend(model.__subclasses__())
    return PartConfig


def _models_along(root: type[BaseModel], location: list[int | str]) -> list[type[BaseModel]]:
    """List the config classes met on the way down a location; union tags pick a member by its kind."""
    found = [root]
    candidates: list[type[BaseModel]] = [root]
    for part in location:
        by_field = [field.annotation for model in candidates if (field := model.model_fields.get(str(part)))]
        if by_field:
            candidates = [model for annotation in by_field for model in _models_in(annotation)]
        else:
            tagged = [model for model in candidates if _kind(model) == part]
            candidates = tagged or candidates
        if len(candidates) == 1:
            found.append(candidates[0])
    return found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in getattr(annotation, "__args__", ()) for model in _models_in(inner)]


def _kind(model: type[BaseModel]) -> str | None:
    field = model.model_fields.get("kind")
    literal = getattr(field.annotation, "__args__", (None,)) if field else (None,)
    return literal[0] if isinstance(literal[0], str) else None
