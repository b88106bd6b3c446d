"""Strange messages to every lab: it says in words what is wrong, or works, and goes on."""

import pytest
from hypothesis import HealthCheck, given, settings

from fuzz.child import Child
from fuzz.messages import JOBS

USUAL = 100


@pytest.fixture(scope="module")
def child():
    child = Child("messages")
    yield child
    child.end()


def test_fuzzed_messages(cases, counts, child):
    found = []

    @settings(
        max_examples=cases or USUAL,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(JOBS)
    def one(job):
        verdict = child.ask(job)
        kind, why = (verdict, "") if isinstance(verdict, str) else verdict
        counts[kind] += 1
        if kind not in ("refused", "done"):
            found.append(f"{kind}: {why}")

    one()
    assert found == [], "\n".join(["", *sorted(set(found))])
