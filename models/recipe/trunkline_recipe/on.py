"""Runs a module of the recipe on a device: python -m trunkline_recipe.on cpu|cuda omni.train_talker ARGUMENTS …

Every tensor that a trainer makes, weights included, is made on that device. Without CUDA a plain error.
"""

import runpy
import sys

import torch


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("cpu", "cuda"):
        raise SystemExit("recipe.usage: python -m trunkline_recipe.on cpu|cuda MODULE ARGUMENTS …")
    device, module = sys.argv[1:3]
    if device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("recipe.no-cuda: this torch finds no CUDA device. Fix: --device cpu, or install a build of torch with CUDA.")
    torch.set_default_device(device)
    sys.argv = [module, *sys.argv[3:]]
    runpy.run_module(f"{__package__}.{module}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
