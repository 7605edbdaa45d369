"""Strategies for workloads: laws, sizes, profiles, segments."""

from fractions import Fraction

from hypothesis import strategies as st

import tokencost as tc

lengths = st.integers(0, 300_000)
shares = st.fractions(0, 1, max_denominator=20)


def _quantiles(numbers: list[int], inner: list[Fraction]) -> tc.Law:
    places = [Fraction(0), *sorted(set(inner) - {0, 1})[: len(numbers) - 2], Fraction(1)]
    return tc.Law.quantiles(dict(zip(places, sorted(numbers)[: len(places)], strict=False)))


quantile_laws = st.builds(_quantiles, st.lists(lengths, min_size=6, max_size=6), st.lists(shares, max_size=4))
point_laws = st.dictionaries(lengths, st.integers(1, 9), min_size=1, max_size=5).map(tc.Law.points)
lognormal_laws = st.tuples(st.integers(50, 5_000), st.integers(5_001, 20_000), st.integers(20_000, 300_000)).map(
    lambda own: tc.Law.lognormal(median=own[0], p90=own[1], most=own[2])
)
laws = st.one_of(lengths.map(tc.Law.fixed), point_laws, quantile_laws, lognormal_laws)
small_laws = st.dictionaries(st.integers(0, 60), st.integers(1, 5), min_size=1, max_size=4).map(tc.Law.points)

usages = st.builds(
    tc.Usage,
    input=st.integers(0, 300_000),
    cache_read=st.integers(0, 10_000),
    output=st.integers(0, 20_000),
    web_search=st.integers(0, 2),
)
weights = st.one_of(st.integers(1, 9), st.decimals("0.1", "5", places=2), st.fractions(Fraction(1, 7), 3, max_denominator=9))
points = st.builds(tc.Points, st.lists(st.tuples(usages, weights), min_size=1, max_size=5), cached=st.none() | shares)


@st.composite
def drawn(draw):
    """Prompts and completions from two laws, with shares that leave room for each other."""
    cut = sorted(draw(st.lists(shares, min_size=2, max_size=2)))
    parts = {"cache_read": cut[0], "cache_write": cut[1] - cut[0], "reasoning": draw(shares)}
    extra = draw(st.builds(tc.Usage, web_search=st.integers(0, 3), image_input=st.integers(0, 2_000)))
    return tc.Drawn(draw(laws), draw(laws), shares={meter: share for meter, share in parts.items() if share}, extra=extra)


zones = st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
profiles = st.one_of(
    st.just(tc.HourProfile.even()),
    st.builds(
        lambda hours, zone, weekend: tc.HourProfile.daily([*hours[:-1], hours[-1] + 1], zone=zone, weekend=weekend),
        st.lists(st.integers(0, 9), min_size=24, max_size=24),
        zones,
        st.fractions(0, 2, max_denominator=5),
    ),
)
growths = st.fractions(Fraction(-1, 2), 1, max_denominator=100)
tiers = shares.map(lambda share: {name: part for name, part in (("standard", 1 - share), ("batch", share)) if part})
modes = shares.map(lambda share: {"thinking": share} if share else {})
segments = st.builds(
    tc.Segment,
    st.text(min_size=1, max_size=8),
    st.integers(1, 10**7),
    st.one_of(usages, points, drawn()),
    profiles,
    growth=st.none() | growths,
    service_tiers=tiers,
    modes=modes,
)
uncertainties = st.builds(tc.Uncertainty, requests=shares, cached=shares, completion=shares, growth=shares)
workloads = st.builds(
    tc.Workload,
    st.text(max_size=8),
    st.lists(segments, min_size=1, max_size=3, unique_by=lambda segment: segment.name).map(tuple),
    st.none() | st.text(max_size=8),
    st.none() | st.text(max_size=8),
    growth=growths,
    uncertainty=uncertainties,
)
