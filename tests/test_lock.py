"""The versions of the course: each package has one, in both forms the same, and it is installed."""

import os
import re
from functools import cache
from importlib import metadata
from pathlib import Path

import lock
import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
PARTS = {"course": ROOT, "tests": ROOT / "tests"}

# What is not in the locks, and what may stand there: torch by itself, and the course.
APART = {"torch", "ganlib", "pip"}

SYSTEMS = {
    "Linux": {"sys_platform": "linux", "os_name": "posix", "platform_machine": "x86_64"},
    "Darwin": {"sys_platform": "darwin", "os_name": "posix", "platform_machine": "arm64"},
    "Windows": {"sys_platform": "win32", "os_name": "nt", "platform_machine": "AMD64"},
}
PYTHONS = ["3.10.19", "3.11.7", "3.12.12", "3.13.9"]
ENVIRONMENTS = [
    {
        **system,
        "platform_system": name,
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    for name, system in SYSTEMS.items()
    for python in PYTHONS
]


@cache
def in_requirements(part):
    """[(name, version, marker)] of what pip is told."""
    lines = (PARTS[part] / "requirements.txt").read_text(encoding="utf-8").splitlines()
    asked = [Requirement(line) for line in lines if re.match(r"\w", line)]
    for one in asked:
        assert re.fullmatch(r"==[\w.]+", str(one.specifier)), f"{one} names no exact version"
    return [(canonicalize_name(one.name), str(one.specifier)[2:], one.marker) for one in asked]


@cache
def packages(part):
    """What uv is told, with its files."""
    text = (PARTS[part] / "pylock.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["packages"]


@cache
def in_pylock(part):
    """[(name, version, marker)] of what uv is told."""
    return [
        (one["name"], one["version"], Marker(one["marker"]) if "marker" in one else None)
        for one in packages(part)
    ]


def chosen(rows, environment):
    """{name: its versions there}"""
    found = {}
    for name, version, marker in rows:
        if marker is None or marker.evaluate(environment):
            found.setdefault(name, []).append(version)
    return found


def needed():
    """What pyproject.toml asks for, by name, for each part."""
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = about["optional-dependencies"]
    tests = [*extras["tests"], *extras["lecture"], *extras["book"]]
    return {"course": [*about["dependencies"], *extras["course"]], "tests": tests}


@pytest.mark.parametrize(
    "environment", ENVIRONMENTS, ids=lambda e: f"{e['platform_system']}-{e['python_version']}"
)
def test_each_package_has_one_version_and_both_forms_say_the_same(environment):
    both = {}
    for part in PARTS:
        of_pip = chosen(in_requirements(part), environment)
        of_uv = chosen(in_pylock(part), environment)
        of_pip.pop("torch", None)
        assert of_pip == of_uv
        assert {name: versions for name, versions in of_pip.items() if len(versions) > 1} == {}
        assert both.keys().isdisjoint(of_pip), "named in both parts"
        both.update(of_pip)

        for asked in map(Requirement, needed()[part]):
            if asked.marker is None or asked.marker.evaluate(environment):
                assert canonicalize_name(asked.name) in {*both, "torch"}


def test_nothing_but_torch_asks_for_cuda():
    for part in PARTS:
        names = {name for name, *_ in in_requirements(part) + in_pylock(part)} - {"torch"}
        assert [name for name in names if lock.OF_TORCH.match(name)] == []
    assert [row[0] for row in in_requirements("course")].count("torch") == 1
    assert "torch" not in [row[0] for row in in_pylock("course")]


def test_every_file_has_its_checksum_and_comes_from_pypi():
    for part in PARTS:
        for package in packages(part):
            files = [
                *package.get("wheels", []),
                *([package["sdist"]] if "sdist" in package else []),
            ]
            assert files, package["name"]
            for file in files:
                assert re.fullmatch(r"[0-9a-f]{64}", file["hashes"]["sha256"])
                assert file["url"].startswith("https://files.pythonhosted.org/")


def installed():
    """{name: version} of this Python."""
    found = metadata.distributions()
    return {canonicalize_name(one.metadata["Name"]): one.version for one in found}


def fixed():
    """{name: version} for this Python."""
    rows = in_requirements("course") + in_requirements("tests")
    return {name: version for name, (version,) in chosen(rows, None).items()}


def test_what_is_installed_is_what_is_locked():
    """In CI all of it and nothing else; elsewhere parts may be missing, and others beside them."""
    here, there = installed(), fixed()
    torch = here["torch"].split("+")[0]
    both = here.keys() & there.keys() - {"torch"}
    assert {name: here[name] for name in both} == {name: there[name] for name in both}
    assert torch == there["torch"]
    if os.environ.get("CI"):
        assert there.keys() - here.keys() == set()
        assert here.keys() - there.keys() - APART == set()


def test_the_locks_have_all_that_the_installed_packages_need():
    """By what the packages themselves say, not by what uv found; CUDA is the choice of torch."""
    there = fixed()
    missing = []
    for name in there.keys() & installed().keys():
        for asked in map(Requirement, metadata.requires(name) or []):
            wanted = asked.marker is None or asked.marker.evaluate({"extra": ""})
            if not wanted or lock.OF_TORCH.match(asked.name):
                continue
            version = there.get(canonicalize_name(asked.name))
            if version is None or not asked.specifier.contains(version, prereleases=True):
                missing.append(f"{name} needs {asked}; locked is {version}")
    assert missing == []


def test_torch_and_what_is_only_for_cuda_are_left_out_of_what_uv_finds():
    text = """# a comment
numpy==2.0 ; python_version >= "3.11"
nvidia-cublas==13.1 ; sys_platform == 'linux'
torch==2.0
torchmetrics==1.0
triton==3.0
"""
    assert lock.pins(text) == ['numpy==2.0 ; python_version >= "3.11"', "torchmetrics==1.0"]
    assert lock.torch_of(text) == "torch==2.0"

    head, found = lock.blocks(
        'lock-version = "1.0"\n\n'
        '[[packages]]\nname = "cuda-toolkit"\nversion = "13"\n\n'
        '[[packages]]\nname = "numpy"\nversion = "2.0"\nmarker = "x"\n\n'
    )
    assert head == 'lock-version = "1.0"\n\n'
    assert found == {
        ("numpy", "2.0"): '[[packages]]\nname = "numpy"\nversion = "2.0"\nmarker = "x"\n'
    }
