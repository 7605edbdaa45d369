"""The calls that are timed: every case, and how each contestant is asked for it.

Setup runs once and is not timed in `one_request.py`; in `start.py` setup and call are the whole program. Each peer is called in its
fastest documented form, its usage object made inside the timed call. The exact totals are worked out here from the published prices, so
that no contestant is its own judge.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

__all__ = ["CASES", "CONTESTANTS", "IMPORTS", "OURS", "Call", "Case", "Contestant", "Request"]

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
    """One way to ask: what is prepared, the expression that gives the total, and the statement that reads all of a full answer, if any."""

    setup: str
    total: str
    full: str | None = None


class Case(NamedTuple):
    """One request: its name, its exact total in USD, and the call of every contestant."""

    id: str
    title: str
    exact: Decimal
    calls: dict[str, Call]


class Request(NamedTuple):
    """A request as every contestant can be told of it; names differ from library to library, and so does what counts as input."""

    model: str
    provider: str
    litellm: str
    at: str
    fresh: int
    output: int
    cached: int = 0

    def calls(self) -> dict[str, Call]:
        """Spell the request for every contestant: some take the whole prompt, some what was not cached."""
        fresh, cached, output, model = self.fresh, self.cached, self.output, self.model
        when = f"from datetime import datetime; at = datetime.fromisoformat({self.at!r})"
        usage = f"Usage({_arguments(input=fresh, cache_read=cached, output=output)})"
        apart = _arguments(input_tokens=fresh, cache_read_tokens=cached, output_tokens=output)
        whole = _arguments(input_tokens=fresh + cached, cache_read_tokens=cached, output_tokens=output)
        prompt = _arguments(prompt_tokens=fresh + cached, cache_read_input_tokens=cached, completion_tokens=output)
        sides = {"input": fresh, "cached": cached, "output": output}
        price = f"calc_price(Usage({whole}), {model!r}, provider_id={self.provider!r}, genai_request_timestamp=at)"
        return {
            OURS: Call(
                f"from tokencost import Usage, load_book; book = load_book(); {when}",
                f"book.cost({model!r}, {usage}, at=at)",
                f"quote = book.quote({model!r}, {usage}, at=at); quote.total; quote.evidence; quote.warnings; "
                "[(line.meter, line.price, line.amount) for line in quote.lines]",
            ),
            "AgentOps tokencost": Call(
                "from tokencost import calculate_cost_by_tokens",
                " + ".join(f"calculate_cost_by_tokens({count}, {model!r}, {side!r})" for side, count in sides.items() if count),
            ),
            "model-prices": Call(
                f"import model_prices; {when}",
                f"model_prices.cost({model!r}, {apart}, at=at, provider={self.provider!r})",
            ),
            "genai-prices": Call(
                f"from genai_prices import Usage, calc_price; {when}",
                f"{price}.total_price",
                f"price = {price}; price.total_price; price.input_price; price.output_price; price.model_price; price.provider",
            ),
            "litellm": Call(
                "import litellm",
                f"sum(litellm.cost_per_token(model={self.litellm!r}, {prompt}))",
            ),
        }


def _arguments(**counts: int) -> str:
    return ", ".join(f"{name}={count}" for name, count in counts.items() if count)


GPT = Request(model="gpt-4o", provider="openai", litellm="gpt-4o", at="2026-06-01T12:00:00+00:00", fresh=1_200, output=350)
DEEPSEEK = Request(
    model="deepseek-chat", provider="deepseek", litellm="deepseek/deepseek-chat", at="2025-03-03T18:00:00+00:00", fresh=1_200, output=350
)
HOLIDAY = Request(
    model="deepseek-v4-pro",
    provider="deepseek",
    litellm="deepseek/deepseek-v4-pro",
    at="2026-10-01T02:00:00+00:00",
    fresh=1_200,
    output=350,
)
GEMINI = Request(
    model="gemini-2.5-pro", provider="google", litellm="gemini/gemini-2.5-pro", at="2026-06-01T12:00:00+00:00", fresh=250_000, output=1_000
)

CASES = (
    # 1,200 x 2.50 + 350 x 10.00 USD per million
    Case("plain", "plain: gpt-4o, prompt and answer", Decimal("0.0065"), GPT.calls()),
    # 1,200 x 2.50 + 4,000 x 1.25 + 350 x 10.00
    Case("cache", "cache: gpt-4o, most of the prompt read from the cache", Decimal("0.0115"), GPT._replace(cached=4_000).calls()),
    # 1,200 x 0.135 + 350 x 0.55: half the standard price of that time, between 16:30 and 00:30 UTC
    Case("window", "window: deepseek-chat in the night discount of 2025", Decimal("0.0003545"), DEEPSEEK.calls()),
    # 1,200 x 0.66 + 350 x 1.98: 10:00 in Beijing on a Thursday is peak, but for this one, National Day
    Case("holiday", "holiday: deepseek-v4-pro at a peak hour of a day off", Decimal("0.001485"), HOLIDAY.calls()),
    # 250,000 x 2.50 + 1,000 x 15.00: above 200,000 tokens the whole request pays the higher tier
    Case("tier", "tier: gemini-2.5-pro above 200,000 tokens", Decimal("0.64"), GEMINI.calls()),
)
