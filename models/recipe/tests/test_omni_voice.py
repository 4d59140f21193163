"""The voice's recipe end to end with nets of a few thousand weights: run `python -m pytest tests` in models/recipe."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from trunkline_recipe.omni import basis, import_voice, listen, sentences, train_codec, train_codec_ear, train_talker, trunk_states
from trunkline_recipe.omni.codec import LEFT_FRAMES, Codec, interleave, separate
from trunkline_recipe.omni.codec_ear import CodecEar, latents_of, times, tune_rows
from trunkline_recipe.omni.codec_ear_speech import sampled, warp
from trunkline_recipe.omni.delayed import Delayed, StepGraph, delay, generate, losses
from trunkline_recipe.omni.draw import draw
from trunkline_recipe.omni.export import ear_graph, manifest, tiny, write_graph, write_graphs
from trunkline_recipe.omni.reference import Voice, steps
from trunkline_recipe.omni.symbols import padded, phoneme_ids, read_sentence
from trunkline_recipe.omni.talker import LEFT_SYMBOLS, Talker, steps_of
from trunkline_recipe.omni.teacher import LEAD, TAIL, merge, session

VOICE = Path(__file__).parents[2] / "piper-joe"


def line(words, end="."):
    said = [{"text": w, "start": 0, "end": 1, "phonemes": w, "joined": False, "pause": ""} for w in words]
    return json.dumps({"text": " ".join(words), "words": said, "end": end})


def halved(net):
    """Its weights as float16 keeps them."""
    for value in net.state_dict().values():
        if value.dtype == torch.float32:
            value.copy_(value.half().float())
    return net.eval()


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Forty invented sentences whose latents say their symbols."""
    folder = tmp_path_factory.mktemp("latents")
    random = np.random.default_rng(1)
    table = random.standard_normal((151, 192)).astype(np.float32)
    kept = {"symbols": [], "words": [], "durations": [], "z": []}
    for _ in range(40):
        count = random.integers(8, 30)
        symbols = random.integers(14, 40, count).astype(np.uint8)
        durations = random.integers(2, 9, count).astype(np.uint8)
        kept["symbols"].append(symbols)
        kept["words"].append((np.arange(count) // 4).astype(np.uint8))
        kept["durations"].append(durations)
        kept["z"].append(np.repeat(table[symbols], durations, 0).astype(np.float16))
    np.savez(
        folder / "latents-00000.npz", line=np.arange(40), symbolCounts=[len(s) for s in kept["symbols"]],
        frameCounts=[len(z) for z in kept["z"]], **{k: np.concatenate(v) for k, v in kept.items()},
    )
    return folder


def test_symbols_belong_to_words_with_the_pause_and_blank_behind_them():
    ids = phoneme_ids(VOICE)
    sentence = read_sentence(line(["haɪ", "ðɛɹ"], "?"), ids)
    assert sentence.symbols == [ids[c] for c in ["^", *"haɪ ", *"ðɛɹ?", "$"]]
    assert sentence.words == [0] * 5 + [1] * 5
    assert padded([1, 5, 2]) == [1, 0, 5, 0, 2]


def test_pads_count_for_the_symbol_before_and_silence_at_the_ends_is_cut():
    frames = np.array([20, 2, 3, 1, 9, 4, 15])  # ^ _ p _ . _ $
    durations, z = merge(frames, np.arange(54)[:, None])
    assert durations.tolist() == [LEAD, 4, TAIL - 1, 1]
    assert len(z) == durations.sum()
    assert z[0, 0] == 20 and z[LEAD, 0] == 22


def test_steps_lie_in_the_symbol_of_their_middle():
    durations = torch.tensor([2.0, 0.5, 3.5, 2.0])
    index, position = steps_of(durations, 6)
    # Times 1, 3, 5, 7, 9, 11; symbols end at 2, 2.5, 6, 8.
    assert index.tolist() == [0, 2, 2, 3, 3, 3]
    assert position[1, 0] == pytest.approx(np.log1p(0.5))
    assert position[4, 1] == 0
    again = steps(durations.numpy(), 6)
    assert again[0].tolist() == index.tolist()
    np.testing.assert_allclose(again[1], position.numpy(), atol=1e-6)


def test_layers_come_in_the_order_of_snacs_tree():
    codes = [torch.tensor([[0, 7]]), torch.tensor([[1, 4, 8, 11]]), torch.tensor([[2, 3, 5, 6, 9, 10, 12, 13]])]
    assert interleave(codes)[0].tolist() == [list(range(7)), list(range(7, 14))]
    assert all(torch.equal(a, b) for a, b in zip(separate(interleave(codes)), codes))


def test_decoded_latents_never_change_when_more_frames_come():
    codec = tiny()[1]
    codec.eval()
    codes = [torch.randint(0, 16, (1, n * 6)) for n in (1, 2, 4)]
    whole = codec(*codes)
    start = codec(*[c[:, : 4 * n] for c, n in zip(codes, (1, 2, 4))])
    torch.testing.assert_close(whole[:, :, :32], start, atol=1e-5, rtol=0)
    late = codec(*[c[:, (4 - LEFT_FRAMES) * n :] for c, n in zip(codes, (1, 2, 4))])
    torch.testing.assert_close(whole[:, :, 32:], late[:, :, 8 * LEFT_FRAMES :], atol=1e-5, rtol=0)


def test_features_depend_on_two_words_ahead_and_no_more():
    torch.manual_seed(3)
    talker = Talker(width=16, condition=4, trunk=8).eval()
    words = torch.arange(40)[None] // 4
    symbols = torch.randint(14, 40, (1, 40))
    hidden, known = torch.randn(1, 10, 8), torch.ones(1, 10)
    torch.nn.init.normal_(talker.encoder.condition_up.weight)
    before = talker.encoder(symbols, words, hidden, known)[0]
    changed = symbols.clone()
    changed[0, 24:] = 41  # From word 6 on.
    other = hidden.clone()
    other[0, 6:] = 0
    after = talker.encoder(changed, words, other, known)[0]
    torch.testing.assert_close(before[:, :16], after[:, :16])  # Words 0 to 3 see up to word 5.
    assert (before[:, 16:20] - after[:, 16:20]).abs().max() > 1e-4  # Word 4 sees word 6.


def test_exported_graphs_stream_what_the_modules_make_at_once(tmp_path):
    talker, codec, delayed, _ = tiny()
    torch.nn.init.normal_(talker.encoder.condition_up.weight)
    torch.nn.init.normal_(delayed.points[0][2].weight)
    files = write_graphs(halved(talker), halved(codec), tmp_path, halved(delayed))
    (tmp_path / "manifest.json").write_text(json.dumps(manifest(talker, codec, files, "")))
    voice = Voice(tmp_path)
    ids = phoneme_ids(VOICE)
    sentence = read_sentence(line(["wiː", "ɑːɹ", "ˈoʊpən", "fɹʌm", "nˈaɪn", "tə", "fˈaɪv", "ˈɛvɹi", "dˈeɪ"]), ids)
    assert len(sentence.symbols) > 2 * LEFT_SYMBOLS
    hidden = np.random.default_rng(0).standard_normal((9, 8)).astype(np.float32)
    features, durations = voice.encode(sentence.symbols, sentence.words, hidden)
    with torch.no_grad():
        whole, lengths, _ = talker.encoder(torch.tensor([sentence.symbols]), torch.tensor([sentence.words]), torch.from_numpy(hidden[None]), torch.ones(1, 9))
    np.testing.assert_allclose(features, whole[0].numpy(), atol=2e-5)
    np.testing.assert_allclose(durations, lengths[0].numpy(), atol=2e-5)
    slow = durations + 3
    one, four = voice.codes(features, slow, chunk=1), voice.codes(features, slow, chunk=1000)
    assert all(np.array_equal(a, b) for a, b in zip(one, four))
    np.testing.assert_allclose(voice.latents(one, 1), voice.latents(one, 1000), atol=1e-5)
    z = voice.latents(one)
    with torch.no_grad():
        h, _ = codec.encode(codec.heard(torch.from_numpy(z[None])))
        wanted = codec.quantise(h)[1]
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(voice.encode_latents(z), wanted))


def test_seven_layers_are_the_same_exported_and_not(tmp_path):
    talker, codec, delayed, _ = (halved(net) for net in tiny())
    for head in delayed.points:
        torch.nn.init.normal_(head[2].weight)
    files = write_graphs(talker, codec, tmp_path, delayed)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest(talker, codec, files, "")))
    h = torch.randn(1, 16, 24)
    wanted = separate(generate(StepGraph(delayed, codec), h, 6))
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(Voice(tmp_path).seven_layers(h.numpy()), wanted))


def test_training_lowers_the_error_and_goes_on_where_it_stopped(shards, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["basis", str(shards), str(tmp_path / "basis.npz"), "--size", "12", "--voice", str(VOICE)])
    basis.main()
    for module, extra in ((train_codec, []), (train_talker, ["--batch", "400"])):
        run = tmp_path / module.__name__.split(".")[-1]
        for count in ("50", "150"):
            monkeypatch.setattr("sys.argv", ["train", str(shards), str(tmp_path / "basis.npz"), str(run), "--tiny", "--steps", count, *extra])
            module.main()
        logs = [json.loads(text) for text in capsys.readouterr().out.splitlines() if text.startswith("{")]
        assert [log["step"] for log in logs] == [50, 100, 150]
        assert logs[-1]["error"] < 0.8 * logs[0]["error"]


def test_states_are_those_of_the_tokens_of_a_word():
    # "I'm at home": tokens I | 'm | at | ho | me
    offsets = [(0, 1), (1, 3), (3, 6), (6, 9), (9, 11)]
    assert trunk_states.words_of(offsets, [(0, 3), (4, 6), (7, 11)]) == [[0, 1], [2], [3, 4]]


def test_a_sentence_is_always_in_the_same_part():
    assert sentences.part("We close at five.") == sentences.part("we close at FIVE")
    assert sentences.nth(11) == "11th" and sentences.nth(22) == "22nd"


def test_the_delayed_form_begins_as_the_codecs_own_choice_and_repeats_its_training():
    torch.manual_seed(4)
    codec = tiny()[1].eval()
    net = Delayed(width=16, code_width=4, hidden=24).eval()
    h = torch.randn(1, 16, 20)
    codes = interleave(codec.quantise(h)[1])
    graph = StepGraph(net, codec)
    assert torch.equal(generate(graph, h, 5), codes)
    for head in net.points:
        torch.nn.init.normal_(head[2].weight, std=0.3)
    said = generate(graph, h, 5)
    assert not torch.equal(said, codes)
    # Told its own codes, training's one pass finds each of them the likeliest.
    _, right = losses(net, codec, h, said, torch.ones(1, 5), corrupt=0)
    assert right.tolist() == [1.0] * 7


def test_layers_are_delayed_by_one_step_to_seven():
    frames = torch.arange(1, 15).view(1, 2, 7, 1).float()
    steps = delay(frames, torch.zeros(1, 1, 1))[0, :, :, 0]
    assert steps[:, 0].tolist() == [1, 8, 0, 0, 0, 0, 0, 0, 0]
    assert steps[:, 6].tolist() == [0, 0, 0, 0, 0, 0, 7, 14, 0]


def test_the_codecs_ear_is_the_same_exported_and_not_at_any_length(tmp_path):
    torch.manual_seed(6)
    _, codec, _, ear = (halved(net) for net in tiny())
    write_graph(tmp_path, "codec-ear", *ear_graph(ear, codec))
    graph = session(tmp_path / "codec-ear.onnx")
    for frames, latents in ((12, 8), (60, 88), (30, 64)):
        hidden, tune = torch.randn(1, frames, 8), torch.randn(1, latents, 4)
        with torch.no_grad():
            y = ear(hidden, tune)
        z = graph.run(None, {"hidden": hidden.numpy(), "tune": tune.numpy()})[0]
        np.testing.assert_allclose(codec.heard(torch.from_numpy(z)).transpose(1, 2).reshape(1, latents, 2).numpy(), (y @ codec.up @ codec.down).detach().numpy(), atol=1e-4)


def test_states_are_brought_to_where_the_latents_stand():
    second = torch.arange(50.0)[None, None] / 50
    np.testing.assert_allclose(CodecEar.stretched(second, 80)[0, 0].numpy(), times(80), atol=1e-5)
    # A second of speech makes 86.13 latents: eleven frames of eight.
    assert latents_of(16000) == 88 and latents_of(1) == 8


def test_the_tune_does_not_depend_on_who_speaks_or_how_loud():
    second = np.arange(16000) / 16000
    octave = lambda hertz: np.cumsum(hertz * 2 ** (0.3 * np.sin(5 * second))) / 16000  # noqa: E731
    said = [tune_rows((loud * sum(np.sin(2 * np.pi * k * octave(hertz)) / k for k in range(1, 8))).astype(np.float32), 80) for hertz, loud in ((110, 0.05), (200, 0.3))]
    assert said[0][:, 1].mean() > 0.9 and said[0][:, 0].max() - said[0][:, 0].min() > 0.4
    np.testing.assert_allclose(said[0][5:-5, 0], said[1][5:-5, 0], atol=0.06)
    np.testing.assert_allclose(said[0][5:-5, 3], said[1][5:-5, 3], atol=0.2)
    assert not tune_rows(np.zeros(16000, np.float32), 80)[:, :3].any() and tune_rows(np.zeros(10, np.float32), 8).shape == (8, 4)


def test_moments_of_another_speaker_get_what_the_voice_says_there():
    random = np.random.default_rng(3)
    own = np.repeat(random.standard_normal((20, 80)), 5, 0).astype(np.float32) + 0.05 * random.standard_normal((100, 80)).astype(np.float32)
    slow = np.repeat(own, 2, 0) + 0.05 * random.standard_normal((200, 80)).astype(np.float32)
    moments, cost = warp(slow, own)
    assert cost < 0.2 and np.abs(moments - np.arange(200) / 2).mean() < 2
    rows = np.arange(12.0)[:, None]
    np.testing.assert_allclose(sampled(rows, np.array([-1, 0.5, 30]))[:, 0], [0, 0.5, 11])


def test_the_codecs_ear_learns_and_goes_on_where_it_stopped(tmp_path, monkeypatch, capsys):
    random = np.random.default_rng(4)
    turn = random.standard_normal((12, 6)).astype(np.float32) / 3
    for shard in ("human-00000", "pairs-00000", "pairs-00001"):
        latents = random.integers(100, 300, 40)
        frames = [int(n * 50 * 256 / 22050) + 2 for n in latents]
        states = [np.repeat(random.standard_normal((f // 5 + 1, 12)), 5, 0)[:f].astype(np.float32) for f in frames]
        y = [CodecEar.stretched(torch.from_numpy(s.T[None]), int(n))[0].T.numpy() @ turn for s, n in zip(states, latents)]
        np.savez(tmp_path / f"{shard}.npz", who=["joe", "joe", "joe", "human 1.0"] * 10, frames=frames, latents=latents, states=np.concatenate(states), tune=np.zeros((latents.sum(), 4)), y=np.concatenate(y))
    for count in ("50", "250"):
        monkeypatch.setattr("sys.argv", ["train", str(tmp_path), str(tmp_path / "run"), "--tiny", "--latents", "1200", "--steps", count, "--without", "human"])
        train_codec_ear.main()
    logs = [json.loads(text) for text in capsys.readouterr().out.splitlines() if text.startswith("{")]
    assert [log["step"] for log in logs] == [50, 100, 150, 200, 250]
    assert logs[-1]["error"] < 0.5 * logs[0]["error"]
    assert set(logs[-1]["kept"]) == {"joe", "human"} and logs[-1]["kept"]["human"] > 0.5


def test_shipped_weights_come_back_into_torch_and_out_again_the_same(tmp_path):
    model = VOICE.parent / "omni-voice"
    talker, codec = import_voice.read(model)
    again = {f["path"]: f["sha256"] for f in write_graphs(talker, codec, tmp_path)}
    shipped = {f["path"]: f["sha256"] for f in json.loads((model / "manifest.json").read_text())["files"]}
    for name in again:
        if again[name] != shipped[name]:  # Another torch may order its nodes otherwise: then the numbers count.
            for a, b in zip(import_voice.tensors(tmp_path / name), import_voice.tensors(model / name)):
                np.testing.assert_allclose(a.astype(np.float32), b.astype(np.float32), rtol=2e-3, atol=2e-3)


def test_lines_are_drawn_of_each_kind_by_its_share():
    rows = [{"text": str(i)} for i in range(1000)]
    kinds = {str(i): "talk" if i < 700 else "numbers" for i in range(1000)}
    drawn = draw(rows, kinds, 100, 11)
    assert sum(row["kind"] == "talk" for row in drawn) == 70 and len({row["text"] for row in drawn}) == 100
    assert draw(rows, kinds, 100, 11) == drawn != draw(rows, kinds, 100, 12)


def test_a_voice_is_added_to_the_listening_page_and_the_others_stay(tmp_path, monkeypatch):
    soundfile = pytest.importorskip("soundfile")
    monkeypatch.setattr(listen, "spoken_words", lambda texts: [t.lower().strip(".") for t in texts])
    texts = ["A first line.", "A <second> line."]
    (tmp_path / "lines.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    for name, heard in (("talker", texts), ("cascade", ["A first line.", "A line."])):
        folder = tmp_path / name / "voices" / name
        folder.mkdir(parents=True)
        for number in range(2):
            soundfile.write(folder / f"{number:04d}.wav", 0.3 * np.sin(np.arange(22050) / 20), 22050)
        (folder / "rows.jsonl").write_text("".join(json.dumps({"text": t, "wide": h, "seconds": 1}) + "\n" for t, h in zip(texts, heard)))
        monkeypatch.setattr("sys.argv", ["listen", str(tmp_path / "lines.jsonl"), str(tmp_path / name / "voices"), str(tmp_path / "out"), "--lines", "2"])
        listen.main()
    told = json.loads((tmp_path / "out" / "listening.json").read_text())
    assert set(told["voices"]) == {"talker", "cascade"}
    assert told["voices"]["talker"]["wide"]["wer"] == 0 and told["voices"]["cascade"]["heard"][1]["wer"] == 33
    page = (tmp_path / "out" / "index.html").read_text()
    assert "A &lt;second&gt; line." in page and page.index("Talker") < page.index("Cascade")
    assert (tmp_path / "out" / "talker" / "01.png").read_bytes()[:4] == b"\x89PNG"
