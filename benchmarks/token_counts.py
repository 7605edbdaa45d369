"""Measure tokenizers: characters per token, prices per million characters, and the error of the estimate.

    python benchmarks/token_counts.py            print what is measured
    python benchmarks/token_counts.py --write    write the weights of the estimate, and the page of results
    python benchmarks/token_counts.py --more DIR  check the estimate against the tokenizer.json files below a folder (needs `tokenizers`)

The text is the project's own: the files in benchmarks/texts, and passages that a seeded generator makes. Nothing is timed.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import re
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import tokencost as tc
from tokencost.workloads.token_estimate import CLASSES, _measured, counts_of, estimate_tokens, kind_of
from tokencost.workloads.tokenizers import shipped_tokenizers
from tokencost.workloads.vocabularies import count_with

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "tokenizers.md"
TEXTS = Path(__file__).parent / "texts"
AT = "2026-11-20T12:00:00Z"
MODELS = ("deepseek/global/deepseek-flash", "alibaba/global/qwen3-max", "alibaba/global/qwen3.6-plus", "openai/global/gpt-4o")
FAMILIES = {"cl100k_base": "cl100k", "qwen": "cl100k"}  # Qwen's first vocabulary grew out of cl100k_base
PARAGRAPHS = ("english", "chinese", "python")
FOLDS = 8
RIDGE = 0.02
USUAL = ("english", "chinese", "python", "prose-en", "prose-zh", "code")
WEIGHT = 3.0


class Passage(NamedTuple):
    """A piece of text, and what it is."""

    name: str
    text: str


def passages() -> list[Passage]:
    """Return everything that is measured."""
    found = [Passage(name, (TEXTS / f"{name}.txt").read_text(encoding="utf-8")) for name in PARAGRAPHS]
    for name in ("prose-en", "prose-zh", "prose-other"):
        parts = (TEXTS / f"{name}.txt").read_text(encoding="utf-8").split("\n\n")
        found += [Passage(f"{name} {number}", part) for number, part in enumerate(parts, 1)]
    code = (TEXTS / "code.txt").read_text(encoding="utf-8")
    found += [Passage(f"code {number}", part) for number, part in enumerate(_programs(code), 1)]
    return found + generated(random.Random(20261122))


def _programs(text: str) -> list[str]:
    """Cut a file of programs where a line that is not indented follows an empty one and opens something new."""
    heads = ("class Ledger", "SELECT", "#include <stdint", "fn ", "#!/usr", "<section")
    starts = [text.index(head) for head in heads]
    return [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]


def generated(rng: random.Random) -> list[Passage]:
    """Make the passages that nobody writes by hand: encodings, tables, logs, deep indentation."""
    words = (TEXTS / "prose-en.txt").read_text(encoding="utf-8").replace(".", " ").replace(",", " ").split()
    made: list[Passage] = []
    for size in (240, 700):
        raw = rng.randbytes(size)
        made += [Passage("base64", base64.b64encode(raw).decode()), Passage("hex", raw.hex())]
    for indent in (None, 2, 4):
        rows = [
            {"id": rng.randrange(10**6), "name": rng.choice(words), "price": rng.randrange(1, 10**4) / 100, "free": rng.random() < 0.5}
            for _ in range(9)
        ]
        made.append(Passage(f"json indent {indent}", json.dumps({"rows": rows, "total": len(rows)}, indent=indent)))
    for depth in (2, 5, 8):
        lines = [
            f"{'    ' * rng.randint(1, depth)}if {rng.choice(words).lower()}_{rng.choice(words).lower()} > {rng.randrange(100)}:"
            for _ in range(14)
        ]
        made.append(Passage(f"indented code, depth {depth}", "\n".join(lines)))
    made.append(Passage("csv", "\n".join(",".join(f"{rng.uniform(0, 1000):.3f}" for _ in range(6)) for _ in range(14))))
    made.append(
        Passage(
            "log",
            "\n".join(
                f"2026-11-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:07.{rng.randrange(1000):03}Z INFO "
                f"worker-{rng.randrange(40)} GET /v1/{rng.choice(words).lower()}/{rng.randrange(10**5)} 200 {rng.randrange(900)}ms"
                for _ in range(9)
            ),
        )
    )
    made.append(Passage("uuid", "\n".join("-".join(rng.randbytes(n).hex() for n in (4, 2, 2, 2, 6)) for _ in range(14))))
    made.append(
        Passage(
            "markdown",
            "\n".join(f"| {rng.choice(words)} | **{rng.randrange(10**4)}** | `{rng.choice(words).lower()}` |" for _ in range(16)),
        )
    )
    made.append(Passage("camel case", " ".join("".join(rng.choice(words).capitalize() for _ in range(3)) + "();" for _ in range(24))))
    made.append(Passage("capitals", " ".join(rng.choice(words).upper() for _ in range(60))))
    made.append(Passage("emoji", " ".join(rng.choice(words) + rng.choice("😀🎉🚀👍🔥✅⚠📦") for _ in range(30))))
    return made


class Grid(NamedTuple):
    """What was counted: classes of each passage, and tokens of each passage under each tokenizer."""

    passages: list[Passage]
    classes: np.ndarray
    kinds: list[str]
    tokens: dict[str, np.ndarray]
    weights: np.ndarray


def measure() -> Grid:
    found = passages()
    counts = [counts_of(passage.text) for passage in found]
    classes = np.array([[row[name] for name in CLASSES] for row in counts], dtype=float)
    tokens = {name: np.array([count_with(name, p.text) for p in found], dtype=float) for name in shipped_tokenizers()}
    return Grid(
        found, classes, [kind_of(row) for row in counts], tokens, np.array([WEIGHT if p.name.split()[0] in USUAL else 1.0 for p in found])
    )


def fit(classes: np.ndarray, tokens: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Return weights, none negative, that bring the relative error to its least over passages and tokenizers."""
    each = np.tile(np.sqrt(weights), len(tokens))
    rows = np.concatenate([classes / counts[:, None] for counts in tokens]) * each[:, None]
    scale = np.sqrt((rows**2).mean(axis=0)) + 1e-9
    rows = np.concatenate([rows / scale, RIDGE * np.sqrt(len(rows)) * np.eye(len(scale))])
    wanted = np.concatenate([each, np.zeros(len(scale))])
    kept = np.arange(len(scale))
    while True:  # drop what would be negative, until nothing is
        found = np.linalg.lstsq(rows[:, kept], wanted, rcond=None)[0]
        if (found >= 0).all():
            break
        kept = kept[found > found.min()]
    weights = np.zeros(len(scale))
    weights[kept] = found
    return weights / scale


def held_out(grid: Grid) -> dict[str, list[float]]:
    """Return true counts as shares of estimates, by kind: each by weights that saw neither the tokenizer's family nor the passage."""
    shares: dict[str, list[float]] = defaultdict(list)
    folds = np.arange(len(grid.passages)) % FOLDS
    for name, counts in grid.tokens.items():
        family = FAMILIES.get(name, name)
        others = [tokens for other, tokens in grid.tokens.items() if FAMILIES.get(other, other) != family]
        for fold in range(FOLDS):
            seen, asked = folds != fold, np.flatnonzero(folds == fold)
            guesses = grid.classes[asked] @ fit(grid.classes[seen], [tokens[seen] for tokens in others], grid.weights[seen])
            for index, guess in zip(asked, guesses, strict=True):
                shares[grid.kinds[index]].append(float(counts[index] / max(guess, 1.0)))
    return shares


class Band(NamedTuple):
    """What is known of the error on one kind of text: true counts as shares of the estimate."""

    kind: str
    low: float
    high: float
    error: float
    counts: int


def bands(shares: dict[str, list[float]]) -> list[Band]:
    """Return the error on each kind of text: the bounds of 90 in 100, and the median of the relative error."""
    made = []
    for kind, values in sorted(shares.items()):
        low, high = np.quantile(values, [0.05, 0.95])
        error = float(np.median(np.abs(1 / np.array(values) - 1)))
        made.append(Band(kind, round(float(low), 3), round(float(high), 3), round(error, 3), len(values)))
    return made


def weights_toml(weights: np.ndarray, found: list[Band]) -> str:
    """Return the table of weights and bounds that ships with the package."""
    width = max(map(len, CLASSES))
    lines = [
        "# Written by benchmarks/token_counts.py --write: tokens of each class of characters, and the error of the estimate.",
        "",
        "[weight]",
    ]
    lines += [f"{name:<{width}} = {weight:.4f}" for name, weight in zip(CLASSES, weights, strict=True)]
    for band in found:
        lines += ["", "[[band]]", f'kind   = "{band.kind}"', f"low    = {band.low}", f"high   = {band.high}", f"counts = {band.counts}"]
    return "\n".join(lines) + "\n"


class Group(NamedTuple):
    """Passages that are shown in one row of the page."""

    title: str
    names: tuple[str, ...]


GROUPS = (
    Group("English paragraph", ("english",)),
    Group("Chinese paragraph", ("chinese",)),
    Group("Python paragraph", ("python",)),
    Group("English prose", ("prose-en",)),
    Group("Chinese prose", ("prose-zh",)),
    Group("prose in 11 other languages", ("prose-other",)),
    Group("programs in six languages", ("code",)),
    Group("indented code", ("indented",)),
    Group("JSON", ("json",)),
    Group("CSV of decimals", ("csv",)),
    Group("log lines", ("log",)),
    Group("base64", ("base64",)),
    Group("hexadecimal", ("hex", "uuid")),
)


def density(grid: Grid) -> list[str]:
    """Return the table of characters per token."""
    lines = [f"| text | characters | {' | '.join(grid.tokens)} | estimate | length / 4 |", f"|---|{'--:|' * (len(grid.tokens) + 3)}"]
    for group in GROUPS:
        rows = [n for n, passage in enumerate(grid.passages) if passage.name.replace(",", " ").split()[0] in group.names]
        size = sum(len(grid.passages[n].text) for n in rows)
        known = [size / counts[rows].sum() for counts in grid.tokens.values()]
        mean = float(np.mean([counts[rows].sum() for counts in grid.tokens.values()]))
        guess = sum(estimate_tokens(grid.passages[n].text).tokens for n in rows)
        cells = [f"{value:.2f}" for value in known] + [f"{guess / mean - 1:+.0%}", f"{size / 4 / mean - 1:+.0%}"]
        lines.append(f"| {group.title} | {size:,} | {' | '.join(cells)} |")
    return lines


def paragraphs(grid: Grid) -> list[str]:
    """Return the table of the three paragraphs: tokens, cost and price per million characters."""
    lines = [
        "| paragraph | offering | tokenizer | tokens | cost as input | per 1M characters in | per 1M characters out |",
        "|---|---|---|--:|--:|--:|--:|",
    ]
    for passage in grid.passages[: len(PARAGRAPHS)]:
        for row in tc.compare_text(passage.text, MODELS, at=AT).rows:
            assert row.as_input is not None
            assert row.as_output is not None
            prices = (row.as_input.cost, row.as_input.per_million_characters, row.as_output.per_million_characters)
            lines.append(f"| {passage.name} | {row.offering} | {row.sent.tokenizer} | {row.sent.tokens} | {' | '.join(map(str, prices))} |")
    return lines


def errors(grid: Grid, found: list[Band]) -> list[str]:
    """Return the table of the estimate's error, beside that of a quarter of the length."""
    lines = [
        "| kind of text | counts | half are off by at most | 90% of true counts, as a share of the estimate | the same for length / 4 |",
        "|---|--:|--:|--:|--:|",
    ]
    for band in found:
        rows = np.array([n for n, kind in enumerate(grid.kinds) if kind == band.kind])
        quarter = np.array([len(grid.passages[n].text) / 4 for n in rows])
        low, high = np.quantile([counts[rows] / quarter for counts in grid.tokens.values()], [0.05, 0.95])
        title = band.kind.replace("_", " ")
        lines.append(f"| {title} | {band.counts} | {band.error:.0%} | {band.low:.2f} to {band.high:.2f} | {low:.2f} to {high:.2f} |")
    return lines


def more(grid: Grid, found: list[Band], folder: Path) -> list[str]:
    """Return how the estimate does on tokenizers that had no part in it: `tokenizer.json` files, zipped or not, below a folder."""
    from importlib import import_module

    library: Any = import_module("tokenizers")
    weights = fit(grid.classes, list(grid.tokens.values()), grid.weights)
    limits = {band.kind: (band.low, band.high) for band in found}
    lines = ["| tokenizer | counts inside the bounds | median of true counts, as a share of the estimate |", "|---|--:|--:|"]
    for path in sorted(folder.rglob("tokenizer.json*")):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                document = json.loads(archive.read(archive.namelist()[0]))
        else:
            document = json.loads(path.read_text(encoding="utf-8"))
        encoder = library.Tokenizer.from_str(json.dumps({**document, "added_tokens": [], "post_processor": None}))
        counts = np.array([len(encoder.encode(p.text, add_special_tokens=False).ids) for p in grid.passages])
        shares = counts / (grid.classes @ weights)
        inside = sum(limits[kind][0] <= share <= limits[kind][1] for kind, share in zip(grid.kinds, shares, strict=True))
        lines.append(f"| {path.parent.name} | {inside} of {len(shares)} | {np.median(shares):.2f} |")
    return lines


def write(grid: Grid, found: list[Band]) -> None:
    """Write the weights, count anew with them, and fill the page between its marks."""
    weights = fit(grid.classes, list(grid.tokens.values()), grid.weights)
    (ROOT / "data" / "tokenizers" / "estimate.toml").write_text(weights_toml(weights, found), encoding="utf-8")
    _measured.cache_clear()
    text = PAGE.read_text(encoding="utf-8")
    for name, lines in (("paragraphs", paragraphs(grid)), ("density", density(grid)), ("errors", errors(grid, found))):
        body = "\n".join(lines)
        text = re.sub(rf"<!-- {name} -->\n.*?<!-- end -->", f"<!-- {name} -->\n\n{body}\n\n<!-- end -->", text, flags=re.DOTALL)
    PAGE.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--write", action="store_true", help="write the weights of the estimate and the page of results")
    parser.add_argument("--more", type=Path, metavar="DIR", help="check the estimate against the tokenizer.json files below a folder")
    options = parser.parse_args()
    grid = measure()
    found = bands(held_out(grid))
    if options.write:
        write(grid, found)
    tables = [paragraphs(grid), density(grid), errors(grid, found)]
    if options.more is not None:
        tables.append(more(grid, found, options.more))
    print("\n\n".join("\n".join(lines) for lines in tables))


if __name__ == "__main__":
    main()
