"""Modules joined for a page that may not import: the same names do the same."""

import json
import subprocess

import pytest

from ganlib.stage.bundle import join
from ganlib.stage.widget import JS


@pytest.fixture
def modules(tmp_path):
    """Three modules, two of which keep a name `inner` to themselves."""
    (tmp_path / "a.js").write_text("const inner = 1;\nexport const one = () => inner;\n")
    (tmp_path / "b.js").write_text(
        'import { one } from "./a.js";\n'
        "const inner = 2;\n"
        "export function two() {\n  return one() + inner - 1;\n}\n"
        "export let counted = 0;\n"
    )
    (tmp_path / "c.js").write_text(
        'import { one as first } from "./a.js";\n'
        'import {\n  two,\n  counted,\n} from "./b.js";\n'
        "export class Sum {\n  value = [first(), two(), counted];\n}\n"
    )
    return tmp_path


def test_joined_modules_work_in_one_script(modules, node_program):
    script = join(modules / "c.js") + "\nconsole.log(JSON.stringify(new Sum().value));"
    done = subprocess.run([node_program, "-e", script], capture_output=True, text=True)
    assert json.loads(done.stdout) == [1, 2, 0], done.stderr


def test_a_module_that_two_others_need_stands_once_and_before_them(modules):
    script = join(modules / "c.js")
    assert script.count("const inner = 1;") == 1
    assert script.index("inner = 1") < script.index("inner = 2") < script.index("class Sum")


@pytest.mark.parametrize(
    "line",
    [
        "export default {};",
        'export * from "./a.js";',
        'import all from "./a.js";',
        'import * as all from "./a.js";',
        'import "./a.js";',
    ],
)
def test_a_form_that_is_not_joined_is_refused(modules, line):
    (modules / "d.js").write_text(line + "\n")
    with pytest.raises(ValueError, match=r"d\.js: this form is not joined"):
        join(modules / "d.js")


@pytest.mark.parametrize("entry", ["widget.js", "lab.js"])
def test_our_own_modules_are_one_script_without_imports(entry, node_program):
    script = join(JS / entry)
    command = [node_program, "--check", "-"]
    done = subprocess.run(command, input=script, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "import " not in script.replace("// ", "")
