"""The harder dialogues: reproducible, answerable, and never about the personas that are shipped."""

import os
import random
import re

from trunkline_recipe.brain.situations import situation

PERSONAS = os.path.join(os.path.dirname(__file__), "../../../dialplans/personas")


def test_the_same_seed_makes_the_same_dialogue():
    assert situation(random.Random("a"), 9) == situation(random.Random("a"), 9)


def test_answers_hold_only_figures_of_the_facts_or_of_the_caller():
    rng = random.Random("figures")
    for _ in range(60):
        d = situation(rng, 9)
        told = set(re.findall(r"\d+", " ".join(d["facts"])))
        for turn in d["turns"]:
            assert set(re.findall(r"\d+", turn["answer"])) <= told | set(re.findall(r"\d+", turn["user"])), turn


def test_shipped_facts_are_never_made():
    shipped = {line.strip()[2:] for name in os.listdir(PERSONAS) for line in open(os.path.join(PERSONAS, name), encoding="utf-8") if line.strip().startswith("- ")}
    rng = random.Random("shipped")
    assert not shipped & {fact for _ in range(60) for fact in situation(rng, 9)["facts"]}
