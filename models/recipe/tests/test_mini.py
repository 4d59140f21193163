"""The Mini-Omni layout on our own trunk, with nets of few weights: delays, steps against the whole, training, export."""

import json
from pathlib import Path

import numpy as np
import torch

from trunkline_recipe.omni import train_mini
from trunkline_recipe.omni.delayed import LAYERS, embedded
from trunkline_recipe.omni.export_mini import TINY, halved
from trunkline_recipe.omni.export import tiny as tiny_voice
from trunkline_recipe.omni.mini import Mini, Said, fed
from trunkline_recipe.omni.mini_reference import Guide, OneLineTrunk, Row, speak
from trunkline_recipe.omni.mini_trunk import lead

VOICE = Path(__file__).parents[2] / "omni-voice"


def talkative():
    codec = tiny_voice()[1].eval()
    torch.manual_seed(5)
    mini = Mini(codec, **TINY)
    for head in mini.heads:
        torch.nn.init.normal_(head[2].weight, std=0.5)
    torch.nn.init.normal_(mini.into_state.weight, std=0.2)
    torch.nn.init.normal_(mini.into_trunk.weight, std=0.02)
    return halved(mini), codec


def test_a_step_is_told_layer_i_of_the_frame_i_and_one_steps_ago():
    entries = torch.arange(2 * LAYERS).view(1, 2, LAYERS, 1).float() + 1
    told, valid = fed(entries, torch.ones(1, 2), 8)
    for step in range(8):
        for layer in range(LAYERS):
            frame = step - 1 - layer
            there = 0 <= frame < 2
            assert valid[0, step, layer] == there
            assert told[0, step, layer, 0] == (frame * LAYERS + layer + 1 if there else 0)


def test_what_is_said_step_by_step_is_what_the_whole_says_when_told_the_same():
    mini, codec = talkative()
    torch.manual_seed(6)
    latents = torch.randn(1, 9, 64)
    trunk = OneLineTrunk()
    states = []
    read = trunk.read
    trunk.read = lambda item: (read(item), states.append(trunk.state.copy()))
    said = speak(Row(mini, codec, Guide(latents[0].numpy(), lambda texts: 9 if texts > 1 else 0)), trunk, 40, [10, 21, 32, 13])
    first = next(n for n, step in enumerate(said) if step[0] < 16)
    codes = torch.tensor([[[said[first + f + i][i] for i in range(LAYERS)] for f in range(9)]])
    state = torch.tensor(np.array(states[first : first + 15]), dtype=torch.float32)[None]
    whole = Said(mini, codec, latents, codes, torch.ones(1, 9), state, torch.ones(1, 15))
    assert torch.equal(whole.choice(torch.ones(1, 9) > 0).view(1, 9, LAYERS), codes)
    # Seven layers end one after the other, each after its last frame.
    assert [step[0] for step in said[first + 9 :]] == [16] + [17] * (len(said) - first - 10)


def test_untaught_heads_say_what_the_codec_would_choose_for_the_guide():
    codec = tiny_voice()[1].eval()
    mini = Mini(codec, **TINY)
    h = torch.randn(1, 16, 20)
    codes = codec.quantise(h)[1]
    from trunkline_recipe.omni.codec import interleave

    wanted = interleave(codes)
    latents = h.transpose(1, 2).reshape(1, 5, 64)
    said = Said(mini, codec, latents, wanted, torch.ones(1, 5))
    assert torch.equal(said.choice(torch.ones(1, 5) > 0).view(1, 5, LAYERS), wanted)


def test_speech_begins_when_two_words_stand_behind_the_first():
    text = "We open at nine today"
    offsets = [(0, 2), (2, 7), (7, 10), (10, 15), (15, 21)]
    # "at" is whole when the blank behind it is written, which the fourth token brings.
    assert lead(range(5), text, offsets) == 4
    assert lead(range(2), "Good morning", [(0, 4), (4, 12)]) == 3


def test_training_goes_on_where_it_stopped(tmp_path, monkeypatch, capsys):
    random = np.random.default_rng(0)
    counts = [8] * 6
    frames = sum(counts)
    np.savez(
        tmp_path / "codes-00000.npz", line=np.arange(6), counts=counts, latents=random.standard_normal((frames, 768)).astype(np.float16),
        codes=random.integers(0, 4096, (frames, LAYERS)).astype(np.uint16), points=random.standard_normal((frames, LAYERS, 32)).astype(np.float16),
    )
    for steps in ("20", "40"):
        monkeypatch.setattr("sys.argv", ["train", str(tmp_path), str(VOICE), str(tmp_path / "run"), "--tiny", "--steps", steps, "--batch", "24", "--rate", "3e-3"])
        train_mini.main()
    logs = [json.loads(text) for text in capsys.readouterr().out.splitlines() if text.startswith("{")]
    assert [log["step"] for log in logs] == [20, 40]
    assert logs[1]["error"] < logs[0]["error"]


def test_books_are_looked_up_by_layer():
    codec = tiny_voice()[1].eval()
    codes = torch.randint(0, 16, (1, 3, LAYERS))
    entries = embedded(codec, codes)
    assert torch.equal(entries[0, 1, 4], codec.levels[1].book[codes[0, 1, 4]])
