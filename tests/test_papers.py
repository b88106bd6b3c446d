"""What the world reads first: version, citation, article, buttons, and what hosts are to do."""

import importlib.util
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

import ganlib

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
ARXIV = r"(\d{4}\.\d{4,5})"


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def book_script(name):
    """A script of the book as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"notebooks/book/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def has_form(schema, *paths):
    """Fail unless the files have the form that a schema of check-jsonschema asks for."""
    if importlib.util.find_spec("check_jsonschema") is None:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("no check-jsonschema here: `python3 start.py install test` brings it")
    from check_jsonschema import main

    with pytest.raises(SystemExit) as done:
        main(["--builtin-schema", schema, *map(str, paths)])
    assert done.value.code == 0


# -- one version -----------------------------------------------------------------------------------


def test_the_version_is_that_of_ganlib_everywhere():
    citation = yaml.safe_load(text("CITATION.cff"))
    newest = re.search(r"^## (\S+) \((\S+)\)$", text("CHANGELOG.md"), re.M)
    assert citation["version"] == newest[1] == ganlib.__version__
    assert str(citation["date-released"]) == newest[2]
    assert 'dynamic = ["version"]' in text("pyproject.toml")


def test_the_citation_has_its_form():
    has_form("vendor.citation-file-format", ROOT / "CITATION.cff")


def test_both_licences_are_there_and_named_where_people_look():
    assert text("LICENSE").startswith("MIT License")
    assert text("LICENSE-CC-BY-4.0").startswith("Creative Commons Attribution 4.0 International")
    assert yaml.safe_load(text("CITATION.cff"))["license"] == ["MIT", "CC-BY-4.0"]
    assert "[MIT](LICENSE)" in text("README.md")
    assert "[CC BY 4.0](LICENSE-CC-BY-4.0)" in text("README.md")


# -- the article -----------------------------------------------------------------------------------


def entries(name):
    """{key: {field: value}} of a bibliography."""
    found = {}
    for key, body in re.findall(r"^@\w+\{(\S+),\n(.*?)\n\}", text(name), re.M | re.S):
        found[key] = dict(re.findall(r"^  (\w+) = \{(.*)\},?$", body, re.M))
    return found


def test_the_article_cites_what_its_bibliography_has_and_no_more():
    article = text("paper/paper.md")
    _, head, body = article.split("---\n", 2)
    about = yaml.safe_load(head)
    assert {"title", "tags", "authors", "affiliations", "date", "bibliography"} <= about.keys()
    assert about["bibliography"] == "paper.bib"
    assert set(re.findall(r"@(\w+)", body)) == entries("paper/paper.bib").keys()
    for section in ("Summary", "Statement of need", "Learning objectives", "References"):
        assert f"\n# {section}\n" in body


def test_what_only_the_owners_know_is_left_open():
    _, head, body = text("paper/paper.md").split("---\n", 2)
    about = yaml.safe_load(head)
    open_fields = [*about["authors"][0].values(), about["affiliations"][0]["name"]]
    assert all("TO BE FILLED IN" in str(field) for field in open_fields if field != 1)
    assert re.search(r"# Experience of use\n\nTO BE FILLED IN", body)


def test_the_article_and_the_book_say_the_same_of_a_source():
    every = entries("notebooks/book/references.bib").values()
    in_the_book = {entry["url"]: entry for entry in every if "url" in entry}
    for entry in entries("paper/paper.bib").values():
        doi = entry.pop("doi")
        assert entry == in_the_book[entry["url"]]
        number = re.fullmatch(rf"https://arxiv\.org/abs/{ARXIV}", entry["url"])[1]
        assert doi == f"10.48550/arXiv.{number}"


def test_every_doi_is_one_of_arxiv_and_leads_to_the_address_beside_it():
    for source in yaml.safe_load(text("CITATION.cff"))["references"]:
        number = re.fullmatch(rf"10\.48550/arXiv\.{ARXIV}", source["doi"])[1]
        assert source["url"] == f"https://arxiv.org/abs/{number}"


# -- buttons ---------------------------------------------------------------------------------------


def test_readme_has_the_buttons_of_the_one_setting():
    badges = book_script("badges")
    address = badges.repository(text("notebooks/book/conf.py"))
    assert badges.with_badges(text("README.md"), address) == text("README.md")


def test_buttons_lead_to_the_repository_and_go_again():
    badges = book_script("badges")
    bare = badges.with_badges(text("README.md"), "")
    full = badges.with_badges(bare, "https://github.com/NAME/course")
    for place in (
        "https://mybinder.org/v2/gh/NAME/course/main?urlpath=lab/tree/",
        "https://codespaces.new/NAME/course",
    ):
        assert full.count(f"]({place}") == 1
    assert (ROOT / badges.FIRST).exists()
    assert (ROOT / ".github/workflows/tests.yml").exists() and "/tests.yml" in full
    assert badges.with_badges(full, "") == bare
    assert badges.with_badges(full, "https://github.com/NAME/course") == full

    with pytest.raises(ValueError, match=r"REPOSITORY must be like .* not 'github.com/NAME'"):
        badges.badges("github.com/NAME")
    with pytest.raises(ValueError, match="must have a line REPOSITORY"):
        badges.repository("SITE = ''")
    with pytest.raises(ValueError, match=r"README\.md must have the lines"):
        badges.with_badges("# A title\n", "")


# -- hosts -----------------------------------------------------------------------------------------


def commands():
    """The commands of README, as one writes them on Linux, without what is said beside them."""
    blocks = re.findall(r"```bash\n(.*?)```", text("README.md"), re.S)
    lines = "".join(blocks).splitlines()
    return {line.partition("#")[0].strip() for line in lines} - {""}


def shell_steps(path):
    """What a workflow runs."""
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


def test_workflows_have_their_form():
    has_form("vendor.github-workflows", *WORKFLOWS)


def test_workflows_run_what_readme_says():
    site, tests = map(shell_steps, WORKFLOWS)
    beside = ["cp .cache/lab.html .cache/book/html/lab.html"]
    assert [step for step in site if step not in commands()] == beside
    assert [step.replace("python ", "python3 ") for step in tests] == [
        "python3 start.py --version",  # instead of opening it says which JupyterLab it is
        "python3 start.py test",
    ]
    assert {"python3 start.py", "python3 start.py test"} <= commands()


def test_the_container_installs_as_readme_says():
    about = json.loads(text(".devcontainer/devcontainer.json"))
    assert about["postCreateCommand"] == "python3 start.py install"
    python = about["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert python == "${containerWorkspaceFolder}/.venv/bin/python"
    assert about["image"].endswith(":" + text(".binder/runtime.txt").strip()[len("python-") :])


def test_binder_takes_torch_without_cuda_and_then_the_lock(tmp_path):
    """Its script, run with a pip that writes down what it is asked."""
    pip = tmp_path / "pip"
    pip.write_text('#!/bin/sh\necho "$@"\n')
    pip.chmod(0o755)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    script = ROOT / ".binder/postBuild"
    assert os.access(script, os.X_OK)
    done = subprocess.run(
        [script], cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    torch = re.search(r"^torch==.+$", text("requirements.txt"), re.M)[0]
    index = "https://download.pytorch.org/whl/cpu"
    assert done.stdout.splitlines() == [
        f"install --no-cache-dir --no-deps --index-url {index} {torch}",
        "install --no-cache-dir -r requirements.txt",
    ]
