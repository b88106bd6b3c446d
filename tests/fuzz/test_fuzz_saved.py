"""Saved runs and checkpoints, damaged in every way: refused with a reason, and nothing changed."""

from fuzz.child import Child, findings
from fuzz.saved import JOBS

USUAL = 100


def test_fuzzed_files(cases, counts):
    with Child("saved") as child:
        found = findings(child, JOBS, cases or USUAL, {"refused", "taken", "the same"}, counts)
    assert counts["refused"] > counts["taken"]
    assert not found, "\n".join(["", *found])
