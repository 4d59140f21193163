"""The last stage with nets of a few thousand weights: what learns, what stays, and that a run goes on where it stopped."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from trunkline_recipe.brain.network import Sizes, Trunk
from trunkline_recipe.brain.prompt import Prompt
from trunkline_recipe.brain.tune import Tuning
from trunkline_recipe.omni.data import Shards
from trunkline_recipe.omni.ear_adapter import Adapter
from trunkline_recipe.omni.ear_hear import NONE
from trunkline_recipe.omni.talker import Talker
from trunkline_recipe.omni.together import Duty, General, Knowledge, Together, Triples
from trunkline_recipe.omni.together_evaluate import judge
from trunkline_recipe.omni.train_together import SHARES, Upper, learn
from trunkline_recipe.omni.training import Run

# A width of whole blocks of the 4-bit grid.
SIZES = Sizes(layers=3, width=32, heads=2, kv_heads=1, head_width=16, inner=32, vocabulary=128)


class Letters:
    """A tokenizer with a token for each character."""

    def encode(self, text, add_special_tokens=False):
        return SimpleNamespace(ids=[min(ord(c), 127) for c in text], offsets=[(n, n + 1) for n in range(len(text))])

    def decode(self, ids):
        return "".join(chr(i) for i in ids)


def spoken(text):
    words, at = [], 0
    for word in text.split():
        words.append({"text": word, "start": at, "end": at + len(word)})
        at += len(word) + 1
    return json.dumps({"text": text, "words": words, "end": "."})


@pytest.fixture(scope="module")
def triples(tmp_path_factory):
    """Eight questions whose heard states say which of four answers is right; each answer has a sound of its own."""
    folder = tmp_path_factory.mktemp("triples")
    random = np.random.default_rng(4)
    answers = ["It is a b.", "We do c d.", "No e f.", "Yes g h."]
    (folder / "lines.jsonl").write_text("".join(spoken(a) + "\n" for a in answers))
    rows = [{"id": n, "split": "test" if n == 7 else "train", "kind": "sum", "instructions": "Be short.", "facts": [], "greeting": "", "hints": ["h"] if n % 2 else [], "question": f"Q {n}?", "answer": answers[n % 4]} for n in range(8)]
    (folder / "triples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "heard").mkdir()
    meaning = random.standard_normal((4, 3, 12)).astype(np.float32)
    for row in rows:
        top = np.tile(np.arange(8), (3, 1))
        np.savez(folder / "heard" / f"{row['id']:05}.npz", ids=np.zeros(3, int), top=top, logits=np.zeros((3, 8), np.float32), states=meaning[row["id"] % 4], speech=True, looped=False, whole=True)
    symbols = [random.integers(14, 40, 12).astype(np.uint8) for _ in answers]
    durations = [random.integers(2, 5, 12).astype(np.uint8) for _ in answers]
    table = random.standard_normal((151, 192)).astype(np.float32)
    z = [np.repeat(table[s], d, 0).astype(np.float16) for s, d in zip(symbols, durations)]
    words = [np.minimum(np.arange(12) // 4, len(a.split()) - 1).astype(np.uint8) for a in answers]
    (folder / "latents").mkdir()
    np.savez(folder / "latents/latents-00000.npz", line=np.arange(4), symbolCounts=[12] * 4, frameCounts=[len(part) for part in z], symbols=np.concatenate(symbols), words=np.concatenate(words), durations=np.concatenate(durations), z=np.concatenate(z))
    return folder


def nets():
    torch.manual_seed(2)
    trunk = Trunk(SIZES)
    for parameter in trunk.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.15)
    table = np.full((2, 8, 4), NONE, np.uint16)
    table[:, :, 0] = np.arange(60, 68)
    basis = {"mean": torch.zeros(192), "down": 0.1 * torch.randn(192, 2), "up": torch.zeros(2, 192)}
    talker = Talker(width=16, condition=4, trunk=SIZES.width, out=4)
    # As after stage one: the states already count for something, or no gradient would pass.
    torch.nn.init.normal_(talker.encoder.condition_up.weight, std=0.3)
    net = Together(trunk, Adapter(state=12, width=SIZES.width, inner=8), talker, Prompt(Letters()), table, basis)
    return net, Upper(trunk, 1)


def running(net, upper, folder, steps):
    nets_ = {"trunk": upper, "adapter": net.adapter.eval(), "talker": net.talker}
    return Run(folder, nets_, 3e-3, steps, warm=5, shares=SHARES, weight_decay=0.0)


def options(steps):
    return SimpleNamespace(steps=steps, batch=4, written=0.2, sound=1.0, least=1, bf16=False, log=40, save_minutes=1e9)


def test_losses_fall_and_a_run_goes_on_where_it_stopped(triples, tmp_path, capsys):
    shards = Shards(triples / "latents")
    data = Triples(triples, "train", shards)
    assert len(data) == 7
    for steps in (40, 120):
        net, upper = nets()
        learn(net, upper, running(net, upper, tmp_path / "run", steps), data, shards, options(steps))
    logs = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [log["step"] for log in logs] == [40, 80, 120]
    for name in ("text", "error"):
        assert logs[-1][name] < 0.85 * logs[0][name], name


def test_both_losses_reach_trunk_adapter_and_talker_and_nothing_reaches_what_is_frozen(triples):
    shards = Shards(triples / "latents")
    rows = Triples(triples, "train", shards).rows[:3]
    kept = {row["heard"]: row["heard"].read_bytes() for row in rows}
    net, upper = nets()
    net.adapter.eval()
    text, _, states = net(rows, [False] * 3)
    error, duration = net.sound(shards, rows, states, np.random.default_rng(0), withheld=False)

    def reached(loss, part):
        found = torch.autograd.grad(loss, [p for p in part.parameters() if p.requires_grad], retain_graph=True, allow_unused=True)
        return sum(float(g.abs().sum()) for g in found if g is not None)

    assert reached(text, upper) > 0 and reached(text, net.adapter) > 0 and reached(text, net.talker) == 0
    # Through the states the sound is heard back to the ear.
    assert reached(error, net.talker) > 0 and reached(error, upper) > 0 and reached(error, net.adapter) > 0
    assert reached(duration, net.talker) > 0
    assert [name for name, p in net.trunk.named_parameters() if p.requires_grad and name.startswith(("embedding", "layers.0."))] == []
    # The recogniser takes no part: what it heard is read and left as it is.
    assert all(path.read_bytes() == data for path, data in kept.items())


def test_rows_of_a_batch_do_not_disturb_one_another(triples):
    shards = Shards(triples / "latents")
    rows = Triples(triples, "train", shards).rows[:3]
    net, _ = nets()
    net.eval()
    with torch.no_grad():
        _, _, together = net(rows, [False, True, False])
        for row, written, states in zip(rows, (False, True, False), together):
            _, _, alone = net([row], [written])
            torch.testing.assert_close(alone[0], states, atol=1e-5, rtol=1e-4)


def test_states_are_of_words_and_follow_the_question(triples):
    shards = Shards(triples / "latents")
    row = Triples(triples, "train", shards).rows[0]
    net, _ = nets()
    net.eval()
    with torch.no_grad():
        heard, read = net([row], [False])[2][0], net([row], [True])[2][0]
    assert len(heard) == len(row["answer"].split())
    assert (heard - read).abs().max() > 1e-4


def test_each_task_is_measured_on_its_own(triples):
    shards = Shards(triples / "latents")
    net, _ = nets()
    net.eval()
    found = judge(net, shards, Triples(triples, "test", shards).rows[0])
    assert set(found) == {"T1-T2", "A1-T2", "T1-A2", "A1-A2", "A2 without states"}
    assert found["A1-A2"]["error"] != found["T1-A2"]["error"] != found["A2 without states"]["error"]


def test_what_the_trunk_was_tuned_for_is_learnt_beside_the_triples(triples, tmp_path, capsys):
    shards = Shards(triples / "latents")
    turn = {"user": "Q?", "hints": ["f"], "answer": "We do.", "action": None}
    branches = [[turn], [turn, {**turn, "user": "By.", "answer": "Bye.", "action": "hangup"}]]
    (tmp_path / "calls.jsonl").write_text(json.dumps({"instructions": "Be short.", "facts": ["f"], "greeting": "", "branches": branches}) + "\n")
    net, upper = nets()
    duty = Duty(tmp_path / "calls.jsonl", Tuning(net.trunk, 1), net.prompt)
    before = duty.backward(np.random.default_rng(1), 4)["duty"]
    assert all(p.grad is None for p in net.adapter.parameters())
    net.zero_grad()
    learn(net, upper, running(net, upper, tmp_path / "run", 80), Triples(triples, "train", shards), shards, options(80), beside=[(0.4, duty), (0.2, General(triples, net))])
    log = json.loads(capsys.readouterr().out.splitlines()[-1])
    # A figure is the mean over the steps that have it.
    assert 0 < log["duty"] < 1.5 * before and log["text"] > 0 and log["general"] > 0
    assert duty.backward(np.random.default_rng(1), 4)["duty"] < 0.85 * before


def test_general_answers_are_held_near_those_of_the_untuned_trunk(triples):
    rows = Triples(triples, "train", Shards(triples / "latents")).rows[:3]
    (net, _), (other, _) = nets(), nets()
    torch.nn.init.normal_(other.trunk.layers[0].down.weight, std=0.4)
    with torch.no_grad():
        for row, written in zip(rows, (True, False, True)):
            plain = float(net([row], [written])[0])
            net.knowledge = (Knowledge(net.trunk, net), 1.0)
            same = float(net([row], [written])[0]) - plain
            net.knowledge = (Knowledge(other.trunk, net), 1.0)
            far = float(net([row], [written])[0]) - plain
            # Of a spoken question the rows differ from what the untuned trunk reads.
            assert far > 1e-3 and (abs(same) < 1e-5 if written else same > 0)
            assert float(net([{**row, "facts": ["f"]}], [written])[0]) != plain + far
            net.knowledge = None


def test_facts_beside_a_question_are_those_that_the_program_finds_for_what_was_heard(triples, tmp_path):
    rows = Triples(triples, "train", Shards(triples / "latents")).rows
    assert all(row["heardHints"] == row["hints"] for row in rows)
    folder = tmp_path / "triples"
    shutil.copytree(triples, folder)
    (folder / "calls.jsonl").write_text(json.dumps({"id": 1, "branches": [[{"user": "Q", "hints": ["said"]}], [{"user": "K", "hints": ["heard"]}]]}) + "\n")
    rows = Triples(folder, "train", Shards(folder / "latents")).rows
    assert (rows[1]["hints"], rows[1]["heardHints"]) == (["said"], ["heard"]) and rows[3]["heardHints"] == ["h"]
    net, _ = nets()
    assert net.prompt.tokenizer.decode(net.between(rows[1], written=True)).count("said") == 1
    assert net.prompt.tokenizer.decode(net.between(rows[1])).count("heard") == 1


def test_a_persona_is_read_once_for_its_questions(triples):
    shards = Shards(triples / "latents")
    data = Triples(triples, "train", shards)
    groups = data.groups(np.random.default_rng(1), 4)
    first = [next(groups) for _ in range(2)]
    assert sorted(row["id"] for group in first for row in group) == list(range(7))
