"""Exams: fresh numbers, keys that independent solvers find too, as much of each kind."""

import html
import re
import sys
from collections import Counter

import make as lecture
import pytest
from exam_solvers import SOLVERS, wrong
from lecturer import exam
from lecturer.templates import TEMPLATES, Task, shown, template

NUMBERS = sorted({each.notebook for each in TEMPLATES.values()})
SEEDS = range(1)  # tests/benchmarks/exam.py tries 200


def test_there_are_enough_templates_of_every_kind():
    assert len(TEMPLATES) >= 30
    assert [path.name[:2] for path in lecture.chosen([])] == NUMBERS
    there = {(each.notebook, each.level) for each in TEMPLATES.values()}
    assert there == {(number, level) for number in NUMBERS for level in exam.LEVELS}
    assert set(SOLVERS) == set(TEMPLATES)


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_key_is_found_by_another_way(name):
    for seed in SEEDS:
        assert wrong(name, TEMPLATES[name].task(seed)) == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_numbers_are_fresh(name):
    one = TEMPLATES[name]
    drawn = [one.task(seed) for seed in range(20)]
    assert len({str(task.given) for task in drawn}) >= 4
    assert one.task(3) == one.task(3)
    for task in drawn:
        assert task.given not in one.used
        assert all(used.keys() == task.given.keys() for used in one.used)
        # No name in braces is left, and all that is needed stands on the sheet.
        assert not re.search(r"[{}]", task.asked() + task.explained())
        assert all(
            shown(value) in task.asked()
            for value in task.given.values()
            if one_of_text(task, value)
        )


def one_of_text(task, value):
    """Whether the question itself has this number, and not only the way to its answer."""
    names = [name for name, given in task.given.items() if given is value]
    return any(f"{{{name}}}" in task.text for name in names)


# Templates whose exercise of the notebook has these numbers: what `check` takes for right there.
EXERCISES = {
    "log_score": "log_score",
    "bits_to_nats": "bits_and_nats",
    "nll_split": "nll_split",
    "reverse_kl_fit": "reverse_kl_fit",
    "elbo_by_hand": "elbo_by_hand",
    "growth": "growth",
    "two_by_two": "two_by_two",
    "extragradient": "extragradient",
    "starved_share": "starved_share",
    "smoothed": "smooth_d_star",
    "collapsed": "collapsed",
    "twin_interval": "interval",
    "picture_side": "dcgan_side",
    "layer_parameters": "dcgan_parameters",
    "frechet_of_normals": "frechet_normals",
    "blur": "blur_of_averages",
    "bottleneck": "unet_bottleneck",
    "largest_rate": "largest_rate",
}


@pytest.mark.parametrize("name, exercise", EXERCISES.items())
def test_what_is_never_drawn_is_what_the_notebook_asks(name, exercise, said):
    solved = SOLVERS[name](**TEMPLATES[name].used[0])
    found = [float(number) for number in solved if not isinstance(number, str)]
    assert said(exercise, found if len(found) > 1 else found[0]) == "right."


@pytest.mark.parametrize("each", exam.LEVELS)
def test_an_exam_has_as_much_of_every_kind(each):
    for seed in range(10):
        questions = exam.draw(seed, each=each)
        of_notebooks = Counter(one.notebook for one, _ in questions)
        of_levels = Counter(one.level for one, _ in questions)
        assert of_notebooks == dict.fromkeys(NUMBERS, each)
        assert max(of_levels.values()) - min(of_levels.values()) <= (1 if each < 3 else 0)
        assert set(of_levels) == set(exam.LEVELS)
        assert len({one.name for one, _ in questions}) == len(questions)
        assert exam.points(questions) == sum(exam.POINTS[one.level] for one, _ in questions)


def test_a_part_of_the_course_is_examined_as_evenly_as_it_can_be():
    for seed in range(10):
        levels = Counter(one.level for one, _ in exam.draw(seed, ["03", "04", "05", "08"]))
        assert sorted(levels.values()) == [1, 1, 2]


def test_another_seed_is_another_exam():
    sheets = [exam.sheet(exam.draw(seed), "exam") for seed in range(12)]
    assert len(set(sheets)) == 12
    assert exam.sheet(exam.draw(5), "exam") == sheets[5]


def test_the_command_makes_a_sheet_and_a_key(tmp_path, monkeypatch, capsys):
    seed = 48_151_623
    command = ["make.py", "exam", "--seed", str(seed), "--out", str(tmp_path / "exam")]
    monkeypatch.setattr(sys, "argv", command)
    lecture.main()
    assert str(seed) in capsys.readouterr().out
    sheet, key = (
        (tmp_path / f"exam/{name}.html").read_text(encoding="utf-8") for name in ("sheet", "key")
    )
    for one, task in exam.draw(seed):
        for page in (sheet, key):
            assert html.escape(task.asked()) in page
        assert html.escape(task.answered()) in key and html.escape(task.explained()) in key
        assert html.escape(task.answered()) not in sheet
        assert html.escape(task.explained()) not in sheet
        assert f"· {one.name}<" in key and f"· {one.name}<" not in sheet
    assert str(seed) in key and str(seed) not in sheet  # who has the seed can make the key


def test_without_a_seed_a_large_one_is_drawn(tmp_path, monkeypatch, capsys):
    keys = set()
    for name in "ab":
        monkeypatch.setattr(sys, "argv", ["make.py", "exam", "04", "--out", str(tmp_path / name)])
        lecture.main()
        keys.add((tmp_path / name / "key.html").read_text(encoding="utf-8"))
    assert len(keys) == 2
    seeds = re.findall(r"which has the seed, (\d+)", capsys.readouterr().out)
    assert len(set(seeds)) == 2 and all(int(seed) > 10**6 for seed in seeds)


@pytest.mark.parametrize(
    "value, words",
    [
        (-0.25, "−0.25"),
        (2.0, "2"),
        (12345.0, "12,345"),
        (2e-7, "2 · 10⁻⁷"),
        ([1, -2], "1, −2"),
        ("real", "real"),
    ],
)
def test_numbers_are_printed_as_in_a_book(value, words):
    assert shown(value) == words


def test_wrong_wishes_are_named():
    with pytest.raises(ValueError, match=r"notebooks must be some of 00, .*'99'"):
        exam.draw(1, ["99"])
    with pytest.raises(ValueError, match="each must be 1, 2 or 3, got 4"):
        exam.draw(1, each=4)
    with pytest.raises(ValueError, match="log_score: its name must be new"):
        template("00", 1)(TEMPLATES["log_score"].make)


def test_a_template_that_knows_only_used_numbers_says_so():
    stuck = TEMPLATES["log_score"].__class__(
        "stuck", "00", 1, lambda rng: Task({"a": 1}, "", {}, ""), ({"a": 1},)
    )
    with pytest.raises(RuntimeError, match=r"stuck: .* only numbers of the notebook"):
        stuck.task(0)
