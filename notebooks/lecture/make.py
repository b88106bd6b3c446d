"""Make what a class needs out of the notebooks.

    python notebooks/lecture/make.py COMMAND [04 ...] [--out FOLDER]

student: the notebooks without their solutions.
instructor: with solutions and answers open, and the speaker notes of INSTRUCTOR.md on every slide.
slides: the same as pages to open from disk, with no network.
rise: makes nothing, but lets the labs play in live slides (RISE) of this environment.
quiz: the questions of all quizzes for a learning platform, as GIFT and as QTI 2.1.
handout: the notebooks as PDF, for the class and for yourself.
exam: a sheet of questions with fresh numbers, and its key.
concepts: a test of concepts in two forms, for before and after; gain: what it says of a class.
nbgrader: a course folder for nbgrader, which grades the exercises by themselves.
score: how far learners came, from their saved notebooks.

slides, rise and handout need what `python3 start.py install test` brings. Everything is made new
each time, in a folder that git ignores, and nothing of it is ever kept. `make.py COMMAND --help`
says more.
"""

import argparse
import base64
import importlib.metadata
import importlib.util
import re
import secrets
import shutil
import sys
import tempfile
from html import escape
from pathlib import Path

import nbformat
from lecturer import concepts, exam, gain, gift, graded, handout, qti, scores
from lecturer.questions import of_notebook

from ganlib.words import words

HERE = Path(__file__).resolve().parent
NOTEBOOKS = HERE.parent
ROOT = NOTEBOOKS.parent

COURSE = "Generative adversarial networks"

PICTURE = re.compile(r"\]\((\.\./images/[\w.]+)\)")
NOTE = re.compile(r"^- `([a-z0-9-]+)` \((\d+) min\) (.*(?:\n  .*)*)", re.M)

MISSING = (
    "slides, rise and handout need more packages than the course: "
    "python3 start.py install test brings them"
)

ANSWER = "<details><summary><b>Answer</b></summary>"  # of a prediction

# How RISE shows the instructor's edition; its other themes ask for fonts from the network.
RISE = {
    "theme": "white",
    "transition": "none",
    "auto_select": "none",
    "scroll": True,
    "start_slideshow_at": "beginning",
}

# What a page of slides needs of reveal.js.
REVEAL = (
    "dist/reveal.js",
    "dist/reveal.css",
    "dist/theme/white.css",
    "dist/theme/fonts/source-sans-pro",
    "plugin/notes",
)


# -- the notebooks -----------------------------------------------------------------------------


def kind(cell):
    """Its slide type: slide, subslide, fragment, notes, skip, or "-" where the slide goes on."""
    return cell.metadata.get("slideshow", {}).get("slide_type", "-")


def tagged(cell, tag):
    return tag in cell.metadata.get("tags", [])


def pictures(cell):
    """The outputs of a cell that are pictures."""
    return [output for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]


def speaker_notes(number):
    """{id of a slide's first cell: (minutes, what to say)} of a notebook, from INSTRUCTOR.md."""
    text = (NOTEBOOKS / "INSTRUCTOR.md").read_text(encoding="utf-8")
    part = re.search(rf"^## {number} .*?(?=^## |\Z)", text, re.M | re.S)
    if part is None:
        return {}
    return {
        note[1]: (int(note[2]), re.sub(r"\s+", " ", note[3])) for note in NOTE.finditer(part[0])
    }


# -- the editions ------------------------------------------------------------------------------


def student(nb):
    """Without solutions: neither their cells nor what these printed."""
    nb.cells = [cell for cell in nb.cells if not tagged(cell, "solution")]

    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, 1):
        cell.execution_count = count
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
    return nb


def instructor(nb, notes):
    """Solutions and answers open; after the first cell of each slide what to say on it."""
    cells = []
    for cell in nb.cells:
        if tagged(cell, "solution"):
            cell.metadata.pop("jupyter", None)
        cell.metadata.get("jupyter", {}).pop("outputs_hidden", None)
        cell.source = cell.source.replace(ANSWER, ANSWER.replace("<details>", "<details open>"))
        cells.append(cell)
        if cell.id in notes:
            minutes, said = notes[cell.id]
            note = nbformat.v4.new_markdown_cell(
                f"**Notes · {minutes} min.** {said}", id=f"notes-{cell.id}"
            )
            note.metadata["slideshow"] = {"slide_type": "notes"}
            cells.append(note)

    nb.cells = cells
    nb.metadata["rise"] = RISE
    return nb


def slides(nb, name, out):
    """One page of slides; the labs that need no kernel work on it."""
    from nbconvert import SlidesExporter

    for cell in nb.cells:
        prepare(cell)
    add_labs(nb)

    exporter = SlidesExporter(
        extra_template_basedirs=[str(HERE)],
        template_name="slides",
        reveal_url_prefix="assets/reveal",
        reveal_theme="white",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    title = nb.cells[0].source.splitlines()[0].strip("# ")
    style = (HERE / "slides/slides.css").read_text(encoding="utf-8")
    page, _ = exporter.from_notebook_node(nb, {"metadata": {"name": title}, "slide_css": style})
    (out / f"{name}.html").write_text(page, encoding="utf-8")


def prepare(cell):
    """Make a cell what it is on a page of slides."""
    if tagged(cell, "solution"):
        cell.metadata["slideshow"] = {"slide_type": "skip"}

    # A picture is shown; how it is drawn is not.
    if pictures(cell):
        cell.metadata["transient"] = {"remove_source": True}
    describe(cell)


def describe(cell):
    """Give its pictures their sentence as alternative text, and those of the course their bytes."""
    for picture in pictures(cell):
        picture.metadata = {"image/png": {"alt": words(cell.outputs)}}
    cell.source = PICTURE.sub(embedded, cell.source)


def embedded(match):
    """A picture of the course inside the page: its bytes in place of its path."""
    path = (NOTEBOOKS / match[1]).resolve()
    data = base64.b64encode(path.read_bytes()).decode()
    return f"](data:image/{path.suffix[1:]};base64,{data})"


def add_labs(nb):
    """Let the labs that need no kernel work on their slides; a picture stays without JavaScript."""
    from ganlib.labs import in_page

    script = in_page.script()
    for cell in nb.cells:
        if cell.id not in in_page.CELLS or kind(cell) == "skip":
            continue
        png = pictures(cell)[0].data["image/png"].strip()
        still = f'<img alt="{escape(words(cell.outputs))}" src="data:image/png;base64,{png}">'
        lab = in_page.html(in_page.made(in_page.CELLS[cell.id]), fallback=still)
        cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": f"{script}\n{lab}"})]
        script = ""  # once on a page


# -- the files beside them ---------------------------------------------------------------------


def copy(source, to):
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, to)


def packaged(package, path):
    """A file or folder that a package of the extra carries."""
    try:
        found = importlib.metadata.distribution(package).locate_file(path)
    except importlib.metadata.PackageNotFoundError:
        sys.exit(MISSING)
    return Path(found)


def assets(out):
    """reveal.js and MathJax, from the packages that carry them, for the slides."""
    reveal = packaged("sphinx-revealjs", "sphinx_revealjs/_static/revealjs")
    mathjax = packaged("sphinx-mathjax-offline", "sphinx-mathjax-offline/static/mathjax/tex-svg.js")
    for part in REVEAL:
        to = out / "assets/reveal" / part
        if (reveal / part).is_dir():
            shutil.copytree(reveal / part, to)
        else:
            copy(reveal / part, to)
    copy(mathjax, out / "assets/mathjax/tex-svg.js")


def belongings(out):
    """What the notebooks of an edition show and load."""
    shown = [*(ROOT / "images").glob("*.png"), *(ROOT / "images").glob("*.gif")]
    for picture in shown:
        copy(picture, out / "images" / picture.name)
    shutil.copytree(NOTEBOOKS / "weights", out / "notebooks/weights")
    copy(HERE / "rise/rise.css", out / "notebooks/rise.css")


def install_rise(prefix=sys.prefix):
    """Put the extension in rise/ where JupyterLab of this environment looks for extensions."""
    if importlib.util.find_spec("jupyterlab_rise") is None:
        sys.exit(MISSING)
    to = Path(prefix) / "share/jupyter/labextensions/ganlib-rise"
    for file in ("package.json", "static/remoteEntry.js"):
        copy(HERE / "rise" / file, to / file)
    print(
        f"{to}: labs play in RISE now. "
        "Open a notebook in JupyterLab, run all its cells, and press Alt+R."
    )


# -- all of it ---------------------------------------------------------------------------------


def fresh(out, *read):
    """Empty the folder `out`, or make it. What this script did not make is left alone.

    read: files and folders that a command reads, and that may not lie in what it empties.
    """
    inside = [path for path in read if path.resolve().is_relative_to(out.resolve())]
    if inside:
        sys.exit(f"{inside[0]} lies in {out}, which is emptied: name another folder with --out")
    if out.exists() and any(out.iterdir()) and not (out / ".made").exists():
        sys.exit(f"{out} holds something that this script did not make: name another folder")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / ".made").touch()


def make(edition, paths, out):
    """Make an edition of these notebooks in the folder `out`, in place of what it holds."""
    fresh(out)
    folder = out if edition == "slides" else out / "notebooks"
    folder.mkdir(exist_ok=True)
    if edition == "slides":
        assets(out)
    else:
        belongings(out)

    for path in paths:
        nb = nbformat.read(path, as_version=4)
        if edition == "student":
            nb = student(nb)
        else:
            nb = instructor(nb, speaker_notes(path.name[:2]))

        if edition == "slides":
            slides(nb, path.stem, out)
        else:
            nbformat.write(nb, folder / path.name)
        print(folder / path.name)


def chosen(which):
    """The notebooks whose file names begin like this; all, if nothing is asked."""
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    if which:
        paths = [path for path in paths if path.name.startswith(tuple(which))]
    if not paths:
        sys.exit(f"no notebook begins with {' or '.join(which)}")
    return paths


# -- the commands ------------------------------------------------------------------------------


def quiz(args):
    """The quiz questions of the notebooks: quiz.gift for Moodle, quiz_qti21.zip for others."""
    fresh(args.out)
    questions = [asked for path in chosen(args.which) for asked in of_notebook(path)]
    gift.write(questions, COURSE, args.out / "quiz.gift")
    qti.write(questions, COURSE, args.out / "quiz_qti21.zip")
    print(
        f"{len(questions)} questions in {args.out}: quiz.gift for Moodle, quiz_qti21.zip for others"
    )


def handouts(args):
    """The notebooks as PDF, for the class and for yourself, on A4 and on letter.

    The class gets no solution and no reason of a quiz; you get both, and the speaker notes.
    A browser prints them: Chromium, Chrome or Edge; CHROMIUM in the environment says where it is.
    """
    mathjax = packaged("sphinx-mathjax-offline", "sphinx-mathjax-offline/static/mathjax/tex-svg.js")
    if importlib.util.find_spec("playwright") is None:
        sys.exit(MISSING)
    papers = handout.PAPERS if args.paper is None else [args.paper]
    paths = chosen(args.which)
    try:
        handout.find_browser()
    except FileNotFoundError as error:
        sys.exit(str(error))

    fresh(args.out)
    with handout.printer() as to_pdf:
        for path in paths:
            for reader in ("student", "instructor"):
                nb = nbformat.read(path, as_version=4)
                if reader == "student":
                    nb = student(nb)
                else:
                    nb = instructor(nb, speaker_notes(path.name[:2]))
                nb = handout.for_paper(nb, reader == "student")
                for cell in nb.cells:
                    describe(cell)
                name = lambda paper, path=path, reader=reader: (
                    args.out / f"{path.stem}-{reader}-{paper}.pdf"
                )
                to_pdf(handout.page(nb, mathjax), f"{COURSE} · {path.stem[:2]}", papers, name)
            print(args.out / f"{path.stem}-*.pdf")


def exam_papers(args):
    """An exam with fresh numbers: sheet.html for the class, key.html for yourself.

    Print them from a browser. Without --seed a seed is drawn that nobody will guess; key.html has
    it, the sheet has not: whoever has the course and the seed can make the key.
    """
    seed = secrets.randbelow(10**15) if args.seed is None else args.seed
    numbers = sorted({path.name[:2] for path in chosen(args.which)})
    questions = exam.draw(seed, numbers, args.each)
    fresh(args.out)
    (args.out / "sheet.html").write_text(exam.sheet(questions, COURSE), encoding="utf-8")
    key = exam.key(questions, f"{COURSE}, seed {seed}")
    (args.out / "key.html").write_text(key, encoding="utf-8")
    print(
        f"{len(questions)} questions, {exam.points(questions)} points, in {args.out}: "
        f"sheet.html and key.html, which has the seed, {seed}"
    )


def nbgrader(args):
    """A course folder for nbgrader, with a source notebook for each notebook of the course.

    In that folder `nbgrader generate_assignment 03` makes what learners get, and after
    `nbgrader autograde 03` every exercise that `check` calls right has its point. nbgrader needs
    its own programs on the PATH, and ganlib where it grades.
    """
    fresh(args.out)
    made = graded.write(chosen(args.which), args.out)
    print(f"{len(made)} assignments in {args.out}: go there, and nbgrader generate_assignment 03")


def score(args):
    """How far learners came, from their saved notebooks in FOLDER: the lines that `check` printed.

    A folder below FOLDER is a learner; a file that lies in FOLDER itself is named after one. Two
    tables are made: scores.csv with a row for each notebook, exercises.csv with one for each
    exercise: right, tried, open (not answered), or missing (its cell is gone).

    This counts completion and is no exam: saved lines can be typed by hand, and the solutions come
    with the course. With --again every notebook is run anew, without the course's solutions. That
    runs whatever the learners wrote, as you: do it only where nothing can be lost or stolen.
    """
    if not args.folder.is_dir():
        sys.exit(f"{args.folder} is no folder")
    found = scores.saved(args.folder)
    if not found:
        sys.exit(f"{args.folder} holds no notebook (*.ipynb)")
    lessons = [scores.lesson(path) for path in chosen([])]

    fresh(args.out, args.folder)
    with tempfile.TemporaryDirectory() as place:
        run = None
        if args.again:
            belongings(Path(place))
            run = scores.again(Path(place) / "notebooks", args.seconds)
        listed = [scores.score(path, args.folder, lessons, run) for path in found]

    for name, rows in scores.tables(listed).items():
        scores.write(rows, args.out / f"{name}.csv")
    trouble = sum(bool(each.trouble) for each in listed)
    print(
        f"{len(listed)} notebooks of {len({each.learner for each in listed})} learners, "
        f"{trouble} with trouble, in {args.out}: scores.csv and exercises.csv. "
        "They count completion; do not mark by them."
    )


def concept_test(args):
    """The concept test, forms A and B: on paper, as GIFT, and as a notebook; and key.html.

    notebooks/lecture/concepts/README.md says how to give it and how to read what comes out.
    """
    fresh(args.out)
    items = concepts.read()
    for form in concepts.FORMS:
        stem = args.out / f"form_{form}"
        paper = concepts.paper(items, form)
        stem.with_suffix(".html").write_text(paper, encoding="utf-8")
        gift.write([item.forms[form] for item in items], COURSE, stem.with_suffix(".gift"))
        nbformat.write(concepts.notebook(items, form), stem.with_suffix(".ipynb"))
    (args.out / "key.html").write_text(concepts.key(items), encoding="utf-8")
    print(f"{len(items)} items in {args.out}: form_A and form_B, and key.html for yourself")


def gained(args):
    """What a class gained from before to after, and how good each item was, from ANSWERS.csv.

    A row for each sitting: learner, when (before or after), form (A or B), and answers, a letter
    for each item, a dot for none.
    """
    items = concepts.read()
    try:
        sittings = gain.read(args.answers, len(items))
        said = gain.summary(sittings, items)
        table = gain.item_table(gain.both_times(sittings), items)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    fresh(args.out, args.answers)
    scores.write([["what", "number"], *said.items()], args.out / "class.csv")
    scores.write(table, args.out / "items.csv")
    for what, number in said.items():
        print(f"{what}: {number}")
    print(f"more in {args.out}: class.csv and items.csv")


def command(commands, name, do, about):
    """A command that makes a folder."""
    parser = commands.add_parser(
        name,
        help=about,
        description=do.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / ".cache" / name,
        help=f"the folder to make; what is in it is replaced (default: .cache/{name})",
    )
    parser.set_defaults(do=do)
    return parser


def of_notebooks(commands, name, do, about):
    """A command that makes a folder out of the notebooks, of all of them or of those named."""
    parser = command(commands, name, do, about)
    parser.add_argument(
        "which", nargs="*", help="beginnings of file names, such as 04 (default: all)"
    )
    return parser


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    edition = lambda args: make(args.command, chosen(args.which), args.out)
    of_notebooks(commands, "student", edition, "notebooks without solutions")
    of_notebooks(commands, "instructor", edition, "notebooks with solutions and speaker notes")
    of_notebooks(commands, "slides", edition, "pages of slides")
    rise = commands.add_parser("rise", help="let the labs play in live slides")
    rise.set_defaults(do=lambda args: install_rise())
    of_notebooks(commands, "quiz", quiz, "all quiz questions, for a learning platform")

    printed = of_notebooks(commands, "handout", handouts, "the notebooks as PDF, to print")
    printed.add_argument("--paper", choices=handout.PAPERS, help="only this one (default: both)")
    paper = of_notebooks(commands, "exam", exam_papers, "an exam with fresh numbers, and its key")
    paper.add_argument("--seed", type=int, help="the same seed makes the same exam")
    paper.add_argument(
        "--each",
        type=int,
        choices=exam.LEVELS,
        default=1,
        help="how many questions of each notebook, each of another level (default: 1)",
    )

    of_notebooks(commands, "nbgrader", nbgrader, "a course folder for nbgrader")
    about = "how far learners came, from their saved notebooks"
    counted = command(commands, "score", score, about)
    counted.add_argument("folder", type=Path, help="where the learners' notebooks are")
    counted.add_argument("--again", action="store_true", help="run them anew (see above)")
    counted.add_argument(
        "--seconds", type=int, default=300, help="with --again: what a cell may take (default 300)"
    )

    command(commands, "concepts", concept_test, "a test of concepts, for before and after")
    read_back = command(commands, "gain", gained, "what a class gained between the two")
    read_back.add_argument("answers", type=Path, help="the table of answers, as CSV")

    args = parser.parse_args()
    args.do(args)


if __name__ == "__main__":
    main()
