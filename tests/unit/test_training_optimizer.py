"""Which part of a model learns how fast."""

import pytest
import torch
from torch import nn

from asr_s2s.errors import ConfigError
from asr_s2s.training.optimizer import make_optimizer, set_rate

pytestmark = pytest.mark.unit


def network() -> nn.ModuleDict:
    parts = {"encoder": nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3)), "decoder": nn.Linear(3, 2)}
    return nn.ModuleDict(parts)


def test_each_weight_gets_the_share_of_the_longest_beginning_and_zero_freezes() -> None:
    model = network()
    optimizer = make_optimizer(model, weight_decay=0.0, shares={"encoder": 0.5, "encoder.1": 0.1, "encoder.1.bias": 0})
    set_rate(optimizer, 2e-3)
    rates = {id(weight): group["lr"] for group in optimizer.param_groups for weight in group["params"]}
    found = {name: rates.get(id(weight)) for name, weight in model.named_parameters()}
    assert found == {
        "encoder.0.weight": 1e-3,
        "encoder.0.bias": 1e-3,
        "encoder.1.weight": 2e-4,
        "encoder.1.bias": None,
        "decoder.weight": 2e-3,
        "decoder.bias": 2e-3,
    }
    assert not model.get_parameter("encoder.1.bias").requires_grad


def test_a_frozen_part_stays_as_it_is_to_the_bit() -> None:
    model = network()
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    optimizer = make_optimizer(model, weight_decay=0.1, shares={"encoder": 0})
    set_rate(optimizer, 0.1)
    torch.autograd.backward(model["decoder"](model["encoder"](torch.ones(1, 3))).sum())
    optimizer.step()
    moved = {name for name, weight in model.named_parameters() if not torch.equal(weight, before[name])}
    assert moved == {"decoder.weight", "decoder.bias"}


def test_a_beginning_of_no_weight_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        ConfigError, match=r"training\.rates: no weight .* begins with 'encodr', did you mean 'encoder'"
    ):
        make_optimizer(network(), weight_decay=0.0, shares={"encodr": 0.1})


@pytest.mark.parametrize(
    ("old", "new"), [("encoder.subsampling", "encoder.stem"), ("encoder.norm.bias", "encoder.tail.bias")]
)
def test_a_beginning_that_was_renamed_is_answered_with_the_new_one(old: str, new: str) -> None:
    parts = {"stem": nn.Linear(2, 2), "tail": nn.LayerNorm(2)}
    with pytest.raises(ConfigError, match=f"begins with '{old}', did you mean '{new}'"):
        make_optimizer(nn.ModuleDict({"encoder": nn.ModuleDict(parts)}), weight_decay=0.0, shares={old: 0.0})


def test_a_model_of_frozen_weights_alone_is_refused() -> None:
    with pytest.raises(ConfigError, match="every weight is frozen"):
        make_optimizer(network(), weight_decay=0.0, shares={"encoder": 0, "decoder": 0})
