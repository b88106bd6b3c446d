"""The quizzes as GIFT and as QTI 2.1 say, to independent readers, what the notebooks say."""

import html
import re
import sys

import make as lecture
import nbformat
import pytest
from lecturer import gift, qti
from lecturer.questions import Answer, Question, from_folded, of_cell, of_notebook
from readers import read_gift, read_qti

PATHS = lecture.chosen([])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder that the command makes, twice: the second time in place of the first."""
    folder = tmp_path_factory.mktemp("quiz") / "quiz"
    before = sys.argv
    try:
        for _ in range(2):
            sys.argv = ["make.py", "quiz", "--out", str(folder)]
            lecture.main()
    finally:
        sys.argv = before
    return folder


@pytest.fixture(scope="module")
def found(made):
    """What the two readers find."""
    return {
        "GIFT": read_gift((made / "quiz.gift").read_text(encoding="utf-8")),
        "QTI": read_qti(made / "quiz_qti21.zip"),
    }


def plain(fragment):
    """The words of a piece of HTML, or of a text cell, without marks and spaces."""
    words = html.unescape(re.sub(r"</?[a-z][^>]*>", "", fragment))
    return re.sub(r"[\s$*`]|\\[()]|\\(?=\*)", "", words)


def told(path):
    """What a notebook asks, answers and says, found without the reader of quizzes."""
    cells = nbformat.read(path, as_version=4).cells
    quiz = "\n".join(cell.source for cell in cells if "<summary>a) " in cell.source)
    numbered = re.split(r"\n(?=\*\*\d+\.)", quiz)[1:]
    for asked in numbered:
        lines = [line for line in asked.splitlines() if line.startswith("<details>")]
        text = re.sub(r"^\*\*\d+\.", "", asked[: asked.index("<details>")])
        parts = [re.split(r"<summary>[a-z]\) |</summary>|</details>", line) for line in lines]
        yield plain(text), [(plain(answer), plain(said)) for _, answer, said, *_ in parts]


@pytest.mark.parametrize("form", ["GIFT", "QTI"])
def test_every_question_arrives_as_the_notebook_has_it(form, found):
    for path in PATHS:
        number = path.name[:2]
        arrived = [each for each in found[form] if each.key.startswith(f"{number}-")]
        assert [each.key for each in arrived] == [f"{number}-quiz-{k}" for k in range(1, 6)]
        assert {each.part[:2] for each in arrived} == {number}
        for each, (text, answers) in zip(arrived, told(path), strict=True):
            assert plain(each.text) == text
            assert [(plain(answer), plain(said)) for answer, _, said in each.answers] == answers
            right = [plain(said).startswith("Right") for _, _, said in each.answers]
            assert [is_right for _, is_right, _ in each.answers] == right
            assert sum(right) == 1


def test_both_forms_carry_the_same(found):
    assert [vars(each) for each in found["GIFT"]] == [vars(each) for each in found["QTI"]]
    assert len(found["GIFT"]) == 5 * len(PATHS)


def test_mathematics_and_code_arrive(found):
    texts = {each.key: each.text for each in found["GIFT"]}
    assert r"\(\log p(x)\)" in texts["02-quiz-1"]
    assert "<code>detach</code>" in texts["04-quiz-3"]


HARD = Question(
    key="hard-1",
    part="A/B {or} C",
    text=r"\(\nu = \{a\}\) ~ 50 % <code>x = {1: 2} # \n</code>",
    answers=(
        Answer("%50% = ~half~", False, "a:b\\"),
        Answer(r"\\ and \(\neq\)", True, "{#}"),
        Answer("a &lt; b", False),
    ),
)


def test_signs_that_mean_something_to_a_format_are_only_signs(tmp_path):
    gift.write([HARD], "x", tmp_path / "x.gift")
    qti.write([HARD], "x", tmp_path / "x.zip")
    (by_gift,) = read_gift((tmp_path / "x.gift").read_text(encoding="utf-8"))
    (by_qti,) = read_qti(tmp_path / "x.zip")
    answers = [(each.text, each.right, each.why) for each in HARD.answers]
    for read in (by_gift, by_qti):
        assert (read.key, read.part, read.text, read.answers) == (*asked(HARD), answers)


def asked(question):
    return question.key, question.part, question.text


def test_the_same_questions_make_the_same_bytes(made, tmp_path):
    questions = [each for path in PATHS for each in of_notebook(path)]
    qti.write(questions, lecture.COURSE, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (made / "quiz_qti21.zip").read_bytes()


FOLDED = "<details><summary>{}) {}</summary>{}</details>"


@pytest.mark.parametrize(
    "reasons, names",
    [(("No.", "No: never."), "must be right, not 0"), (("Right.", "Right!"), "right, not 2")],
)
def test_a_quiz_with_a_mistake_is_named(reasons, names):
    answers = [FOLDED.format(letter, letter * 3, why) for letter, why in zip("ab", reasons)]
    source = "\n".join(["**4. Why?**", "", *answers])
    with pytest.raises(ValueError, match=f"03-quiz-4.*{names}"):
        of_cell(source, "03", "a part")


def test_equal_answers_and_foreign_tags_are_named():
    answers = [FOLDED.format("a", "same", "Right."), FOLDED.format("b", "same", "No.")]
    with pytest.raises(ValueError, match="all different"):
        of_cell("\n".join(["**1.** Why?", *answers]), "03", "a part")
    with pytest.raises(ValueError, match="plain text"):
        from_folded("see <img src=x>")


def test_what_is_folded_may_hold_code_and_formulas():
    found = from_folded("if  a < b and `x = {}` then $\\nu = 1$")
    assert found == r"if a &lt; b and <code>x = {}</code> then \(\nu = 1\)"


def test_a_notebook_without_a_quiz_is_named(tmp_path):
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Nothing")])
    nbformat.write(nb, tmp_path / "09_nothing.ipynb")
    with pytest.raises(ValueError, match=r"09_nothing\.ipynb has no quiz"):
        of_notebook(tmp_path / "09_nothing.ipynb")
