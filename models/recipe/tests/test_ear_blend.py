"""The mean of two recognisers."""

import pytest
import torch

from trunkline_recipe.ear.blend import blend


def state(value):
    return {side: {"weight": torch.full((2, 3), value)} for side in ("decoder", "encoder")}


def test_share_is_the_later_ones():
    mixed = blend(state(0.0), state(4.0), 0.25)
    assert torch.equal(mixed["encoder"]["weight"], torch.full((2, 3), 1.0))


def test_states_of_different_nets_are_refused():
    other = state(1.0)
    other["decoder"]["bias"] = torch.zeros(3)
    with pytest.raises(ValueError):
        blend(state(0.0), other, 0.5)
