"""The planner: order, what is done, what is missing, what is made again; and the table of the recipe against its modules."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from trunkline_recipe.plan import HERE, Plan
from trunkline_recipe.steps import ANY, LLAMA, STEPS, TASKS, Step


class Written(Plan):
    """Steps whose command writes what they say they write; `ran` counts them."""

    def __init__(self, work, steps, broken=(), **named):
        super().__init__(work, steps=steps, **named)
        self.ran, self.broken = [], set(broken)

    def command(self, step):
        self.ran.append(step.name)
        paths = [str(p) for p in self.writes(step)]
        return [sys.executable, "-c", f"import pathlib; [pathlib.Path(p).write_text('x') for p in {paths!r}]; raise SystemExit({int(step.name in self.broken)})"]


def simple(name, reads="", writes="", **more):
    return Step(name, "data", "omni", {ANY: 0}, f"omni.{name} {{size}}", reads, writes, **more)


CHAIN = [simple("a", "", "{work}/one"), simple("b", "{work}/one", "{work}/two"), simple("c", "{work}/two", "{work}/three")]


def run(plan):
    told = []
    results = [plan.run(step, told.append) for step in plan.chosen()]
    return results, told


def test_steps_run_once_and_are_left_alone_then(tmp_path):
    plan = Written(tmp_path, CHAIN)
    assert run(plan)[0] == [True] * 3 and plan.ran == ["a", "b", "c"]
    again = Written(tmp_path, CHAIN)
    assert run(again) == ([True] * 3, ["done  a", "done  b", "done  c"]) and again.ran == []


def test_a_step_that_failed_runs_again_and_the_ones_before_it_do_not(tmp_path):
    plan = Written(tmp_path, CHAIN, broken=["b"])
    results, told = run(plan)
    assert results[:2] == [True, False]
    assert "recipe.step-failed: b ended with 1" in told[2] and "Fix:" in told[2]
    mended = Written(tmp_path, CHAIN)
    assert run(mended)[0] == [True] * 3 and mended.ran == ["b", "c"]


def test_what_was_made_of_something_that_changed_is_made_again(tmp_path):
    run(Written(tmp_path, CHAIN))
    (tmp_path / "two").unlink()
    plan = Written(tmp_path, CHAIN)
    run(plan)
    assert plan.ran == ["b", "c"]


def test_another_command_is_another_step(tmp_path):
    run(Written(tmp_path, [CHAIN[0]]))
    plan = Written(tmp_path, [CHAIN[0]._replace(run="omni.a --more")])
    run(plan)
    assert plan.ran == ["a"]


def test_what_is_missing_is_named_with_the_step_that_makes_it(tmp_path):
    plan = Written(tmp_path, [CHAIN[2], CHAIN[1], simple("d", needs="no-such-program")])
    results, told = run(plan)
    assert results == [False] * 3 and plan.ran == []
    assert "two is missing; the step b makes it" in told[0]
    assert "see README.md for where it comes from" in told[1]
    assert "the program no-such-program is not installed" in told[2]


def test_a_step_that_does_not_write_what_it_should_has_failed(tmp_path):
    class Idle(Written):
        def command(self, step):
            return [sys.executable, "-c", ""]

    results, told = run(Idle(tmp_path, [CHAIN[0]]))
    assert results == [False] and "did not write" in told[-1]


def test_only_trainers_are_sent_to_the_device(tmp_path):
    plan = Plan(tmp_path, device="cuda")
    commands = {step.name: plan.command(step) for step in plan.steps}
    assert commands["talker"][1:5] == ["-m", "trunkline_recipe.on", "cuda", "omni.train_talker"]
    assert commands["triples"][1:3] == ["-m", "trunkline_recipe.omni.triples"]
    assert commands["facts"][0] == "node"


@pytest.mark.parametrize("tiny", [False, True])
@pytest.mark.parametrize("schedule", [ANY, LLAMA])
def test_every_step_reads_what_ships_what_an_earlier_one_makes_or_what_is_brought(tmp_path, schedule, tiny):
    plan = Plan(tmp_path, tiny)
    made = set()
    for verb in ("data", "train", "export", "evaluate"):
        for step in plan.chosen(verb, schedule=schedule):
            for path in plan.reads(step):
                shipped = path.is_relative_to(plan.places["models"]) or path.is_relative_to(plan.places["dist"])
                assert path in made or shipped or path == plan.places["wheels"], (step.name, path)
            made |= set(plan.writes(step))


def test_names_are_told_once_and_modules_and_their_arguments_exist():
    assert len({step.name for step in STEPS}) == len(STEPS)
    for step in STEPS:
        assert set(step.stages) <= {ANY, LLAMA} and step.stages
        first = step.run.split()[0]
        if first == "node":
            assert Path(step.run.split()[1].format(here=HERE)).exists()
            continue
        source = Path(importlib.util.find_spec(f"trunkline_recipe.{first}").origin).read_text()
        for option in re.findall(r"--[a-z-]+", " ".join([step.run, step.full, step.tiny or ""])):
            assert f'"{option}"' in source or f'"{option}"' in (HERE / "omni/train_together.py").read_text(), (step.name, option)


def test_each_task_has_what_trains_and_what_measures_it_and_the_readme_says_so():
    readme = (HERE.parent / "README.md").read_text()
    assert set(TASKS) == {"A1-T1", "T1-T2", "A1-T2", "T1-A2", "A1-A2"}
    for task, (trains, measures) in TASKS.items():
        row = next(line for line in readme.splitlines() if line.startswith(f"| {task.replace('-', '→')} "))
        for module in (*trains, *measures):
            assert importlib.util.find_spec(f"trunkline_recipe.{module}")
            assert f"`{module}`" in row, (task, module)


def test_both_schedules_train_in_their_stages():
    def trained(schedule):
        return {stage: {s.name for s in STEPS if s.verb == "train" and s.stages.get(schedule) == stage} for stage in range(4)}

    any_model, llama = trained(ANY), trained(LLAMA)
    assert {"ear-adapter", "talker"} <= any_model[1] and any_model[2] == {"tune"} and any_model[3] == {"together"}
    assert {"ear-adapter", "adapter-and-trunk"} <= llama[1] and {"speech-decoder", "unit-vocoder"} <= llama[2] and not llama[3]
