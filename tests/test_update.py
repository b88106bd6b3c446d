"""The command that updates the pins changes the lines that it should, and no others."""

import pytest
from update import FILE, updated

TEXT = """# a comment
torch==1.0
numpy==2.0; python_version >= "3.0"
numpy==1.0; python_version < "3.0"
tqdm==4.0
-e .
"""


def test_pins_of_this_python_are_taken_from_what_was_resolved():
    asked = []

    def resolve(names, fixed):
        asked.extend([names, fixed])
        return {"numpy": "3.0", "tqdm": "5.0", "torch": "9.0"}

    tqdm = TEXT.replace("tqdm==4.0", "tqdm==5.0")
    both = tqdm.replace("numpy==2.0", "numpy==3.0")

    assert updated(TEXT, [], resolve) == both
    assert asked == [["numpy", "tqdm"], ["torch==1.0"]]
    assert updated(TEXT, ["tqdm"], lambda names, fixed: {"tqdm": "5.0"}) == tqdm


def test_an_unknown_name_is_refused_and_the_course_names_what_it_pins():
    text = FILE.read_text(encoding="utf-8")
    message = r"not in requirements\.txt: nothing; there are torch, numpy"
    with pytest.raises(ValueError, match=message):
        updated(text, ["nothing"])
