"""What hypothesis draws of described workloads, and offerings with context tiers and windows to hold them against."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

import tokencost as tc
from tokencost.workloads.law import Law
from tokencost.workloads.profile import HourProfile
from tokencost.workloads.sizes import Drawn, Points

__all__ = ["AT", "NAMES", "described_workloads", "laws", "uniform_workloads"]

AT = "2026-11-20T12:00:00Z"
NAMES = (
    "gpt-4o",
    "gemini-2.5-pro",
    "claude-sonnet-4-5",
    "deepseek-flash",
    "alibaba/global/qwen3-max",
    "alibaba/china/qwen3-max",
    "gpt-5.1",
    "kimi-k3",
    "grok-4.3",
)
"""Offerings with and without tiers, with a limit, with windows, and one whose list is in another currency."""

_shares = st.integers(0, 20).map(lambda part: Fraction(part, 20))


@st.composite
def laws(draw, most=400_000):
    """A law of each kind, reaching over the edges of tiers."""
    kind = draw(st.sampled_from(["fixed", "points", "quantiles", "lognormal"]))
    number = st.integers(0, most)
    if kind == "fixed":
        return Law.fixed(draw(number))
    if kind == "points":
        return Law.points(draw(st.dictionaries(number, st.integers(1, 9), min_size=1, max_size=4)))
    if kind == "quantiles":
        low, middle, high = sorted(draw(st.tuples(number, number, number)))
        return Law.quantiles({0: low, 0.25: middle, 1: high})
    median = draw(st.integers(1, most // 20))
    return Law.lognormal(median=median, p90=median * draw(st.integers(2, 6)), most=most)


usages = st.builds(
    tc.Usage, input=st.integers(0, 300_000), output=st.integers(0, 9_000), cache_read=st.integers(0, 300_000), reasoning=st.integers(0, 900)
)


@st.composite
def sizes(draw):
    """Sizes of requests: one, listed or drawn."""
    kind = draw(st.sampled_from(["usage", "points", "drawn"]))
    if kind == "usage":
        return draw(usages)
    if kind == "points":
        rows = draw(st.lists(st.tuples(usages, st.integers(1, 9)), min_size=1, max_size=4))
        return Points(rows, cached=draw(st.none() | _shares))
    return Drawn(draw(laws()), draw(laws(most=9_000)), shares={"cache_read": draw(_shares), "reasoning": draw(_shares)})


@st.composite
def described_workloads(draw):
    """A workload of one to three segments, some of them in batch or by day."""
    made = []
    for number in range(draw(st.integers(1, 3))):
        batch = draw(st.sampled_from([Fraction(0), Fraction(0), Fraction(1, 3)]))
        profile = draw(st.sampled_from([HourProfile.even(), HourProfile.daily([1] * 8 + [3] * 16, zone="Asia/Shanghai", weekend=0.5)]))
        tiers = {"standard": 1 - batch, "batch": batch}
        made.append(tc.Segment(f"segment {number}", draw(st.integers(1, 10**6)), draw(sizes()), profile, service_tiers=tiers))
    return tc.Workload("drawn", tuple(made))


uniform_workloads = st.lists(st.tuples(st.integers(1, 10**6), usages), min_size=1, max_size=4).map(
    lambda rows: tc.Workload("uniform", tuple(tc.Segment(f"segment {n}", times, usage) for n, (times, usage) in enumerate(rows)))
)
