"""Training on another device than the processor: every tensor of a step is made there.

There is no CUDA where tests run. The device "meta" stands for it: it computes shapes alone, and refuses an operation on
tensors of two devices as CUDA does.
"""

import subprocess
import sys

import numpy as np
import pytest
import torch

from trunkline_recipe.brain.tune import Tuning
from trunkline_recipe.brain.network import Trunk
from trunkline_recipe.llama_omni import train_decoder
from trunkline_recipe.llama_omni.speech_decoder import SpeechDecoder
from trunkline_recipe.omni import train_codec, train_talker
from trunkline_recipe.omni.codec import Codec
from trunkline_recipe.omni.data import Shards
from trunkline_recipe.omni.talker import TRUNK_WIDTH, Talker
from trunkline_recipe.omni.together import Triples
from trunkline_recipe.omni.trunk_states import States

from test_omni_voice import shards  # noqa: F401
from test_together import SIZES, nets, triples  # noqa: F401


@pytest.fixture(autouse=True)
def elsewhere():
    torch.set_default_device("meta")
    yield
    torch.set_default_device("cpu")


def gradients(loss, net):
    assert loss.device.type == "meta"
    loss.backward()
    return {p.grad.device.type for p in net.parameters() if p.grad is not None}


def basis():
    return {"mean": torch.zeros(192), "down": torch.zeros(192, 2), "up": torch.zeros(2, 192)}


def test_two_devices_are_refused():
    with pytest.raises(RuntimeError):
        torch.zeros(3) + torch.zeros(3, device="cpu")


def test_the_talker(shards):  # noqa: F811
    data, talker = Shards(shards), Talker(**train_talker.TINY, out=4)
    inputs = train_talker.batch(data, [0, 1, 2], basis(), States(None, TRUNK_WIDTH), np.random.default_rng(0))
    assert gradients(sum(train_talker.losses(talker, inputs)), talker) == {"meta"}


def test_the_codec(shards):  # noqa: F811
    codec = Codec(basis(), **train_codec.TINY).eval()
    q, _, commit = codec.quantise(codec.encode(codec.heard(train_codec.crops(Shards(shards), np.random.default_rng(0), 2)))[0])
    assert gradients(codec.decode(q).sum() + commit, codec) == {"meta"}


def test_the_speech_decoder(shards):  # noqa: F811
    data, decoder = Shards(shards), SpeechDecoder(torch.zeros(9, 4), **train_decoder.TINY)
    given, _, _ = train_decoder.inputs(data, [0, 1], np.full(151, 2), States(None, TRUNK_WIDTH), np.random.default_rng(0))
    assert gradients(sum(part.sum() for part in decoder(*given)[::2]), decoder) == {"meta"}


def test_the_trunk_alone():
    tuning = Tuning(Trunk(SIZES), 1)
    tuning.read([1, 2, 3])
    hidden = tuning.trunk(torch.tensor([[4, 5]]), [list(pair) for pair in tuning.past], 3)
    assert gradients(tuning.trunk.logits(hidden).sum(), tuning.trunk) == {"meta"}


def test_all_together(triples):  # noqa: F811
    torch.set_default_device("cpu")
    data = Shards(triples / "latents")
    rows = Triples(triples, "train", data).rows[:2]
    net, _ = nets()
    torch.set_default_device("meta")
    net.to("meta")
    net.basis = basis()
    text, _, states = net(rows, [False, True])
    error, duration = net.sound(data, rows, states, np.random.default_rng(0))
    assert gradients(text + error + duration, net) == {"meta"}


def test_without_cuda_the_recipe_says_so():
    if torch.cuda.is_available():
        pytest.skip("there is CUDA")
    run = subprocess.run([sys.executable, "-m", "trunkline_recipe.on", "cuda", "omni.train_codec", "--help"], capture_output=True, text=True)
    assert run.returncode != 0 and "recipe.no-cuda" in run.stderr and "Fix:" in run.stderr
