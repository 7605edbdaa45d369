"""Golden quotes: totals worked out by hand from the recorded facts, the arithmetic beside each.

Prices are per million tokens and quantities in millions (M) unless said otherwise. No figure here was copied from a run.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

import pytest

import tokencost as tc

M = 1_000_000
MICROSECOND = timedelta(microseconds=1)


class Golden(NamedTuple):
    """One request and what it costs."""

    offering: str
    at: str
    counts: dict[str, int]
    total: str
    choice: dict[str, str] = {}  # noqa: RUF012 - never changed
    end: bool = False

    @property
    def instant(self):
        """The instant, or with `end` the last microsecond before it."""
        return tc.to_instant(self.at) - (MICROSECOND if self.end else timedelta(0))

    def __str__(self) -> str:
        size = "+".join(f"{count}{meter}" for meter, count in self.counts.items())
        return " ".join([self.offering, ("before " if self.end else "") + self.at, size, *self.choice.values()])


CNY, BATCH, THINK, US, FAST = (
    {"currency": "CNY"},
    {"service_tier": "batch"},
    {"mode": "thinking"},
    {"residency": "us"},
    {"service_tier": "fast"},
)
R1 = "deepseek/global/deepseek-reasoner"
WORKLOAD = {"cache_read": 70 * M, "input": 30 * M, "output": 10 * M}

DEEPSEEK_R1 = [
    # 70 x 0.14 + 30 x 0.55 + 10 x 2.19 = 9.80 + 16.50 + 21.90
    Golden(R1, "2025-02-01T12:00:00Z", WORKLOAD, "48.20"),
    # 70 x 1 + 30 x 4 + 10 x 16 = 70 + 120 + 160
    Golden(R1, "2025-02-01T12:00:00Z", WORKLOAD, "350", CNY),
    # the night window, 16:30 to 00:30 UTC: 70 x 0.035 + 30 x 0.135 + 10 x 0.55 = 2.45 + 4.05 + 5.50
    Golden(R1, "2025-03-01T17:00:00Z", WORKLOAD, "12.00"),
    # 70 x 0.25 + 30 x 1 + 10 x 4 = 17.5 + 30 + 40
    Golden(R1, "2025-03-01T17:00:00Z", WORKLOAD, "87.5", CNY),
    # both ends of the night, to the microsecond
    Golden(R1, "2025-03-01T16:30:00Z", WORKLOAD, "48.20", end=True),
    Golden(R1, "2025-03-01T16:30:00Z", WORKLOAD, "12.00"),
    Golden(R1, "2025-03-02T00:30:00Z", WORKLOAD, "12.00", end=True),
    Golden(R1, "2025-03-02T00:30:00Z", WORKLOAD, "48.20"),
    # the rule begins at 16:30 of 26 February and does not reach back: 17:00 of the day before is the list
    Golden(R1, "2025-02-25T17:00:00Z", WORKLOAD, "48.20"),
    Golden(R1, "2025-02-26T16:30:00Z", WORKLOAD, "48.20", end=True),
    Golden(R1, "2025-02-26T16:30:00Z", WORKLOAD, "12.00"),
    # it ends on 5 September at 16:00, so the last night is that of the 4th; then 70 x 0.07 + 30 x 0.56 + 10 x 1.68 = 4.9 + 16.8 + 16.8
    Golden(R1, "2025-09-05T00:30:00Z", WORKLOAD, "12.00", end=True),
    Golden(R1, "2025-09-05T16:00:00Z", WORKLOAD, "48.20", end=True),
    Golden(R1, "2025-09-05T16:00:00Z", WORKLOAD, "38.50"),
    Golden(R1, "2025-09-05T17:00:00Z", WORKLOAD, "38.50"),
    # V3 at its launch price, then at its list: 70 x 0.014 + 30 x 0.14 + 10 x 0.28 = 0.98 + 4.2 + 2.8; 70 x 0.07 + 30 x 0.27 + 10 x 1.10
    Golden("deepseek/global/deepseek-chat", "2025-02-08T16:00:00Z", WORKLOAD, "7.98", end=True),
    Golden("deepseek/global/deepseek-chat", "2025-02-08T16:00:00Z", WORKLOAD, "24.00"),
    # reasoning is output: 8 of the 10 M hidden
    Golden(R1, "2025-02-01T12:00:00Z", {**WORKLOAD, "output": 2 * M, "reasoning": 8 * M}, "48.20"),
]

FLASH, PRO = "deepseek/global/deepseek-v4-flash", "deepseek/global/deepseek-v4-pro"
# Flash, old list: 70 x 0.0028 + 30 x 0.14 + 10 x 0.28 = 0.196 + 4.2 + 2.8
# Flash off-peak: 70 x 0.007 + 30 x 0.22 + 10 x 0.66 = 0.49 + 6.6 + 6.6; peak is twice that
# Pro, old list: 70 x 0.003625 + 30 x 0.435 + 10 x 0.87 = 0.25375 + 13.05 + 8.7
# Pro off-peak: 70 x 0.022 + 30 x 0.66 + 10 x 1.98 = 1.54 + 19.8 + 19.8; peak is twice that
FLASH_OLD, FLASH_LOW, FLASH_PEAK = "7.196", "13.69", "27.38"
PRO_OLD, PRO_LOW, PRO_PEAK = "22.00375", "41.14", "82.28"
# V4.1 off-peak: 70 x 0.003 + 30 x 0.15 + 10 x 0.60 = 0.21 + 4.5 + 6; peak twice
V41_LOW, V41_PEAK = "10.71", "21.42"

DEEPSEEK_V4 = [
    golden
    for at, end, flash, pro in [
        # the new list begins at midnight of 17 August in Beijing, off-peak
        ("2026-08-16T16:00:00Z", True, FLASH_OLD, PRO_OLD),
        ("2026-08-16T16:00:00Z", False, FLASH_LOW, PRO_LOW),
        # a Monday: 09:00 to 12:00 and 14:00 to 18:00 in Beijing are 01:00 to 04:00 and 06:00 to 10:00 UTC
        ("2026-08-17T01:00:00Z", True, FLASH_LOW, PRO_LOW),
        ("2026-08-17T01:00:00Z", False, FLASH_PEAK, PRO_PEAK),
        ("2026-08-17T04:00:00Z", True, FLASH_PEAK, PRO_PEAK),
        ("2026-08-17T04:00:00Z", False, FLASH_LOW, PRO_LOW),
        ("2026-08-17T06:00:00Z", False, FLASH_PEAK, PRO_PEAK),
        ("2026-08-17T10:00:00Z", True, FLASH_PEAK, PRO_PEAK),
        ("2026-08-17T10:00:00Z", False, FLASH_LOW, PRO_LOW),
        # Saturday 22 August 10:00 in Beijing: peak, every day counts still
        ("2026-08-22T02:00:00Z", False, FLASH_PEAK, PRO_PEAK),
        # the weekend rule begins at midnight of Sunday 23 August in Beijing: off-peak on both sides of that instant
        ("2026-08-22T16:00:00Z", True, FLASH_LOW, PRO_LOW),
        ("2026-08-22T16:00:00Z", False, FLASH_LOW, PRO_LOW),
        # Sunday 23 August 10:00 in Beijing, then Monday
        ("2026-08-23T02:00:00Z", False, FLASH_LOW, PRO_LOW),
        ("2026-08-24T02:00:00Z", False, FLASH_PEAK, PRO_PEAK),
        # Saturday 29 August
        ("2026-08-29T02:00:00Z", False, FLASH_LOW, PRO_LOW),
        # V4.1 takes Flash over at noon of Thursday 10 September in Beijing, where a peak stretch ends; Pro stays
        ("2026-09-10T04:00:00Z", True, FLASH_PEAK, PRO_PEAK),
        ("2026-09-10T04:00:00Z", False, V41_LOW, PRO_LOW),
        ("2026-09-10T06:00:00Z", False, V41_PEAK, PRO_PEAK),
        # National Day, Thursday 1 October: gazetted, off-peak; so is Wednesday 7 October, and Thursday 8 October is not
        ("2026-10-01T02:00:00Z", False, V41_LOW, PRO_LOW),
        ("2026-10-07T02:00:00Z", False, V41_LOW, PRO_LOW),
        ("2026-10-08T02:00:00Z", False, V41_PEAK, PRO_PEAK),
        # Mid-Autumn, Friday 25 September
        ("2026-09-25T02:00:00Z", False, V41_LOW, PRO_LOW),
        # Saturday 10 October is worked in exchange and stays off-peak, Sunday 20 September too
        ("2026-10-10T02:00:00Z", False, V41_LOW, PRO_LOW),
        ("2026-09-20T02:00:00Z", False, V41_LOW, PRO_LOW),
    ]
    for golden in (Golden(FLASH, at, WORKLOAD, flash, end=end), Golden(PRO, at, WORKLOAD, pro, end=end))
] + [
    # CNY, off-peak and peak: 70 x 0.05 + 30 x 1.5 + 10 x 4.5 = 3.5 + 45 + 45; 70 x 0.15 + 30 x 4.5 + 10 x 13.5 = 10.5 + 135 + 135
    Golden(FLASH, "2026-08-16T16:00:00Z", WORKLOAD, "93.5", CNY),
    Golden(FLASH, "2026-08-17T01:00:00Z", WORKLOAD, "187", CNY),
    Golden(PRO, "2026-08-16T16:00:00Z", WORKLOAD, "280.5", CNY),
    Golden(PRO, "2026-08-17T01:00:00Z", WORKLOAD, "561", CNY),
    # V4.1 in CNY: 70 x 0.02 + 30 x 1 + 10 x 4 = 1.4 + 30 + 40
    Golden("deepseek/global/deepseek-flash", "2026-09-10T04:00:00Z", WORKLOAD, "71.4", CNY),
    # the launch of V4-Pro: list, then a quarter of it, then the cache cut under the same discount
    # 70 x 0.145 + 30 x 1.74 + 10 x 3.48 = 10.15 + 52.2 + 34.8; a quarter of it; 70 x 0.003625 + 30 x 0.435 + 10 x 0.87
    Golden(PRO, "2026-04-26T00:00:00Z", WORKLOAD, "97.15", end=True),
    Golden(PRO, "2026-04-26T00:00:00Z", WORKLOAD, "24.2875"),
    Golden(PRO, "2026-04-26T12:15:00Z", WORKLOAD, "24.2875", end=True),
    Golden(PRO, "2026-04-26T12:15:00Z", WORKLOAD, PRO_OLD),
    Golden(PRO, "2026-05-31T15:59:00Z", WORKLOAD, PRO_OLD, end=True),
    Golden(PRO, "2026-05-31T15:59:00Z", WORKLOAD, PRO_OLD),
]

MAX_CN, MAX, PLUS_CN, PLUS = "alibaba/china/qwen3-max", "alibaba/global/qwen3-max", "alibaba/china/qwen-plus", "alibaba/global/qwen-plus"
SPRING = "2026-03-01T00:00:00Z"
MAY = "2026-05-10T00:00:00Z"
QWEN = [
    # qwen3-max, mainland, CNY: bands (0, 32,000], (32,000, 128,000], (128,000, 256,000] at 2.5/10, 4/16, 7/28; batch half
    # 0.032 x 2.5 + 0.001 x 10 = 0.08 + 0.01
    Golden(MAX_CN, SPRING, {"input": 32_000, "output": 1_000}, "0.09"),
    # 0.032001 x 4 + 0.001 x 16 = 0.128004 + 0.016
    Golden(MAX_CN, SPRING, {"input": 32_001, "output": 1_000}, "0.144004"),
    # 0.128 x 4 + 0.016; 0.128001 x 7 + 0.028 = 0.896007 + 0.028
    Golden(MAX_CN, SPRING, {"input": 128_000, "output": 1_000}, "0.528"),
    Golden(MAX_CN, SPRING, {"input": 128_001, "output": 1_000}, "0.924007"),
    # 0.256 x 7 + 0.028
    Golden(MAX_CN, SPRING, {"input": 256_000, "output": 1_000}, "1.82"),
    # the tier counts cached tokens: 32,000 of 32,001 from the implicit cache at 0.8: 0.0256 + 0.000004
    Golden(MAX_CN, SPRING, {"cache_read": 32_000, "input": 1}, "0.025604"),
    # explicit: 10,000 written at 3.125, 20,000 read at 0.25, 2,000 fresh at 2.5: 0.03125 + 0.005 + 0.005
    Golden(MAX_CN, SPRING, {"cache_write": 10_000, "cache_read_explicit": 20_000, "input": 2_000}, "0.04125"),
    # batch: 0.032 x 1.25 + 0.001 x 5; 0.032001 x 2 + 0.001 x 8; 0.128001 x 3.5 + 0.001 x 14
    Golden(MAX_CN, SPRING, {"input": 32_000, "output": 1_000}, "0.045", BATCH),
    Golden(MAX_CN, SPRING, {"input": 32_001, "output": 1_000}, "0.072002", BATCH),
    Golden(MAX_CN, SPRING, {"input": 128_001, "output": 1_000}, "0.4620035", BATCH),
    # qwen3-max, international, USD: 1.2/6, 2.4/12, 3/15
    # 0.0384 + 0.006; 0.0768024 + 0.012; 0.3072 + 0.012; 0.384003 + 0.015
    Golden(MAX, SPRING, {"input": 32_000, "output": 1_000}, "0.0444"),
    Golden(MAX, SPRING, {"input": 32_001, "output": 1_000}, "0.0888024"),
    Golden(MAX, SPRING, {"input": 128_000, "output": 1_000}, "0.3192"),
    Golden(MAX, SPRING, {"input": 128_001, "output": 1_000}, "0.399003"),
    # qwen-plus, mainland, CNY: (0, 128,000] 0.8/2, thinking 8; (128,000, 256,000] 2.4/20, thinking 24; above 4.8/48, thinking 64
    # 0.128 x 0.8 + 0.001 x 2 = 0.1024 + 0.002; thinking + 0.008
    Golden(PLUS_CN, MAY, {"input": 128_000, "output": 1_000}, "0.1044"),
    Golden(PLUS_CN, MAY, {"input": 128_000, "output": 1_000}, "0.1104", THINK),
    # 0.128001 x 2.4 = 0.3072024; + 0.020; thinking + 0.024
    Golden(PLUS_CN, MAY, {"input": 128_001, "output": 1_000}, "0.3272024"),
    Golden(PLUS_CN, MAY, {"input": 128_001, "output": 1_000}, "0.3312024", THINK),
    # 0.256 x 2.4 = 0.6144; + 0.020; thinking + 0.024
    Golden(PLUS_CN, MAY, {"input": 256_000, "output": 1_000}, "0.6344"),
    Golden(PLUS_CN, MAY, {"input": 256_000, "output": 1_000}, "0.6384", THINK),
    # 0.256001 x 4.8 = 1.2288048; + 0.048; thinking + 0.064
    Golden(PLUS_CN, MAY, {"input": 256_001, "output": 1_000}, "1.2768048"),
    Golden(PLUS_CN, MAY, {"input": 256_001, "output": 1_000}, "1.2928048", THINK),
    # batch at half: 0.0512 + 0.001; thinking + 0.004; 0.1536012 + 0.010; thinking + 0.012; 0.6144024 + 0.024; thinking + 0.032
    Golden(PLUS_CN, MAY, {"input": 128_000, "output": 1_000}, "0.0522", BATCH),
    Golden(PLUS_CN, MAY, {"input": 128_000, "output": 1_000}, "0.0552", BATCH | THINK),
    Golden(PLUS_CN, MAY, {"input": 128_001, "output": 1_000}, "0.1636012", BATCH),
    Golden(PLUS_CN, MAY, {"input": 128_001, "output": 1_000}, "0.1656012", BATCH | THINK),
    Golden(PLUS_CN, MAY, {"input": 256_001, "output": 1_000}, "0.6384024", BATCH),
    Golden(PLUS_CN, MAY, {"input": 256_001, "output": 1_000}, "0.6464024", BATCH | THINK),
    # qwen-plus, international, USD: (0, 256,000] 0.4/1.2, thinking 4; above 1.2/3.6, thinking 12; batch half
    # 0.256 x 0.4 = 0.1024; + 0.0012; thinking + 0.004
    Golden(PLUS, SPRING, {"input": 256_000, "output": 1_000}, "0.1036"),
    Golden(PLUS, SPRING, {"input": 256_000, "output": 1_000}, "0.1064", THINK),
    # 0.256001 x 1.2 = 0.3072012; + 0.0036; thinking + 0.012
    Golden(PLUS, SPRING, {"input": 256_001, "output": 1_000}, "0.3108012"),
    Golden(PLUS, SPRING, {"input": 256_001, "output": 1_000}, "0.3192012", THINK),
    # at half in batch: 0.0512 + 0.0006; thinking + 0.002; 0.1536006 + 0.0018; thinking + 0.006
    Golden(PLUS, SPRING, {"input": 256_000, "output": 1_000}, "0.0518", BATCH),
    Golden(PLUS, SPRING, {"input": 256_000, "output": 1_000}, "0.0532", BATCH | THINK),
    Golden(PLUS, SPRING, {"input": 256_001, "output": 1_000}, "0.1554006", BATCH),
    Golden(PLUS, SPRING, {"input": 256_001, "output": 1_000}, "0.1596006", BATCH | THINK),
]

S45, S46, O45, O46 = (f"anthropic/global/claude-{name}" for name in ("sonnet-4-5", "sonnet-4-6", "opus-4-5", "opus-4-6"))
MARCH = "2026-03-01T00:00:00Z"
# 100,000 fresh, 60,000 read, 30,000 written for five minutes, 10,000 for an hour: exactly 200,000; 5,000 out
SHORT = {"input": 100_000, "cache_read": 60_000, "cache_write": 30_000, "cache_write_1h": 10_000, "output": 5_000}
LONG = {**SHORT, "input": 100_001}
CLAUDE = [
    # Sonnet 4.5: 3, read 0.30, writes 3.75 and 6, out 15
    # 0.3 + 0.018 + 0.1125 + 0.06 + 0.075
    Golden(S45, MARCH, SHORT, "0.5655"),
    # one token more re-rates everything: 6, 0.60, 7.50 and 12, 22.50: 0.600006 + 0.036 + 0.225 + 0.12 + 0.1125
    Golden(S45, MARCH, LONG, "1.093506"),
    # batch halves every token price: 0.28275 and 0.546753
    Golden(S45, MARCH, SHORT, "0.28275", BATCH),
    Golden(S45, MARCH, LONG, "0.546753", BATCH),
    # output does not count towards the tier: 200,000 in and 100,000 out: 0.6 + 1.5
    Golden(S45, MARCH, {"input": 200_000, "output": 100_000}, "2.1"),
    # a search is 0.01 and is not halved: 0.28275 + 0.03
    Golden(S45, MARCH, {**SHORT, "web_search": 3}, "0.31275", BATCH),
    # Sonnet 4.6 has the same prices, and a tenth more in the US: 0.5655 x 1.1, 1.093506 x 1.1
    Golden(S46, MARCH, SHORT, "0.5655"),
    Golden(S46, MARCH, SHORT, "0.62205", US),
    Golden(S46, MARCH, LONG, "1.2028566", US),
    # batch x US: 0.28275 x 1.1 and 0.546753 x 1.1
    Golden(S46, MARCH, SHORT, "0.311025", BATCH | US),
    Golden(S46, MARCH, LONG, "0.6014283", BATCH | US),
    # from 13 March long context costs the standard price: 0.300003 + 0.018 + 0.1125 + 0.06 + 0.075
    Golden(S46, "2026-03-13T00:00:00Z", LONG, "1.093506", end=True),
    Golden(S46, "2026-03-13T00:00:00Z", LONG, "0.565503"),
    # Opus 4.5: 5, 0.50, 6.25 and 10, 25, flat: 0.5 + 0.03 + 0.1875 + 0.1 + 0.125; batch half
    Golden(O45, MARCH, SHORT, "0.9425"),
    Golden(O45, MARCH, SHORT, "0.47125", BATCH),
    # Opus 4.6 the same up to 200,000; above 10, 1, 12.50 and 20, 37.50: 1.00001 + 0.06 + 0.375 + 0.2 + 0.1875
    Golden(O46, MARCH, SHORT, "0.9425"),
    Golden(O46, MARCH, LONG, "1.82251"),
    Golden(O46, MARCH, LONG, "0.911255", BATCH),
    # x 1.1 in the US
    Golden(O46, MARCH, LONG, "2.004761", US),
    Golden(O46, MARCH, LONG, "1.0023805", BATCH | US),
    # fast: 30, 3, 37.50 and 60, 150 at every length: 3 + 0.18 + 1.125 + 0.6 + 0.75; one more fresh token is 0.00003 more
    Golden(O46, MARCH, SHORT, "5.655", FAST),
    Golden(O46, MARCH, LONG, "5.65503", FAST),
    Golden(O46, MARCH, SHORT, "6.2205", FAST | US),
    # Opus 4.1: 15, 1.50, 18.75 and 30, 75: 1.5 + 0.09 + 0.5625 + 0.3 + 0.375
    Golden("anthropic/global/claude-opus-4-1", MARCH, SHORT, "2.8275"),
    # Sonnet 4: long context from 12 August 2025: 0.300003 + 0.2655 before; as Sonnet 4.5 after
    Golden("anthropic/global/claude-sonnet-4-0", "2025-10-01T00:00:00Z", LONG, "1.093506"),
    # Haiku 4.5: 1, 0.10, 1.25 and 2, 5: 0.1 + 0.006 + 0.0375 + 0.02 + 0.025
    Golden("anthropic/global/claude-haiku-4-5", MARCH, SHORT, "0.1885"),
    # Haiku 5.5: 0.10/0.50, above 100,000 five times as much: 0.01 + 0.0025; 0.0500005 + 0.0125
    Golden("anthropic/global/claude-haiku-5-5", "2026-10-20T00:00:00Z", {"input": 100_000, "output": 5_000}, "0.0125"),
    Golden("anthropic/global/claude-haiku-5-5", "2026-10-20T00:00:00Z", {"input": 100_001, "output": 5_000}, "0.0625005"),
    # container hours: 0.05 each, at least five minutes: 0.05 / 12 does not end; an hour and a half is 0.075
    Golden(S46, MARCH, {"container_s": 1}, "0.004166666666666667"),
    Golden(S46, MARCH, {"container_s": 5_400}, "0.075"),
]

OTHERS = [
    # gpt-4o: 5/15 until the alias moved on 2 October 2024, then 2.50/10 with cached input at 1.25
    # 0.7 x 5 + 0.3 x 5 + 0.1 x 15 = 6.5: cached tokens had no price of their own
    Golden("openai/global/gpt-4o", "2024-10-02T00:00:00Z", {"cache_read": 700_000, "input": 300_000, "output": 100_000}, "6.5", end=True),
    # 0.7 x 1.25 + 0.3 x 2.5 + 0.1 x 10 = 0.875 + 0.75 + 1
    Golden("openai/global/gpt-4o", "2024-10-02T00:00:00Z", {"cache_read": 700_000, "input": 300_000, "output": 100_000}, "2.625"),
    # batch: 1 x 1.25 + 0.1 x 5
    Golden("openai/global/gpt-4o", "2025-06-01T00:00:00Z", {"input": M, "output": 100_000}, "1.75", BATCH),
    # dated snapshots keep their own price: 5 + 1.5
    Golden("openai/global/gpt-4o-2024-05-13", "2025-06-01T00:00:00Z", {"input": M, "output": 100_000}, "6.5"),
    # o1 beside R1, the same workload on the same day: 70 x 7.5 + 30 x 15 + 10 x 60 = 525 + 450 + 600
    Golden("openai/global/o1", "2025-02-01T12:00:00Z", WORKLOAD, "1575"),
    # o1 without a cache, 30 M in and 10 M out: 450 + 600; batch half
    Golden("openai/global/o1", "2025-02-01T12:00:00Z", {"input": 30 * M, "output": 10 * M}, "525", BATCH),
    # Bedrock: a geography costs a tenth more than the global profiles: 0.5655 and 0.5655 x 1.1
    Golden("global.anthropic.claude-sonnet-4-5-20250929-v1:0", MARCH, SHORT, "0.5655"),
    Golden("us.anthropic.claude-sonnet-4-5-20250929-v1:0", MARCH, SHORT, "0.62205"),
    Golden("us.anthropic.claude-sonnet-4-5-20250929-v1:0", MARCH, LONG, "1.2028566"),
    # Whisper on Groq: 0.111 USD an hour, ten seconds at least; an hour and a minute: 0.111 + 0.00185
    Golden("groq/global/whisper-large-v3", "2026-11-01T00:00:00Z", {"audio_s": 3_660}, "0.11285"),
    # 0.111 / 360, for three seconds as for ten
    Golden("groq/global/whisper-large-v3", "2026-11-01T00:00:00Z", {"audio_s": 3}, "0.000308333333333333"),
    Golden("groq/global/whisper-large-v3", "2026-11-01T00:00:00Z", {"audio_s": 10}, "0.000308333333333333"),
    # Moonshot's explicit cache of 2024: 24 a million to create, 10 a million and minute to keep, 0.02 a call that hits
    # 20,000 tokens created, kept for 30 minutes, hit by 100 calls of 500 fresh tokens: 0.48 + 6 + 2 + 0.6
    Golden(
        "moonshot/china/moonshot-v1-8k",
        "2024-07-15T00:00:00Z",
        {"cache_write": 20_000, "cache_storage": 20_000 * 1_800, "cache_hit_request": 100, "input": 50_000},
        "9.08",
    ),
    # from 7 August storage is half: 0.48 + 3 + 2 + 0.6
    Golden(
        "moonshot/china/moonshot-v1-8k",
        "2024-08-07T00:00:00Z",
        {"cache_write": 20_000, "cache_storage": 20_000 * 1_800, "cache_hit_request": 100, "input": 50_000},
        "6.08",
    ),
    # Gemini 2.5 Pro, batch, 150,000 in of which 100,000 from the cache, at 1.25/10 standard: batch halves input and output only
    # 0.05 x 0.625 + 0.1 x 0.125 + 0.01 x 5 = 0.03125 + 0.0125 + 0.05
    Golden(
        "google/global/gemini-2.5-pro", "2026-01-15T00:00:00Z", {"input": 50_000, "cache_read": 100_000, "output": 10_000}, "0.09375", BATCH
    ),
    # a cache of 1 M tokens kept for two hours: 2 x 4.50
    Golden("google/global/gemini-2.5-pro", "2026-01-15T00:00:00Z", {"cache_storage": M * 7_200}, "9"),
    # xAI's edge is inclusive: 199,999 tokens at 2, 200,000 at 4
    Golden("xai/global/grok-4.7", "2026-10-10T00:00:00Z", {"input": 199_999}, "0.399998"),
    Golden("xai/global/grok-4.7", "2026-10-10T00:00:00Z", {"input": 200_000}, "0.8"),
    # doubao-seed-1.6: 0.8/2 for an answer of at most 200 tokens to at most 32,000, else 0.8/8: 0.0256 + 0.0004; 0.0256 + 0.001608
    Golden("bytedance/china/doubao-seed-1.6", "2025-07-01T00:00:00Z", {"input": 32_000, "output": 200}, "0.026"),
    Golden("bytedance/china/doubao-seed-1.6", "2025-07-01T00:00:00Z", {"input": 32_000, "output": 201}, "0.027208"),
    # GLM-5 has half-open bands: 31,999 tokens at 4, 32,000 at 6
    Golden("zhipu/china/glm-5", "2026-03-01T00:00:00Z", {"input": 31_999}, "0.127996"),
    Golden("zhipu/china/glm-5", "2026-03-01T00:00:00Z", {"input": 32_000}, "0.192"),
]


@pytest.mark.parametrize("golden", [*DEEPSEEK_R1, *DEEPSEEK_V4, *QWEN, *CLAUDE, *OTHERS], ids=str)
def test_golden_totals(book, golden):
    usage = tc.Usage.of(golden.counts)
    assert book.cost(golden.offering, usage, at=golden.instant, **golden.choice) == Decimal(golden.total)
    quote = book.quote(golden.offering, usage, at=golden.instant, **golden.choice)
    assert quote.total.amount == Decimal(golden.total)
    assert sum(line.amount.amount for line in quote.lines) == Decimal(golden.total)


def test_the_inclusive_totals_of_the_workload_mean_the_same(book):
    """100 M prompt tokens, 70 M of them from the cache."""
    usage = tc.Usage.from_totals(input=100 * M, cache_read=70 * M, output=10 * M)
    assert usage == tc.Usage.of(WORKLOAD)
    assert book.quote("deepseek-reasoner", usage, at="2025-02-01T12:00:00Z").total == tc.Money("48.20", "USD")


def test_the_press_joins_the_price_of_a_hit_with_that_of_output(book):
    """At the pair of the article, 0.14 and 2.19, the same workload costs 100 x 0.14 + 10 x 2.19 = 14 + 21.90 = 35.90."""
    (claim,) = [claim for claim in book.claims if claim.id == "ainvest-2025-07-28"]
    by_press = 100 * claim.said["input"] + 10 * claim.said["output"]
    assert by_press == Decimal("35.90")
    card = book.tariff(claim.offering).card(at=claim.at, currency=claim.currency).rows[0].prices
    assert claim.said == {meter: card[really] for meter, really in claim.really.items()}
    assert card["input"] == Decimal("0.55")
    check = tc.explain_claim(book, claim, tc.Usage.of(WORKLOAD), at="2025-02-01T12:00:00Z")
    assert (check.by_press, check.really) == (tc.Money("35.90", "USD"), tc.Money("48.20", "USD"))


def test_o1_cost_about_thirty_three_times_as_much_as_r1(book):
    """1575 / 48.20, the comparison of that winter."""
    at = "2025-02-01T12:00:00Z"
    o1, r1 = (book.cost(name, tc.Usage.of(WORKLOAD), at=at) for name in ("o1", "deepseek-reasoner"))
    assert (o1, r1) == (Decimal(1575), Decimal("48.2"))
    assert round(o1 / r1, 2) == Decimal("32.68")


@pytest.mark.parametrize(
    ("offering", "at", "counts", "kind"),
    [
        # the mainland list of qwen3-max stops at 256,000 tokens, Sonnet 4.5 at 200,000 since the end of its beta
        (MAX_CN, SPRING, {"input": 256_001}, tc.AboveListError),
        (S45, "2026-05-01T00:00:00Z", LONG, tc.AboveListError),
        # no batch for R1, no fast mode for Opus 4.6 after June, no US price for Opus 4.5, no days off gazetted for 2027
        (R1, "2025-02-01T12:00:00Z", {"input": 1}, tc.NoRateError),
        (O46, "2026-07-01T00:00:00Z", {"input": 1}, tc.NoRateError),
        (O45, MARCH, {"input": 1}, tc.NoRateError),
        (FLASH, "2027-01-04T02:00:00Z", {"input": 1}, tc.CalendarError),
    ],
)
def test_where_there_is_no_price_there_is_an_error(book, offering, at, counts, kind):
    choice = {R1: BATCH, O46: FAST, O45: US}.get(offering, {})
    with pytest.raises(kind):
        book.cost(offering, tc.Usage.of(counts), at=at, **choice)
