"""Strange messages to every lab: it says in words what is wrong, or works, and goes on."""

from fuzz.child import Child, findings
from fuzz.messages import JOBS

USUAL = 100


def test_fuzzed_messages(cases, counts):
    with Child("messages") as child:
        found = findings(child, JOBS, cases or USUAL, {"refused", "done"}, counts)
    assert not found, "\n".join(["", *found])
