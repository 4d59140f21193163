"""Our own LLaMA-Omni voice and the published family's reference, with nets of a few thousand weights."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from trunkline_recipe.families.llama_omni import network, tiny, vocoder
from trunkline_recipe.families.llama_omni.layers import inverse_frequencies
from trunkline_recipe.llama_omni import export, import_units, train_decoder, train_vocoder, units
from trunkline_recipe.llama_omni.reference import UnitVoice
from trunkline_recipe.llama_omni.train_vocoder import merged
from trunkline_recipe.llama_omni.unit_data import layout, times
from trunkline_recipe.llama_omni.unit_vocoder import NEIGHBOURS
from trunkline_recipe.omni.import_voice import tensors
from trunkline_recipe.omni.symbols import phoneme_ids, read_sentence

from test_omni_voice import halved, line, shards  # noqa: F401

VOICE = Path(__file__).parents[2] / "piper-joe"


def test_positions_share_a_symbols_time_evenly():
    table = np.full(151, 2)
    table[7] = 4
    index, place = layout(np.array([7, 9]), table)
    assert index.tolist() == [0, 0, 0, 0, 1, 1]
    middle, share = times(np.array([8, 3]), index, place)
    assert middle.tolist() == [1, 3, 5, 7, 8.75, 10.25]
    assert share.tolist() == [2, 2, 2, 2, 1.5, 1.5]


def test_ctc_gives_a_blanks_time_to_the_unit_before_it():
    found, time = merged(np.array([9, 3, 3, 9, 3, 5, 9]), np.array([1.0, 1, 2, 1, 1, 2, 3]), 9)
    assert found.tolist() == [3, 3, 5]
    assert time.tolist() == [5, 1, 5]
    assert len(merged(np.array([9, 9]), np.ones(2), 9)[0]) == 0


def test_the_tied_projection_prefers_the_nearest_unit():
    decoder = export.tiny()[0]
    x = torch.randn(50, decoder.generator.heard.in_features)
    y = decoder.generator.heard(x)
    weight, bias = decoder.generator.output_proj()
    assert torch.equal((x @ weight.T + bias).argmax(1), torch.cdist(y, decoder.generator.centres).argmin(1))
    torch.testing.assert_close(decoder.generator.logits(y), x @ weight.T + bias, atol=1e-4, rtol=1e-4)


def test_exported_graphs_say_what_the_modules_say(tmp_path):
    decoder, vocoder_, basis, positions = export.tiny()
    decoder, vocoder_ = halved(decoder), halved(vocoder_)
    files = export.write_graphs(decoder, vocoder_, basis, tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps(export.manifest(decoder, vocoder_, positions, files, "")))
    voice = UnitVoice(tmp_path)
    sentence = read_sentence(line(["wiː", "ɑːɹ", "ˈoʊpən", "fɹʌm", "nˈaɪn"]), phoneme_ids(VOICE))
    hidden = np.random.default_rng(0).standard_normal((5, 8)).astype(np.float32)
    features, told = voice.encode(sentence.symbols, sentence.words, hidden)
    index, place = layout(np.array(sentence.symbols), positions)
    with torch.no_grad():
        y, lengths, _ = decoder(torch.tensor([sentence.symbols]), torch.tensor([sentence.words]), torch.from_numpy(hidden[None]), torch.ones(1, 5), torch.from_numpy(index)[None], torch.from_numpy(place)[None])
        wanted = decoder.generator.logits(y)[0].argmax(1).numpy()
    np.testing.assert_allclose(told, lengths[0].numpy(), rtol=1e-3)
    found, _ = voice.symbols(features, sentence.symbols)
    assert (found == wanted).mean() > 0.97  # The projection is kept in half precision.
    said, time = voice.said(sentence, hidden)
    assert time.sum() == pytest.approx(told.sum(), rel=1e-5)
    _, durations = voice.describe(said, time)
    with torch.no_grad():
        lengths = vocoder_.encoder(*vocoder_.encoder.framed(torch.from_numpy(said)[None], torch.from_numpy(time)[None].float()))[1]
    np.testing.assert_allclose(durations, lengths[0].numpy(), rtol=1e-3)


def test_a_units_duration_depends_on_its_neighbours_alone():
    net = export.tiny()[1].encoder
    torch.nn.init.normal_(net.length_out.weight)
    said, times = torch.randint(0, 20, (1, 30)), 3 * torch.rand(1, 30)
    before = net(*net.framed(said, times))[1]
    said[0, 20:], times[0, 20:] = 3, 1
    after = net(*net.framed(said, times))[1]
    torch.testing.assert_close(before[:, : 20 - NEIGHBOURS], after[:, : 20 - NEIGHBOURS])


def test_a_units_duration_is_the_told_time_until_something_was_learnt():
    net = train_vocoder.UnitVocoder(torch.randn(20, 4), **train_vocoder.TINY).encoder
    said, times = torch.randint(0, 20, (1, 30)), 3 * torch.rand(1, 30)
    torch.testing.assert_close(net(*net.framed(said, times))[1], times)


def test_training_lowers_the_error_and_goes_on_where_it_stopped(shards, tmp_path, monkeypatch, capsys):  # noqa: F811
    found, run = tmp_path / "units.npz", tmp_path / "decoder"
    monkeypatch.setattr("sys.argv", ["units", str(shards), str(found), "--units", "60", "--size", "12", "--voice", str(VOICE)])
    units.main()
    for module, more in ((train_decoder, []), (train_vocoder, ["--decoder", str(run)])):
        where = run if module is train_decoder else tmp_path / "vocoder"
        for count in ("50", "150"):
            monkeypatch.setattr("sys.argv", ["train", str(shards), str(found), str(where), "--tiny", "--steps", count, "--batch", "400", *more])
            module.main()
        logs = [json.loads(text) for text in capsys.readouterr().out.splitlines() if text.startswith("{")]
        assert [log["step"] for log in logs] == [50, 100, 150]
        assert logs[-1]["loss"] < 0.9 * logs[0]["loss"]


def test_the_shipped_voice_is_read_back_and_exported_as_it_was(tmp_path):
    shipped = VOICE.parent / "omni-units"
    told, decoder, vocoder_ = import_units.load_units(shipped, VOICE.parent / "omni-voice")
    export.write_graphs(decoder, vocoder_, {n: torch.from_numpy(told[n]) for n in ("mean", "down", "up")}, tmp_path)
    for name in ("symbol-encoder", "unit-encoder", "unit-frames", "speech-decoder"):
        for a, b in zip(tensors(tmp_path / f"{name}.onnx"), tensors(shipped / f"{name}.onnx"), strict=True):
            # The projection on units was rounded when it was written out; it is tied anew.
            near = 1e-2 if a.shape[-1] == len(decoder.generator.centres) + 1 else 1e-3
            np.testing.assert_allclose(a.astype(np.float32), b.astype(np.float32), rtol=near, atol=near)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("llama-omni")
    tiny.write_tiny(folder, 3)
    return folder


def test_the_reference_is_llama_of_transformers(published):
    transformers = pytest.importorskip("transformers")
    c = network.read_config(published / "config.json")
    state = dict(network.Checkpoint(published))
    config = transformers.LlamaConfig(**{k: v for k, v in tiny.CONFIG.items() if k in ("num_hidden_layers", "hidden_size", "num_attention_heads", "num_key_value_heads", "intermediate_size", "vocab_size", "max_position_embeddings", "rope_theta", "rms_norm_eps", "rope_scaling")}, tie_word_embeddings=False)
    theirs = transformers.LlamaForCausalLM(config).eval()
    theirs.load_state_dict({k: v for k, v in state.items() if k in theirs.state_dict()}, strict=True)
    ids = list(range(5, 90))
    with torch.no_grad():
        wanted = theirs(torch.tensor([ids]), output_hidden_states=True).hidden_states[-1][0]
        ours = network.LlamaOmni(c, state)
        torch.testing.assert_close(ours.hidden(ours.embed(ids)), wanted, atol=1e-5, rtol=1e-4)


def test_slow_rotations_are_stretched_and_fast_ones_are_not():
    plain, scaled = inverse_frequencies(64, 500000.0), inverse_frequencies(64, 500000.0, {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192})
    assert torch.equal(plain[:10], scaled[:10])
    torch.testing.assert_close(scaled[-5:], plain[-5:] / 8)


def test_the_speech_decoder_is_causal(published):
    c = network.read_config(published / "config.json")
    model = network.LlamaOmni(c, dict(network.Checkpoint(published)))
    states = torch.randn(6, c.width)
    with torch.no_grad():
        assert model.symbols(states)[: 4 * c.upsample] == model.symbols(states[:4])


def test_every_unit_lasts_a_frame_at_least_and_a_frame_is_320_samples(published):
    made = vocoder.load_vocoder(published / "vocoder")
    said = torch.arange(40)
    frames = made.durations(said)
    assert frames.min() >= 1
    assert len(made.sound(said)) == 40 * 320 == 40 * made.samples_per_frame


@pytest.mark.parametrize("spoil, words", [({"model_type": "llama"}, "omni_speech2s_llama"), ({"speech_generator_type": "ar"}, "not supported"), ({"ctc_upsample_factor": None, "ctc_decoder_config": "(2)"}, "lacks or misstates")])
def test_a_config_of_something_else_is_refused(published, tmp_path, spoil, words):
    (tmp_path / "config.json").write_text(json.dumps(tiny.CONFIG | spoil))
    with pytest.raises(SystemExit, match=words):
        network.read_config(tmp_path / "config.json")


def test_a_checkpoint_of_other_sizes_is_refused(published):
    c = network.read_config(published / "config.json")
    shapes = network.expected_shapes(c) | {"lm_head.weight": (1, 1), "speech_generator.layers.9.mlp.up_proj.weight": (2, 2)}
    with pytest.raises(SystemExit, match="lm_head.weight is .*missing"):
        network.Checkpoint(published).check(shapes)
