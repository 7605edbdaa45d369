"""Student's t: probabilities and quantiles, from the incomplete beta function."""

from __future__ import annotations

from math import exp, inf, isfinite, lgamma, log, log1p, pi, sqrt
from statistics import NormalDist

from tokencost.errors import ScenarioError

__all__ = ["t_probability", "t_quantile"]

_TINY = 1e-300
_SMALLEST_STEP = 1e-16
_MOST_TERMS = 10_000


def t_probability(value: float, *, degrees: float) -> float:
    """Return the probability that Student's t is at most a value.

    With x = d / (d + t^2), the upper tail is half of the regularised incomplete beta function I_x(d/2, 1/2) (Abramowitz & Stegun 26.7.1).

    >>> t_probability(0.0, degrees=5), round(t_probability(2.0, degrees=10), 12)
    (0.5, 0.963305982615)

    Raises:
        ScenarioError: the degrees of freedom are not above 0.
    """
    if not degrees > 0:
        raise ScenarioError(f"{degrees} degrees of freedom are none; pass a number above 0", value=degrees)
    tail = _upper_tail(abs(value), degrees)
    return tail if value < 0 else 1 - tail


def t_quantile(probability: float, *, degrees: float) -> float:
    """Return the value that Student's t stays below with a probability.

    >>> round(t_quantile(0.975, degrees=7), 10), round(t_quantile(0.95, degrees=1), 10)
    (2.3646242516, 6.3137515147)

    Raises:
        ScenarioError: the probability is not between 0 and 1, or the degrees of freedom are not above 0.
    """
    if not 0 < probability < 1:
        raise ScenarioError(f"probability {probability} has no quantile; pass one between 0 and 1", value=probability)
    if not (degrees > 0 and isfinite(degrees)):
        raise ScenarioError(f"{degrees} degrees of freedom are none; pass a number above 0", value=degrees)
    wanted = min(probability, 1 - probability)
    if wanted == 0.5:  # noqa: PLR2004
        return 0.0
    low, high = 0.0, max(1.0, -NormalDist().inv_cdf(wanted))
    while _upper_tail(high, degrees) > wanted:
        low, high = high, 2 * high
    scale = lgamma((degrees + 1) / 2) - lgamma(degrees / 2) - log(degrees * pi) / 2
    value = (low + high) / 2
    for _ in range(200):  # a Newton step where it stays inside the bracket, a bisection where it does not
        over = _upper_tail(value, degrees) - wanted
        low, high = (value, high) if over > 0 else (low, value)
        density = exp(scale - (degrees + 1) / 2 * log1p(value * value / degrees))
        stepped = value + over / density if density else inf
        following = stepped if low < stepped < high else (low + high) / 2
        if abs(following - value) <= 4e-16 * value:
            break
        value = following
    return value if probability > 0.5 else -value  # noqa: PLR2004


def _upper_tail(value: float, degrees: float) -> float:
    square = value * value
    if square == inf:
        return 0.0
    return _beta(degrees / (degrees + square), square / (degrees + square), degrees / 2, 0.5) / 2


def _beta(x: float, rest: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function; `rest` is 1 - x, which a subtraction would round."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(rest))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(rest, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of the incomplete beta function by the method of Lentz (NIST DLMF 8.17.22)."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d, c = 1 / _away(1 + even * d), _away(1 + even / c)
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1 / _away(1 + odd * d), _away(1 + odd / c)
        value *= d * c
        if abs(d * c - 1) < _SMALLEST_STEP * sqrt(m):
            break
    return value


def _away(number: float) -> float:
    return number if abs(number) > _TINY else _TINY
