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
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import tokencost as tc
from tokencost.workloads.estimate import CLASSES, counts_of, estimate_tokens, kind_of
from tokencost.workloads.tokenizers import shipped_tokenizers
from tokencost.workloads.vocabularies import count_with

ROOT = Path(__file__).resolve().parent.parent
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
        rows = [{"id": rng.randrange(10**6), "name": rng.choice(words), "price": rng.randrange(1, 10**4) / 100, "free": rng.random() < 0.5} for _ in range(9)]
        made.append(Passage(f"json indent {indent}", json.dumps({"rows": rows, "total": len(rows)}, indent=indent)))
    for depth in (2, 5, 8):
        lines = [f"{'    ' * rng.randint(1, depth)}if {rng.choice(words).lower()}_{rng.choice(words).lower()} > {rng.randrange(100)}:" for _ in range(14)]
        made.append(Passage(f"indented code, depth {depth}", "\n".join(lines)))
    made.append(Passage("csv", "\n".join(",".join(f"{rng.uniform(0, 1000):.3f}" for _ in range(6)) for _ in range(14))))
    made.append(Passage("log", "\n".join(f"2026-11-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:07.{rng.randrange(1000):03}Z INFO worker-{rng.randrange(40)} GET /v1/{rng.choice(words).lower()}/{rng.randrange(10**5)} 200 {rng.randrange(900)}ms" for _ in range(9))))
    made.append(Passage("uuid", "\n".join("-".join(rng.randbytes(n).hex() for n in (4, 2, 2, 2, 6)) for _ in range(14))))
    made.append(Passage("markdown", "\n".join(f"| {rng.choice(words)} | **{rng.randrange(10**4)}** | `{rng.choice(words).lower()}` |" for _ in range(16))))
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
    return Grid(found, classes, [kind_of(row) for row in counts], tokens, np.array([WEIGHT if p.name.split()[0] in USUAL else 1.0 for p in found]))


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


def bands(shares: dict[str, list[float]]) -> list[dict[str, Any]]:
    made = []
    for kind, values in sorted(shares.items()):
        low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
        error = np.median(np.abs(1 / np.array(values) - 1))
        made.append({"kind": kind, "low": round(low, 3), "high": round(high, 3), "middle": round(middle, 3), "error": round(float(error), 3), "passages": len(values)})
    return made


def write_weights(grid: Grid, found: list[dict[str, Any]]) -> None:
    weights = fit(grid.classes, list(grid.tokens.values()), grid.weights)
    lines = ["# Written by benchmarks/token_counts.py --write: tokens of each class of characters, and the error of the estimate.", "", "[weight]"]
    width = max(map(len, CLASSES))
    lines += [f"{name:<{width}} = {weight:.4f}" for name, weight in zip(CLASSES, weights, strict=True)]
    for band in found:
        lines += ["", "[[band]]", f'kind     = "{band["kind"]}"', f"low      = {band['low']}", f"high     = {band['high']}", f"passages = {band['passages']}"]
    (ROOT / "data" / "tokenizers" / "estimate.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    grid = measure()
    found = bands(held_out(grid))
    for b in found: print(b)
    w = fit(grid.classes, list(grid.tokens.values()), grid.weights)
    for n, x in zip(CLASSES, w): print(f"{n:20} {x:.3f}")
    for i, p in enumerate(grid.passages):
        print(f"{p.name:28} {grid.kinds[i]:12} {len(p.text):5} len/4 {len(p.text)/4:6.0f} est {grid.classes[i]@w:6.0f}", *(f"{int(t[i]):5}" for t in grid.tokens.values()))
    if "--more" in sys.argv:
        import glob, zipfile, tokenizers
        rows=defaultdict(list)
        for path in sorted(glob.glob(sys.argv[sys.argv.index("--more")+1]+"/*/tokenizer.json.zip")):
            z=zipfile.ZipFile(path); name=path.split("/")[-2]
            if name not in ("deepseek-v2.5","deepseek-r1-distill-llama-8b","glm-4","glm-4.7-flash","minimax-m3"): continue
            d=json.loads(z.read(z.namelist()[0])); d["added_tokens"]=[]; d["post_processor"]=None
            e=tokenizers.Tokenizer.from_str(json.dumps(d))
            for i,p in enumerate(grid.passages): rows[name,grid.kinds[i]].append(len(e.encode(p.text,add_special_tokens=False).ids)/(grid.classes[i]@w))
        B={b["kind"]:b for b in found}
        for (n,k),v in rows.items(): print(n,k,np.quantile(v,[.05,.5,.95]).round(2), "inside", round(np.mean([B[k]["low"]<=x<=B[k]["high"] for x in v]),2), len(v))
    if "--write" in sys.argv: write_weights(grid, found)
