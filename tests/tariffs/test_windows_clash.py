"""Windows of a schedule that share a minute of the week."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from tokencost.tariffs.schedule import minutes_of, windows_clash

_CLOCK = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
_HOURS = st.tuples(_CLOCK, _CLOCK | st.just("24:00")).filter(lambda ends: ends[0] != ends[1]).map("-".join)
_DAYS = st.sampled_from(["daily", "mon", "sun", "mon-fri", "sat,sun", "fri-mon", "tue,thu"])
_WINDOWS = st.builds(tc.Window, window=st.sampled_from(["peak", "off_peak", "night"]), days=_DAYS, hours=_HOURS)


@given(st.lists(_WINDOWS, max_size=4).map(tuple))
def test_a_clash_is_a_shared_minute(windows):
    """The cheap arithmetic on stretches says the same as sets of all minutes."""
    pairs = [(a, b) for a, b in combinations(windows, 2) if a.window != b.window and minutes_of(a) & minutes_of(b)]
    assert windows_clash(windows) == (pairs[0] if pairs else None)
