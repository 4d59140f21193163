"""The mean of two states of the recogniser: python -m trunkline_recipe.ear.blend EARLIER.pt LATER.pt OUT.pt [--share 0.5]

What tuning gained on new voices and what it lost on others lie on one straight line between the weights, with less loss than
gain in its middle (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"). `--share` is the later one's.
"""

import argparse
from pathlib import Path

import torch


def blend(earlier, later, share):
    """Side by side (`decoder`, `encoder`), tensor by tensor."""
    mixed = {}
    for side in ("decoder", "encoder"):
        if earlier[side].keys() != later[side].keys():
            raise ValueError(f"the {side}s hold different tensors")
        mixed[side] = {name: torch.lerp(value.float(), later[side][name].float(), share) for name, value in earlier[side].items()}
    return mixed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("earlier", type=Path)
    parser.add_argument("later", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--share", type=float, default=0.5)
    arguments = parser.parse_args()
    torch.save(blend(torch.load(arguments.earlier), torch.load(arguments.later), arguments.share), arguments.out)


if __name__ == "__main__":
    main()
