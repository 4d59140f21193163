"""Questions with short spoken answers: the rules they follow, that they are right, and that nothing measured is asked."""

import json
import random
import re
from argparse import Namespace

import pytest

from trunkline_recipe.omni import instructions, triples
from trunkline_recipe.omni.instructions import PLAIN_KINDS, SHARES, fits, generate, number_words, plain, said
from trunkline_recipe.omni.wordnet import FOLDER, first_gloss

needs_wordnet = pytest.mark.skipif(not (FOLDER / "cntlist.rev").exists(), reason="needs Debian's wordnet-base")


def value(words):
    """number_words read back."""
    total = part = 0
    for word in words.replace("-", " ").split():
        if word == "hundred":
            part *= 100
        elif word == "thousand":
            total, part = 1000 * part, 0
        else:
            part += instructions.ONES.index(word) if word in instructions.ONES else 20 + 10 * instructions.TENS.index(word)
    return total + part


def test_numbers_are_said_and_mean_what_they_say():
    for n in [*range(0, 1300), 9999, 12000, 720_013]:
        assert value(number_words(n)) == n
        assert re.match(r"[a-z -]+$", number_words(n))


def test_the_same_seed_asks_the_same_and_nothing_twice():
    rows = list(generate(300, kinds=PLAIN_KINDS))
    assert rows == list(generate(300, kinds=PLAIN_KINDS)) != list(generate(300, seed=2, kinds=PLAIN_KINDS))
    assert len({q for _, q, _ in rows}) == len(rows)


def test_sums_are_right():
    signs = {"plus": lambda a, b: a + b, "minus": lambda a, b: a - b, "times": lambda a, b: a * b, "divided by": lambda a, b: a / b}
    count = 0
    for kind, _, answer in generate(400, kinds=PLAIN_KINDS):
        found = re.match(r"([A-Za-z -]+?) (plus|minus|times|divided by) ([a-z -]+) is ([a-z -]+)\.", answer)
        if kind == "sum":
            a, sign, b, result = found.groups()
            assert signs[sign](value(a.lower()), value(b)) == value(result)
            count += 1
    assert count > 50


def check_rules(rows):
    for kind, question, answer in rows:
        assert fits(question, answer), (question, answer)
        for text in (question, answer):
            assert not re.search(r"[0-9*#:;()\[\]/<>_]|\n", text), text
        assert len(answer.split()) <= 20 and answer[-1] in ".?!"


def test_answers_can_be_said_without_wordnet():
    check_rules(generate(300, kinds=PLAIN_KINDS))


@needs_wordnet
def test_answers_of_every_kind_can_be_said():
    rows = list(generate(1200))
    check_rules(rows)
    assert {kind for kind, _, _ in rows} == set(SHARES)


def test_fillers_are_not_overdone():
    rng = random.Random(1)
    changed = sum(said(rng, "What is four plus five?") != "What is four plus five?" for _ in range(2000)) / 2000
    assert 0.2 < changed < 0.35


def test_what_is_measured_is_never_asked(tmp_path):
    asked = [q for _, q, _ in generate(100, kinds=PLAIN_KINDS)]
    core = next(q for q in asked if not re.match(r"[A-Z][a-z ]+, |.*[.?] ", q))
    assert plain(core) not in {plain(q) for _, q, _ in generate(100, never=[core], kinds=PLAIN_KINDS)}


def test_a_gloss_is_cut_to_its_definition():
    assert first_gloss('(of a person) a small (or toy) dog; "he has a dog"; another thought') == "a small dog"


def options(folder, **more):
    return Namespace(out=folder, count=12, phone=2, kinds=",".join(PLAIN_KINDS), voice="callers", seed=1, limit=None, show=0, **more)


def test_rows_carry_what_stage_three_reads(tmp_path, capsys):
    triples.write_text(options(tmp_path))
    rows = triples.read_rows(tmp_path)
    assert [row["id"] for row in rows] == list(range(len(rows)))
    assert {row["kind"] for row in rows} > {"phone"}
    lines = (tmp_path / "lines.txt").read_text().splitlines()
    assert len(set(lines)) == len(lines) and set(lines) == {row["answer"] for row in rows}
    for row in rows:
        assert row["split"] in ("train", "valid", "test") and row["instructions"]
        # A phone question is as it was said, not as a recogniser would write it.
        assert row["question"][0].isupper() and row["question"][-1] in ".?!"
        assert set(row["hints"]) <= set(row["facts"])
    first = (tmp_path / "triples.jsonl").read_text()
    triples.write_text(options(tmp_path))
    assert (tmp_path / "triples.jsonl").read_text() == first
    capsys.readouterr()
    triples.write_count(options(tmp_path))
    assert json.loads(capsys.readouterr().out.splitlines()[0])["triples"] == len(rows)


def test_questions_of_test_and_valid_are_asked_by_voices_that_nothing_learns_from(monkeypatch):
    import numpy as np

    from trunkline_recipe.ear import callers, speech
    from trunkline_recipe.omni import ear_speech

    asked = []
    tone = np.sin(np.arange(16000) / 9).astype(np.float32)
    monkeypatch.setattr(ear_speech, "festival", lambda voice, text: (asked.append(("festival", voice)), tone)[1])
    for module in (speech, callers):
        monkeypatch.setattr(module, "synthesise", lambda engine, voice, text, rng: (asked.append((engine, voice)), tone)[1])
    row = {"question": "What is two plus two?"}
    for split in ("train", "test"):
        asked.clear()
        for n in range(40):
            triples.asked_by_callers({**row, "split": split}, np.random.default_rng(n))
        engines = {engine for engine, _ in asked}
        variants = {voice.split("+")[-1] for engine, voice in asked if engine == "espeak"}
        held_out = {voice.split("+")[1] for voice in ear_speech.ESPEAK_TEST}
        assert engines == ({"flite", "espeak"} if split == "train" else {"festival", "espeak"})
        assert bool(variants & held_out) == (split == "test")
