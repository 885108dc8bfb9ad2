from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, PositiveInt

from asr_s2s.config import PartConfig, read_config, write_config
from asr_s2s.errors import ConfigError

pytestmark = pytest.mark.unit


class Square(PartConfig):
    kind: Literal["square"]
    side: PositiveInt = 1


class Circle(PartConfig):
    kind: Literal["circle"]
    radius: float = 1.0
    layers: PositiveInt = 4


class Drawing(PartConfig):
    shape: Annotated[Square | Circle, Field(discriminator="kind")]
    shapes: list[Annotated[Square | Circle, Field(discriminator="kind")]] = Field(default=[])
    rate: float = 0.5
    name: str | None = None


def written(folder: Path, text: str) -> Path:
    path = folder / "drawing.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_kind_picks_the_part(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, "shape: {kind: circle, radius: 2}"), Drawing)
    assert config.shape == Circle(kind="circle", radius=2.0)


def test_an_unknown_key_names_its_path_and_the_nearest_known_key(tmp_path: Path) -> None:
    path = written(tmp_path, "shape: {kind: circle, layer: 2}")
    with pytest.raises(ConfigError) as caught:
        read_config(path, Drawing)
    assert str(caught.value) == f"{path}: shape.layer: unknown key, did you mean 'layers'?"


def test_an_unknown_key_at_the_top_is_caught_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"rat: unknown key, did you mean 'rate'\?"):
        read_config(written(tmp_path, "shape: {kind: circle}\nrat: 1.0"), Drawing)


def test_a_far_off_key_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"shape\.zzz: unknown key\. Known here: kind, side\."):
        read_config(written(tmp_path, "shape: {kind: square, zzz: 2}"), Drawing)


def test_all_faults_are_listed_at_once_with_the_value_given(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(written(tmp_path, "shape: {kind: square, side: -3}\nrate: fast"), Drawing)
    message = str(caught.value)
    assert "shape.side: Input should be greater than 0 (got -3)" in message
    assert "rate: Input should be a valid number (got 'fast')" in message


def test_a_list_item_is_named_by_its_number(tmp_path: Path) -> None:
    text = "shape: {kind: square}\nshapes: [{kind: square}, {kind: circle, radius: x}]"
    with pytest.raises(ConfigError, match=r"shapes\.1\.radius: Input should be a valid number"):
        read_config(written(tmp_path, text), Drawing)


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="shape: is missing"):
        read_config(written(tmp_path, "rate: 1.0"), Drawing)


def test_overrides_are_merged_before_the_check(tmp_path: Path) -> None:
    path = written(tmp_path, "shape: {kind: circle}\nrate: 1.0")
    assert read_config(path, Drawing, ["shape.radius=1e-3", "name=null"]).shape == Circle(kind="circle", radius=1e-3)
    with pytest.raises(ConfigError, match=r"shape\.radios: unknown key, did you mean 'radius'"):
        read_config(path, Drawing, ["shape.radios=1"])
    with pytest.raises(ConfigError, match="is not an override"):
        read_config(path, Drawing, ["shape.radius"])
    with pytest.raises(ConfigError, match="nothing can be set below it"):
        read_config(path, Drawing, ["rate.x=1"])


def test_scientific_notation_is_a_number(tmp_path: Path) -> None:
    assert read_config(written(tmp_path, "shape: {kind: square}\nrate: 5e-4"), Drawing).rate == 5e-4


def test_a_written_config_reads_back_equal(tmp_path: Path) -> None:
    config = Drawing(shape=Circle(kind="circle", radius=1e-7), name="schön")
    write_config(tmp_path / "out.yaml", config)
    assert read_config(tmp_path / "out.yaml", Drawing) == config


@pytest.mark.parametrize(("text", "words"), [("- 1", "not keys and values"), ("a: [", "not valid YAML")])
def test_files_that_are_no_mapping_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_config(written(tmp_path, text), Drawing)


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("rate: 0.1\nshape: {kind: square}\nrate: 0.2\n", "rate", 3),
        ("shape:\n  kind: circle\n  layers: 2\n  layers: 3\n", "layers", 4),
        ("shapes: [{kind: square, side: 1, 'side': 2}]\nshape: {kind: square}\n", "side", 1),
    ],
)
def test_a_key_that_stands_there_twice_is_refused_with_its_line(tmp_path: Path, text: str, key: str, line: int) -> None:
    with pytest.raises(ConfigError, match=rf"(?s)'{key}' is given twice.*line {line},"):
        read_config(written(tmp_path, text), Drawing)


def test_keys_that_are_merged_in_may_be_given_anew(tmp_path: Path) -> None:
    text = "shapes: [&a {kind: circle, layers: 2}, &b {<<: *a, layers: 3}]\nshape: {<<: *b, radius: 2.0}\n"
    assert read_config(written(tmp_path, text), Drawing).shape == Circle(kind="circle", radius=2.0, layers=3)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read"):
        read_config(tmp_path / "nowhere.yaml", Drawing)
