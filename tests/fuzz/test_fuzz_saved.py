"""Saved runs and checkpoints, damaged in every way: refused with a reason, and nothing changed."""

import pytest
from hypothesis import HealthCheck, given, settings

from fuzz.child import Child
from fuzz.saved import JOBS

USUAL = 100


@pytest.fixture(scope="module")
def child():
    child = Child("saved")
    yield child
    child.end()


def test_fuzzed_files(cases, counts, child):
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
        if kind not in ("refused", "taken", "the same"):
            found.append(f"{kind}: {job} → {why}")

    one()
    assert counts["refused"] > counts["taken"]
    assert found == [], "\n".join(["", *sorted(set(found))])
