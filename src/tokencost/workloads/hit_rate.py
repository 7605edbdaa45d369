"""Hit rates: which share of prompts is read from a cache, and how large that share can be."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from tokencost.tariffs.meter import ancestors
from tokencost.workloads.sizes import Drawn

if TYPE_CHECKING:
    from tokencost.workloads.sizes import Sizes

__all__ = ["HitShare", "hit_rate"]

_CACHED: Final = "cache_read"


class HitShare(NamedTuple):
    """The share of prompts that is read from the cache, and the largest that it can be beside what else they are made of."""

    share: Fraction
    most: Fraction


def hit_rate(sizes: Sizes) -> HitShare:
    """Return the hit rate of a distribution of sizes, as `with_cached` of it would set it.

    >>> from tokencost.workloads.law import Law
    >>> hit_rate(Drawn(Law.fixed(1000), Law.fixed(200), shares={"cache_read": "0.4", "cache_write": "0.1"}))
    HitShare(share=Fraction(2, 5), most=Fraction(9, 10))
    """
    if isinstance(sizes, Drawn):
        others = [share for meter, share in sizes.shares.items() if meter != _CACHED and ancestors(meter)[-1] == "input"]
        most = 1 - sum(others, Fraction(0)) if sizes.prompt.mean else Fraction(0)
        return HitShare(min(sizes.shares.get(_CACHED, Fraction(0)), most), most)
    read, fresh = (sizes.means.get(meter, Fraction(0)) for meter in (_CACHED, "input"))
    both = read + fresh
    return HitShare(read / both, Fraction(1)) if both else HitShare(Fraction(0), Fraction(0))
