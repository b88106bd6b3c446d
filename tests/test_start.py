"""start.py, run for real on a small course whose packages lie on the disk: no network is asked."""

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Packages that say what they were asked to do, in place of those that the real ones would start.
SAYS = "import os, sys; print('{name}', *sys.argv[1:], 'in', os.getcwd())"
PACKAGES = {"torch": ["1.0"], "jupyterlab": ["1.0"], "pytest": ["1.0"], "small": ["1.0", "2.0"]}
LOCK = "torch==1.0\njupyterlab==1.0\nsmall=={small}\n"


def start_script():
    """start.py as a module."""
    spec = importlib.util.spec_from_file_location("start", ROOT / "start.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wheel(folder, name, version):
    """Write a package of one file, as pip installs it."""
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as package:
        package.writestr(f"{name}.py", f"version = '{version}'\n{SAYS.format(name=name)}\n")
        package.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        package.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        package.writestr(f"{about}/RECORD", "")


class Course:
    """A small course in a folder with a space in its name, and pip's settings for it."""

    def __init__(self, folder, packages):
        self.folder = folder
        keep = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
        self.environment = {
            **keep,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": packages.as_uri(),
            "PATH": os.pathsep.join(["/usr/bin", "/bin"]),  # without uv
        }

    def lock(self, text):
        (self.folder / "requirements.txt").write_text(text)

    def start(self, *arguments, **variables):
        """What start.py says, and its exit code."""
        done = subprocess.run(
            [sys.executable, self.folder / "start.py", *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder.parent,
            env={**self.environment, **variables},
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr, done.returncode

    @property
    def site(self):
        """Where packages are installed."""
        return next((self.folder / ".venv").rglob("site-packages"))


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    root = tmp_path_factory.mktemp("a course")
    packages = root / "packages"
    packages.mkdir()
    for name, versions in PACKAGES.items():
        for version in versions:
            wheel(packages, name, version)

    folder = root / "the course"
    (folder / "tests").mkdir(parents=True)
    shutil.copy(ROOT / "start.py", folder)
    (folder / "tests/requirements.txt").write_text("-r ../requirements.txt\npytest==1.0\n")
    made = Course(folder, packages)
    made.lock(LOCK.format(small="1.0"))
    made.said, made.code = made.start()
    return made


def test_the_first_run_installs_and_opens(course):
    assert course.code == 0, course.said
    assert "making a virtual environment" in course.said
    opened = "jupyterlab --notebook-dir=. notebooks/00_start_here.ipynb in "
    assert course.said.splitlines()[-1] == opened + str(course.folder)


def test_the_second_run_only_opens_and_hands_on_what_it_is_given(course):
    said, code = course.start("--no-browser")
    assert code == 0
    assert said.splitlines() == [
        f"jupyterlab --notebook-dir=. notebooks/00_start_here.ipynb --no-browser in {course.folder}"
    ]


@pytest.mark.slow
def test_tests_are_installed_when_they_are_asked_for(course):
    assert not (course.site / "pytest.py").exists()
    said, code = course.start("test", "-k", "gan")
    assert code == 0
    assert said.splitlines()[-1] == f"pytest -n 2 -k gan in {course.folder}"


def test_a_changed_lock_is_installed(course):
    course.lock(LOCK.format(small="2.0"))
    said, code = course.start("install")
    assert code == 0, said
    assert "version = '2.0'" in (course.site / "small.py").read_text()
    assert "making a virtual environment" not in said


def test_an_error_is_a_sentence_and_the_next_run_mends_what_was_cut_off(course):
    good = (course.folder / "requirements.txt").read_text()
    course.lock(good + "absent==1.0\n")
    said, code = course.start("install")
    assert code == 1
    assert "Not everything could be installed; the reason stands above." in said
    assert said.splitlines()[-1] == "When that is mended, the same command goes on."

    # As it is left when the power fails between the files of a package.
    (course.site / "small.py").unlink()
    (course.site / "small-2.0.dist-info/INSTALLER").unlink()
    course.lock(good)
    said, code = course.start("install")
    assert code == 0, said
    assert (course.site / "small.py").exists()


@pytest.mark.slow
def test_a_bundle_installs_with_nothing_else(course):
    folder = course.folder.parent / "a stick"
    said, code = course.start("bundle", str(folder))
    assert code == 0, said
    assert {path.name for path in folder.iterdir()} == {
        "requirements.txt",
        "start.py",
        "tests",
        "wheels",
    }

    bundled = Course(folder, folder / "nothing")
    mark = folder / "wheels/made for.txt"
    words = mark.read_text()
    mark.write_text("Python 2.7 on Plan 9, vax")
    said, code = bundled.start("install")
    assert code == 1 and "made for Python 2.7 on Plan 9, vax; this is Python 3" in said
    assert not (folder / ".venv").exists()

    mark.write_text(words)
    said, code = bundled.start()
    assert code == 0, said
    assert f"notebooks/00_start_here.ipynb in {folder}\n" in said


def test_what_is_no_environment_of_ours_is_left_alone(course, tmp_path):
    shutil.copy(ROOT / "start.py", tmp_path)
    shutil.copy(course.folder / "requirements.txt", tmp_path)
    other = Course(tmp_path, tmp_path)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/mine.txt").write_text("mine")
    said, code = other.start()
    assert code == 1 and "is no virtual environment of this folder" in said

    shutil.rmtree(tmp_path / ".venv")
    (tmp_path / ".venv").symlink_to(course.folder / ".venv", target_is_directory=True)
    said, code = other.start()
    assert code == 1 and "is no virtual environment of this folder" in said
    assert (course.site / "small.py").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tset"], "There is no command tset, only test, install, bundle."),
        (["install", "all"], "install takes nothing or the word test, not all."),
        (["bundle"], "bundle takes one folder, the one to make."),
        (
            ["bundle", "the course"],
            "is the course itself, or around it: please name another folder.",
        ),
    ],
)
def test_a_wrong_command_says_what_there_is(course, arguments, words):
    said, code = course.start(*arguments)
    assert code == 1 and words in said


def test_the_settings_of_pip_are_said_in_the_words_of_uv():
    start = start_script()
    settings = {
        "find-links": "/a /b",
        "index-url": "https://x.org/simple",
        "extra-index-url": "https://y.org/simple https://z.org/simple",
        "timeout": "5",
    }
    assert start.uv_environment(settings) == {
        "UV_FIND_LINKS": "/a,/b",
        "UV_DEFAULT_INDEX": "https://x.org/simple",
        "UV_INDEX": "https://y.org/simple https://z.org/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    assert start.uv_environment({}) == {}


def test_torch_without_cuda_is_looked_for_near_before_far(monkeypatch):
    """On this machine; then at PyTorch's, if that answers; and else it is left to PyPI."""
    start = start_script()
    index = ["--no-deps", "--index-url", "https://download.pytorch.org/whl/cpu", "torch==1.0"]
    near = ["-qqq", "--no-deps", "--no-index", "torch==1.0"]
    for found, answers, tried in [
        ([near], True, [near]),
        ([index], True, [near, index]),
        ([], True, [near, index]),
        ([index], False, [near]),
    ]:
        asked = []

        def install(*arguments, asked=asked, found=found):
            asked.append(list(arguments))
            return asked[-1] in found

        monkeypatch.setattr(start, "answers", lambda address, answers=answers: answers)
        assert start.torch_for_cpu(install, "torch==1.0") is (tried[-1] in found)
        assert asked == tried


CUDA = ["--index-url", "https://download.pytorch.org/whl/cu130", "torch==1.0"]


@pytest.mark.parametrize(
    ("linux", "there", "noted", "cuda", "asked"),
    [
        (True, "1.0+cpu", False, False, []),
        (True, "", False, False, ["near", ["torch==1.0"]]),  # near stands for torch_for_cpu
        (True, "0.9+cpu", False, False, ["near", ["torch==1.0"]]),
        (True, "1.0+cpu", False, True, [["torch==1.0"]]),
        (True, "1.0", True, True, []),
        (True, "0.9", True, False, [["torch==1.0"]]),
        (False, "", False, False, [["--no-deps", "torch==1.0"]]),
        (False, "1.0", False, False, []),
        (False, "1.0", False, True, [CUDA]),
        (False, "1.0", True, False, []),
    ],
)
def test_the_build_of_torch_is_the_one_that_is_wanted(
    monkeypatch, linux, there, noted, cuda, asked
):
    """On Linux and elsewhere; noted: it was asked for CUDA before."""
    start = start_script()
    done = []

    class Installer:
        offline = ()

        def install(self, *arguments):
            done.append(list(arguments))
            return True

    for name, value in {
        "LINUX": linux,
        "pinned_torch": lambda: "1.0",
        "installed_torch": lambda: there if not done else "1.0",
        "note": lambda: {"cuda": noted},
        "run": lambda command: done or 0,
        "write_note": lambda **more: None,
        "torch_for_cpu": lambda install, fixed: done.append("near"),
    }.items():
        monkeypatch.setattr(start, name, value)
    start.take_torch(Installer(), cuda)
    assert done == asked
