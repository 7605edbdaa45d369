"""The shipped tables: every offering, boundary, choice and tier edge against the oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from rating.agreement import agree
from rating.draws import choice_at, counts_for
from rating.oracle import NoPrice, Wanted, offered

MICROSECOND = timedelta(microseconds=1)
PROVIDERS = sorted(path.parent.name for path in (Path(__file__).parents[2] / "data" / "price_tables").glob("*/provider.toml"))


def edges_of(book: tc.Book, tariff: tc.Tariff) -> list[datetime]:
    """Every instant at which a tariff, a promotion, an allowance or a schedule begins or ends, and the instants around them."""
    used = {version.schedule for version in tariff.versions}
    schedules = [schedule for schedule in book.shelf.provider(tariff.provider).schedules if schedule.id in used]
    parts = (*tariff.versions, *tariff.promos, *tariff.allowances, *schedules)
    edges = {edge for part in parts for edge in (part.start, part.until) if edge is not None}
    return sorted({edge + step for edge in edges for step in (-MICROSECOND, timedelta(0), MICROSECOND)})


def sizes_of(tariff: tc.Tariff, random: Random) -> list[tuple[int, int]]:
    """Prompts and completions on both sides of every edge of every row, and some in between."""
    rows = [row for part in (*tariff.versions, *tariff.promos) for row in part.rates]
    inner = {edge + step for row in rows for edge in (row.above, row.at_or_above, row.up_to) if edge for step in (-1, 0, 1)}
    ends = {edge for row in rows for edge in (row.above_output, row.at_or_above_output, row.up_to_output) if edge}
    outer = {edge + step for edge in ends for step in (-1, 0, 1)}
    prompts = [0, *sorted(inner), random.randrange(1, 5_000), random.randrange(1, 3_000_000)]
    completions = [0, *sorted(outer), random.randrange(1, 5_000)]
    return [(prompt, random.choice(completions)) for prompt in prompts] + [
        (random.choice(prompts), completion) for completion in completions
    ]


def usage_of(tariff: tc.Tariff, size: tuple[int, int], random: Random) -> dict[str, int]:
    """Spread a prompt and a completion over meters of the tariff, and add other meters that it prices."""
    priced = sorted({name for version in tariff.versions for row in version.rates for name in row.prices})
    counts: dict[str, int] = {}
    for root, total in zip(("input", "output"), size, strict=True):
        inside = [name for name in priced if name != root and _root(name) == root]
        part = random.choice([*inside, root])
        share = random.choice([0, total, random.randint(0, total)])
        counts[part] = counts.get(part, 0) + share
        counts[root] = counts.get(root, 0) + total - share
    counts |= {name: random.randrange(1, 100_000) for name in priced if _root(name) not in {"input", "output"} and random.random() < 0.3}
    return {name: count for name, count in counts.items() if count}


def _root(name: str) -> str:
    while tc.METERS[name].parent is not None:
        name = tc.METERS[name].parent
    return name


@pytest.mark.parametrize("provider", PROVIDERS)
def test_shipped_tariffs_cost_what_the_oracle_says_at_every_edge(book, provider):
    """Each choice, at each boundary in time to the microsecond, on both sides of each tier edge."""
    random = Random(provider)
    rated = 0
    for name in (name for name in book.ids if name.startswith(f"{provider}/")):
        tariff = book.shelf.tariff(name)
        sizes, starts = sizes_of(tariff, random), {version.start for version in tariff.versions}
        for at in edges_of(book, tariff):
            try:
                choices = offered(tariff, at)
            except NoPrice:
                choices = [Wanted("USD")]
            for wanted in choices:
                for size in sizes if at in starts else random.sample(sizes, 2):
                    rated += agree(book, tariff, usage_of(tariff, size, random), at, wanted) is not None
    assert rated > 0


@given(data=st.data())
def test_shipped_tariffs_cost_what_the_oracle_says_anywhere(book, data):
    """Random instants inside the history, random choices, random usage."""
    tariff = book.shelf.tariff(data.draw(st.sampled_from(book.ids)))
    begin, end = tariff.versions[0].start, datetime(2026, 12, 31, tzinfo=UTC)
    at = begin + timedelta(seconds=data.draw(st.integers(0, max(int((end - begin).total_seconds()), 1))))
    agree(book, tariff, data.draw(counts_for(tariff, most=2_000_000)), at, choice_at(data, tariff, at))
