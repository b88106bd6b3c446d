"""Draw many exams, and solve every question of them in another way.

    python tests/benchmarks/exam.py [--seeds 200]

Prints `name = value unit` lines: how many keys were right, how much exams differ, and how many
different questions a template gives. Ends with status 1 if a key was wrong.
"""

import argparse
import sys
import warnings
from collections import Counter
from pathlib import Path

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "notebooks/lecture")]

from exam_solvers import wrong
from lecturer import exam
from lecturer.templates import TEMPLATES


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=200, help="how many exams (default 200)")
    seeds = range(parser.parse_args().seeds)
    warnings.filterwarnings("ignore", category=DeprecationWarning)

    exams = [exam.draw(seed) for seed in seeds]
    print(f"exams = {len(exams)}")
    print(f"different sheets = {len({exam.sheet(questions, 'exam') for questions in exams})}")
    print(f"templates used = {len({one.name for each in exams for one, _ in each})}")
    levels = Counter(one.level for each in exams for one, _ in each)
    print(f"questions of level 1, 2, 3 = {levels[1]}, {levels[2]}, {levels[3]}")
    of_notebook = sum(task.given in one.used for each in exams for one, task in each)
    print(f"questions with a notebook's numbers = {of_notebook}")

    # Equal questions are solved once.
    seen, faults = {}, []
    for each in exams:
        for one, task in each:
            at = one.name, str(task.given)
            if at not in seen:
                seen[at] = wrong(one.name, task)
                faults += [(at, fault) for fault in seen[at]]
    print(f"questions = {sum(map(len, exams))}, different ones = {len(seen)}")
    print(f"wrong keys = {len(faults)}")
    for fault in faults:
        print("   ", *fault)

    # The questions that a template can give, at least: those of these seeds.
    gives = {
        name: len({str(each.task(seed).given) for seed in seeds})
        for name, each in TEMPLATES.items()
    }
    fewest = min(gives, key=gives.get)
    print(f"different questions of a template = {gives[fewest]} at least ({fewest})")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
