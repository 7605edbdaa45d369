"""The calls that are timed: every case, and how each contestant is asked for it.

Setup runs once and is not timed in `one_request.py`; in `start.py` setup and call are the whole program. Each peer is called in its
fastest documented form, its usage object made inside the timed call. The exact totals are worked out here from the published prices, so
that no contestant is its own judge.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

__all__ = ["CASES", "CONTESTANTS", "IMPORTS", "OURS", "Call", "Case", "Contestant"]

OURS = "tokencost"


class Contestant(NamedTuple):
    """One library: where it is installed, under which distribution name, and what its answers are made of."""

    name: str
    environment: str
    distribution: str
    numbers: str


CONTESTANTS = (
    Contestant(OURS, "peers", "tokencost-tariffs", "Decimal, exact"),
    Contestant("AgentOps tokencost", "agentops", "tokencost", "Decimal of floats"),
    Contestant("model-prices", "peers", "model-prices", "float"),
    Contestant("genai-prices", "peers", "genai-prices", "Decimal"),
    Contestant("litellm", "peers", "litellm", "float"),
)

IMPORTS = {
    OURS: "import tokencost",
    "AgentOps tokencost": "import tokencost",
    "model-prices": "import model_prices",
    "genai-prices": "import genai_prices",
    "litellm": "import litellm",
}


class Call(NamedTuple):
    """One way to ask: what is prepared, the expression that gives the total, and the statement that reads a full answer, if there is one."""

    setup: str
    total: str
    full: str | None = None


class Case(NamedTuple):
    """One request: its name, its exact total in USD, and the call of every contestant."""

    id: str
    title: str
    exact: Decimal
    calls: dict[str, Call]


def _instant(at: str) -> str:
    return f"from datetime import datetime; at = datetime.fromisoformat({at!r})"


def _case(
    case_id: str, title: str, *, exact: str, model: str, provider: str, litellm: str, at: str, fresh: int, cached: int = 0, output: int
) -> Case:
    """Spell one request for every contestant; three of them take the prompt whole, two take what was not cached."""
    when = _instant(at)
    ours = f"input={fresh}, cache_read={cached}, output={output}" if cached else f"input={fresh}, output={output}"
    mine = (
        f"input_tokens={fresh}, cache_read_tokens={cached}, output_tokens={output}"
        if cached
        else f"input_tokens={fresh}, output_tokens={output}"
    )
    whole = f"input_tokens={fresh + cached}, cache_read_tokens={cached}, output_tokens={output}" if cached else mine
    lite = f"prompt_tokens={fresh + cached}, completion_tokens={output}" + (f", cache_read_input_tokens={cached}" if cached else "")
    priced = f"calc_price(Usage({whole}), {model!r}, provider_id={provider!r}, genai_request_timestamp=at)"
    sides = [(fresh, "input"), (cached, "cached"), (output, "output")]
    calls = {
        OURS: Call(
            f"from tokencost import Usage, load_book; book = load_book(); {when}",
            f"book.cost({model!r}, Usage({ours}), at=at)",
            f"quote = book.quote({model!r}, Usage({ours}), at=at); quote.total; quote.evidence; quote.warnings; "
            "[(line.meter, line.price, line.amount) for line in quote.lines]",
        ),
        "AgentOps tokencost": Call(
            "from tokencost import calculate_cost_by_tokens",
            " + ".join(f"calculate_cost_by_tokens({count}, {model!r}, {side!r})" for count, side in sides if count),
        ),
        "model-prices": Call(
            f"import model_prices; {when}",
            f"model_prices.cost({model!r}, {mine}, at=at, provider={provider!r})",
        ),
        "genai-prices": Call(
            f"from genai_prices import Usage, calc_price; {when}",
            f"{priced}.total_price",
            f"price = {priced}; price.total_price; price.input_price; price.output_price; price.model_price; price.provider",
        ),
        "litellm": Call(
            "import litellm",
            f"sum(litellm.cost_per_token(model={litellm!r}, {lite}))",
        ),
    }
    return Case(case_id, title, Decimal(exact), calls)


CASES = (
    # 1,200 x 2.50 + 350 x 10.00 USD per million
    _case(
        "plain",
        "plain: gpt-4o, prompt and answer",
        exact="0.0065",
        model="gpt-4o",
        provider="openai",
        litellm="gpt-4o",
        at="2026-06-01T12:00:00+00:00",
        fresh=1_200,
        output=350,
    ),
    # 1,200 x 2.50 + 4,000 x 1.25 + 350 x 10.00
    _case(
        "cache",
        "cache: gpt-4o, most of the prompt read from the cache",
        exact="0.0115",
        model="gpt-4o",
        provider="openai",
        litellm="gpt-4o",
        at="2026-06-01T12:00:00+00:00",
        fresh=1_200,
        cached=4_000,
        output=350,
    ),
    # 1,200 x 0.135 + 350 x 0.55: half the standard price of that time, between 16:30 and 00:30 UTC
    _case(
        "window",
        "window: deepseek-chat in the night discount of 2025",
        exact="0.0003545",
        model="deepseek-chat",
        provider="deepseek",
        litellm="deepseek/deepseek-chat",
        at="2025-03-03T18:00:00+00:00",
        fresh=1_200,
        output=350,
    ),
    # 1,200 x 0.66 + 350 x 1.98: 10:00 in Beijing is peak on a working Thursday, and this one is National Day
    _case(
        "holiday",
        "holiday: deepseek-v4-pro at a peak hour of a day off",
        exact="0.001485",
        model="deepseek-v4-pro",
        provider="deepseek",
        litellm="deepseek/deepseek-v4-pro",
        at="2026-10-01T02:00:00+00:00",
        fresh=1_200,
        output=350,
    ),
    # 250,000 x 2.50 + 1,000 x 15.00: above 200,000 tokens the whole request pays the higher tier
    _case(
        "tier",
        "tier: gemini-2.5-pro above 200,000 tokens",
        exact="0.64",
        model="gemini-2.5-pro",
        provider="google",
        litellm="gemini/gemini-2.5-pro",
        at="2026-06-01T12:00:00+00:00",
        fresh=250_000,
        output=1_000,
    ),
)
