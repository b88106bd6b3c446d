"""The concept test is whole and keeps its key to itself; its gain is found in simulated classes."""

import html
import json
import re
import subprocess
import sys
from collections import Counter

import make as lecture
import nbformat
import numpy as np
import pytest
from lecturer import concepts, gain
from readers import read_gift

ITEMS = concepts.read()
COUNT = len(ITEMS)


def test_there_are_twenty_items_in_two_forms_with_a_belief_behind_each_wrong_answer():
    assert COUNT == 20 and len({item.key for item in ITEMS}) == 20
    for form in concepts.FORMS:
        letters = Counter(item.right(form) for item in ITEMS)
        assert letters == dict.fromkeys("abcd", 5)  # no letter is a better guess than another
        for item in ITEMS:
            assert len(item.forms[form].answers) == 4
            for answer, belief in zip(item.forms[form].answers, item.beliefs[form]):
                assert bool(belief) != answer.right
    longest = [
        max(item.forms[form].answers, key=lambda answer: len(answer.text)).right
        for item in ITEMS
        for form in concepts.FORMS
    ]
    # To choose the longest answer should not be a way to the right one.
    assert sum(longest) <= 0.5 * len(longest)


def test_the_cells_that_decide_are_in_the_students_edition():
    students = {
        path.name[:2]: {cell.id for cell in lecture.student(nbformat.read(path, 4)).cells}
        for path in lecture.chosen([])
    }
    for item in ITEMS:
        assert item.cells
        missing = [cell for cell in item.cells if cell[1] not in students[cell[0]]]
        assert missing == [], item.key


def test_no_item_is_a_question_of_a_quiz():
    from lecturer.questions import of_notebook

    asked = {each.text for path in lecture.chosen([]) for each in of_notebook(path)}
    assert not asked & {form.text for item in ITEMS for form in item.forms.values()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("concepts") / "made"
    before = sys.argv
    sys.argv = ["make.py", "concepts", "--out", str(folder)]
    try:
        lecture.main()
    finally:
        sys.argv = before
    return folder


@pytest.mark.parametrize("form", concepts.FORMS)
def test_every_copy_of_a_form_asks_the_same_and_the_key_is_right(form, made):
    paper = (made / f"form_{form}.html").read_text(encoding="utf-8")
    nb = nbformat.read(made / f"form_{form}.ipynb", as_version=4)
    nbformat.validate(nb)
    cells = [cell.source for cell in nb.cells if cell.id.startswith("question-")]
    read = read_gift((made / f"form_{form}.gift").read_text(encoding="utf-8"))
    key = (made / "key.html").read_text(encoding="utf-8")
    assert len(cells) == len(read) == COUNT

    for item, cell, gift in zip(ITEMS, cells, read):
        asked = item.forms[form]
        lines = [f"{letter}) {each.text}" for letter, each in zip("abcd", asked.answers)]
        assert asked.text in paper and all(line in paper for line in lines)
        assert asked.text in cell and all(line in cell for line in lines)
        assert gift.text == asked.text
        assert gift.answers == [(each.text, each.right, "") for each in asked.answers]
        place = [right for _, right, _ in gift.answers].index(True)
        assert f"Form {form}: <b>{'abcd'[place]}</b>" in key
    # What the class gets has neither key nor beliefs.
    everything = paper + json.dumps(nb, ensure_ascii=False)
    beliefs = {belief for item in ITEMS for belief in item.beliefs[form] if belief}
    assert not [belief for belief in beliefs if html.escape(belief) in everything]


def test_the_notebook_writes_what_gain_reads(made, tmp_path):
    nb = nbformat.read(made / "form_B.ipynb", as_version=4)
    enter, save = (cell.source for cell in nb.cells if cell.id in ("enter", "save"))
    letters = "".join(item.right("B") for item in ITEMS[:-1]) + "."
    entered = enter.replace('"..."    #', '"17"  #').replace("." * COUNT, letters.upper())
    done = subprocess.run(
        [sys.executable, "-c", f"{entered}\n{save}"], cwd=tmp_path, capture_output=True, text=True
    )
    assert "Thank you" in done.stdout, done.stdout + done.stderr
    (sitting,) = gain.read(tmp_path / "answers_17_before.csv", COUNT)
    assert sitting == gain.Sitting("17", "before", "B", letters)
    assert gain.marks([sitting], ITEMS).sum() == COUNT - 1

    asked = subprocess.run(
        [sys.executable, "-c", f"{enter}\n{save}"], capture_output=True, text=True
    )
    assert "fill in your number" in asked.stdout  # nothing was entered yet


# -- simulated classes ---------------------------------------------------------------------------


def letters_of(knows, form, rng):
    """Twenty letters of somebody who knows these items, and is wrong in the others."""
    said = ""
    for item, known in zip(ITEMS, knows):
        right = item.right(form)
        said += right if known else rng.choice([each for each in "abcd" if each != right])
    return said


def simulated(learners, true_gain, seed, easier=0.0, spread=1.0):
    """Sittings of a class in which each gains the same part of what is missing.

    Ability and the hardness of items vary; form A is easier by `easier`. Half begin with it.
    """
    rng = np.random.default_rng(seed)
    ability = rng.normal(0, spread, (learners, 1))
    hardness = rng.normal(0, 0.7, COUNT)
    start = 1 / (1 + np.exp(-(ability - hardness - 0.6)))
    sittings = []
    for k in range(learners):
        forms = "AB" if k % 2 else "BA"
        for when, form in zip(gain.TIMES, forms):
            p = start[k] if when == "before" else start[k] + true_gain * (1 - start[k])
            p = p + easier * (1 - p) if form == "A" else p
            knows = rng.random(COUNT) < p
            sittings.append(gain.Sitting(f"{k}", when, form, letters_of(knows, form, rng)))
    return sittings


def found(sittings):
    sat = gain.both_times(sittings)
    before, after = (gain.marks(sat[when], ITEMS) for when in gain.TIMES)
    return before, after


@pytest.mark.parametrize("true_gain", [0.0, 0.3, 0.6])
def test_the_gain_of_a_large_class_is_found_again(true_gain):
    before, after = found(simulated(600, true_gain, seed=1))
    assert gain.normalised(before, after) == pytest.approx(true_gain, abs=0.04)


def test_a_form_that_is_easier_does_not_feign_a_gain():
    """Half of the class begins with either form, so an easier one helps both sittings alike."""
    before, after = found(simulated(600, 0.0, seed=2, easier=0.3))
    assert abs(gain.normalised(before, after)) < 0.04
    all_with_a_last = [
        each
        for each in simulated(1200, 0.0, seed=2, easier=0.3)
        if (each.form == "A") == (each.when == "after")
    ]
    before, after = found(all_with_a_last)
    assert gain.normalised(before, after) > 0.2  # what would be seen without taking turns


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    holds = 0
    for seed in range(60):
        before, after = found(simulated(30, 0.4, seed=100 + seed))
        low, high = gain.interval(before, after)
        holds += low <= 0.4 <= high
        assert low < gain.normalised(before, after) < high
    assert holds >= 51  # 95 % of 60 is 57; fewer than 51 come by chance in one of a thousand


def test_an_item_with_a_wrong_key_is_blunt_and_what_is_believed_is_named(tmp_path):
    sittings = simulated(400, 0.3, seed=3, spread=2.0)
    spoilt, shared = 4, "a loss that stays high is still to fall"
    assert shared in ITEMS[0].beliefs["B"]
    changed = []
    for each in sittings:
        letters = list(each.answers)
        # Who is right is called wrong, and the other way round.
        right = ITEMS[spoilt].right(each.form)
        letters[spoilt] = (
            "abcd"[("abcd".index(right) + 1) % 4] if letters[spoilt] == right else right
        )
        if each.when == "after" and each.form == "B" and letters[0] != ITEMS[0].right("B"):
            letters[0] = "abcd"[ITEMS[0].beliefs["B"].index(shared)]
        changed.append(gain.Sitting(each.learner, each.when, each.form, "".join(letters)))

    head, *rows = gain.item_table(gain.both_times(changed), ITEMS)
    rows = [dict(zip(head, row)) for row in rows]
    blunt = [row["item"] for row in rows if "blunt" in row["look at it"]]
    assert blunt == [ITEMS[spoilt].key]
    assert float(rows[spoilt]["discrimination after"]) < 0
    assert rows[0]["belief chosen most after"] == shared


def test_reliability_is_that_of_two_halves():
    """KR-20 is the mean of all split-half reliabilities: here from many random halves."""
    _, after = found(simulated(500, 0.3, seed=4))
    rng = np.random.default_rng(0)
    halves = []
    for _ in range(300):
        order = rng.permutation(COUNT)
        one, other = (after[:, part].sum(1) for part in np.split(order, 2))
        # Flanagan and Rulon: 2 (1 − (variance of one + variance of other) / variance of both)
        halves.append(2 * (1 - (one.var() + other.var()) / (one + other).var()))
    assert gain.reliability(after) == pytest.approx(np.mean(halves), abs=0.01)


def test_the_command_says_the_gain(tmp_path, monkeypatch, capsys):
    rows = ["learner,when,form,answers"]
    rows += [",".join(vars(each).values()) for each in simulated(40, 0.5, seed=5)]
    rows.append("lonely,before,A," + "." * COUNT)
    (tmp_path / "answers.csv").write_text("\n".join(rows), encoding="utf-8")
    command = ["make.py", "gain", str(tmp_path / "answers.csv"), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", command)
    lecture.main()
    said = capsys.readouterr().out
    assert "learners who sat both times: 40" in said
    assert re.search(r"normalised gain: 0\.[3-7]\d\d", said)
    assert (tmp_path / "out/items.csv").read_text(encoding="utf-8-sig").count("\n") == COUNT + 1


GOOD = "a" * COUNT


@pytest.mark.parametrize(
    "rows, says",
    [
        (["who,when,form,answers"], "no column learner"),
        (["learner,when,form,answers", f"1,later,A,{GOOD}"], "line 2: .*'later'"),
        (["learner,when,form,answers", "1,after,A,abc"], "line 2: 20 of the letters"),
        (["learner,when,form,answers", f"1,after,A,{GOOD[:-1]}e"], "line 2: 20 of the letters"),
        (["learner,when,form,answers", *[f"1,after,A,{GOOD}"] * 2], "sits twice, after: 1"),
        (["learner,when,form,answers", f"1,after,A,{GOOD}"], "two learners at least"),
    ],
)
def test_a_table_that_cannot_be_read_is_named(rows, says, tmp_path, monkeypatch):
    (tmp_path / "answers.csv").write_text("\n".join(rows), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["make.py", "gain", str(tmp_path / "answers.csv")])
    with pytest.raises(SystemExit, match=says):
        lecture.main()


def test_an_item_with_a_mistake_is_named():
    text = "## one · Title\nDecided by: 01 curves\n\nA: Why?\n+ yes\n- no // belief\n"
    with pytest.raises(ValueError, match="item one must have the forms A and B"):
        concepts.read(text)
    with pytest.raises(ValueError, match="one, form A: one right and three wrong"):
        concepts.read(text + "\nB: Why?\n+ yes\n- no // belief\n")
    with pytest.raises(ValueError, match="each wrong answer, and no other, has a belief"):
        concepts.read(text.replace(" // belief", "") + "\nB: Why?\n+ yes\n- no\n")
