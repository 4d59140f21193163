"""Generated calls: reproducible, answerable, and never about the personas that are shipped."""

import os
import random
import re

from trunkline_recipe.brain.dialogues import persona
from trunkline_recipe.brain.tools import TRAIN, VALID

PERSONAS = os.path.join(os.path.dirname(__file__), "../../../dialplans/personas")


def test_the_same_seed_makes_the_same_dialogue():
    assert persona(random.Random("a"), 9) == persona(random.Random("a"), 9)


def test_answers_hold_only_figures_of_the_facts_or_of_the_caller():
    rng = random.Random("figures")
    for _ in range(60):
        d = persona(rng, 9)
        told = set(re.findall(r"\d+", " ".join(d["facts"])))
        for turn in (turn for turns in d["branches"] for turn in turns):
            assert set(re.findall(r"\d+", turn["answer"])) <= told | set(re.findall(r"\d+", turn["user"])), turn


def test_shipped_facts_are_never_made():
    shipped = {line.strip()[2:] for name in os.listdir(PERSONAS) for line in open(os.path.join(PERSONAS, name), encoding="utf-8") if line.strip().startswith("- ")}
    rng = random.Random("shipped")
    assert not shipped & {fact for _ in range(60) for fact in persona(rng, 9)["facts"]}


def test_the_same_question_is_settled_by_one_business_and_not_by_another():
    rng = random.Random("sides")
    asked: dict[bool, set[str]] = {True: set(), False: set()}
    for _ in range(150):
        for turns in persona(rng, 9)["branches"]:
            key = turns[-1]["key"]
            if key.startswith("thing") or key.startswith("absent:side"):
                asked[key.startswith("thing")].add(" ".join(re.findall(r"[a-z]+", turns[-1]["user"].lower())[:3]))
    assert len(asked[True] & asked[False]) > 10


def test_trades_of_validation_are_not_trained_on():
    def kinds(split):
        rng = random.Random(split)
        return {persona(rng, 2, split)["type"] for _ in range(80)}

    assert not {"castle", "farm stay", "wine shop", "ski rental", "physio center"} & kinds("train")
    assert "castle" in kinds("valid")


def tool_turns(split, count=60):
    rng = random.Random(f"tools {split}")
    for _ in range(count):
        d = persona(rng, 9, split, tools=1.0)
        for turns in d["branches"]:
            for turn in turns:
                yield d, turns, turn


def test_a_tool_is_a_line_among_the_facts_and_ends_an_answer_that_only_asks_for_patience():
    called = [(d, turn) for d, _, turn in tool_turns("train") if turn["action"] == "tool"]
    assert len(called) > 30
    for d, turn in called:
        assert f"I can {turn['key'].removeprefix('tool:')}." in d["facts"]
        assert turn["answer"] == "One moment, please."


def test_what_a_tool_found_is_the_only_fact_beside_the_question_asked_again():
    found = [turns for _, turns, turn in tool_turns("train") if turn["key"] == "found"]
    assert found
    for first, second in found:
        assert first["user"] == second["user"] and second["hints"] == [second["answer"]] and second["action"] is None


def test_what_others_can_do_is_refused():
    lacking = [turn for _, _, turn in tool_turns("train") if turn["key"] in ("absent:tool", "absent:beside")]
    assert lacking and all("do not have" in turn["answer"] and turn["action"] is None for turn in lacking)


def test_tools_of_validation_are_not_trained_on():
    assert not set(TRAIN) & set(VALID)
    assert {d["tools"][0] for d, _, _ in tool_turns("valid", 20)} <= set(VALID)
