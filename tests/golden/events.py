"""What the recorded price moves speak of: for each the offering, the instant, and the part of its figures."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["EVENTS", "NIGHT", "NO_FIGURES", "PEAK", "V3_1", "At"]


class At(NamedTuple):
    """One offering that an event speaks of, and the instant from which its price holds.

    `before` and `after` name the part of the event's figures that belongs to it: "" the whole, "-" nothing. `prompt` and `answer` are the
    size of the request that the figures are for. With `listed` the figures are of the list under a promotion.
    """

    offering: str
    instant: str
    before: str = ""
    after: str = ""
    prompt: int = 1
    answer: int = 1
    window: tuple[str, str] | None = None
    listed: bool = False


DS, ALI, BAIDU, ZHIPU = "deepseek/global/", "alibaba/china/", "baidu/china/", "zhipu/china/"
NIGHT = "2025-02-26T16:30:00Z"
V3_1 = "2025-09-05T16:00:00Z"
PEAK = "2026-08-16T16:00:00Z"

EVENTS: dict[tuple[str, str, str], tuple[At, ...]] = {
    ("2024-05-06", "deepseek", "deepseek-chat (V2)"): (At(f"{DS}deepseek-chat", "2024-05-06T00:00:00Z"),),
    ("2024-05-11", "zhipu", "GLM-3-Turbo"): (At(f"{ZHIPU}glm-3-turbo", "2024-05-11T00:00:00Z"),),
    ("2024-05-15", "bytedance", "Doubao-pro-32k"): (At("bytedance/china/doubao-pro-32k", "2024-05-15T00:00:00Z"),),
    ("2024-05-15", "bytedance", "Doubao-lite-32k"): (At("bytedance/china/doubao-lite-32k", "2024-05-15T00:00:00Z"),),
    ("2024-05-21", "alibaba", "qwen-long"): (At(f"{ALI}qwen-long", "2024-05-21T00:00:00Z"),),
    ("2024-05-21", "alibaba", "qwen-turbo"): (At(f"{ALI}qwen-turbo", "2024-05-21T00:00:00Z"),),
    ("2024-05-21", "alibaba", "qwen-plus"): (At(f"{ALI}qwen-plus", "2024-05-21T00:00:00Z"),),
    ("2024-05-21", "alibaba", "qwen-max"): (At(f"{ALI}qwen-max", "2024-05-21T00:00:00Z"),),
    # the price before is Speed's; Lite cost 3 for input
    ("2024-05-21", "baidu", "ernie-speed, ernie-lite"): (
        At(f"{BAIDU}ernie-speed-8k", "2024-05-21T00:00:00Z"),
        At(f"{BAIDU}ernie-lite-8k", "2024-05-21T00:00:00Z", before="-"),
    ),
    ("2024-05-22", "iflytek", "spark-lite"): (At("iflytek/china/spark-lite", "2024-05-22T00:00:00Z"),),
    ("2024-05-22", "iflytek", "spark-pro/max"): (
        At("iflytek/china/spark-pro", "2024-05-22T00:00:00Z"),
        At("iflytek/china/spark-max", "2024-05-22T00:00:00Z"),
    ),
    ("2024-05-22", "tencent", "hunyuan-lite"): (At("tencent/china/hunyuan-lite", "2024-05-22T00:00:00Z"),),
    ("2024-05-22", "tencent", "hunyuan-pro"): (At("tencent/china/hunyuan-pro", "2024-05-22T00:00:00Z"),),
    ("2024-05-22", "tencent", "hunyuan-standard-256k"): (At("tencent/china/hunyuan-standard-256k", "2024-05-22T00:00:00Z"),),
    ("2024-05-22", "tencent", "hunyuan-standard"): (At("tencent/china/hunyuan-standard", "2024-05-22T00:00:00Z"),),
    # the price before is that of GLM-4, which stayed
    ("2024-06-05", "zhipu", "GLM-4-Air, GLM-4-Flash"): (
        At(f"{ZHIPU}glm-4", "2024-06-05T00:00:00Z", after="-"),
        At(f"{ZHIPU}glm-4-air", "2024-06-05T00:00:00Z", before="-", after="GLM-4-Air"),
        At(f"{ZHIPU}glm-4-flash", "2024-06-05T00:00:00Z", before="-", after="GLM-4-Flash"),
        At(f"{ZHIPU}glm-4-0520", "2024-06-05T00:00:00Z", before="-", after="GLM-4-0520"),
    ),
    ("2024-07-01", "moonshot", "moonshot-v1 context cache"): (At("moonshot/china/moonshot-v1-8k", "2024-07-01T00:00:00Z"),),
    # no USD list before this day was found, the two prices that did not move are those of the page of that time
    ("2024-08-02", "deepseek", "deepseek-chat, deepseek-coder"): (
        At(f"{DS}deepseek-chat", "2024-08-02T00:00:00Z", before="-"),
        At(f"{DS}deepseek-coder", "2024-08-02T00:00:00Z", before="-"),
    ),
    ("2024-08-07", "moonshot", "moonshot-v1 context cache"): (At("moonshot/china/moonshot-v1-8k", "2024-08-07T00:00:00Z"),),
    ("2024-08-27", "zhipu", "GLM-4-Flash"): (At(f"{ZHIPU}glm-4-flash", "2024-08-27T00:00:00Z"),),
    # September 2024 without a day: the first of the month
    ("2024-09", "alibaba", "qwen-turbo"): (At(f"{ALI}qwen-turbo", "2024-09-01T00:00:00Z"),),
    ("2024-09", "alibaba", "qwen-plus"): (At(f"{ALI}qwen-plus", "2024-09-01T00:00:00Z"),),
    ("2024-09", "alibaba", "qwen-max"): (At(f"{ALI}qwen-max", "2024-09-01T00:00:00Z"),),
    # compared with Yi-Large
    ("2024-10-16", "01ai", "yi-lightning"): (
        At("01ai/china/yi-large", "2024-10-16T00:00:00Z", after="-"),
        At("01ai/china/yi-lightning", "2024-10-16T00:00:00Z", before="-"),
    ),
    ("2024-12-18", "bytedance", "doubao-vision"): (At("bytedance/china/doubao-vision-pro-32k", "2024-12-18T00:00:00Z"),),
    # "before" is the list that begins under the promotion
    ("2024-12-26", "deepseek", "deepseek-chat (V3)"): (
        At(f"{DS}deepseek-chat", "2024-12-26T00:00:00.000001Z", after="-", listed=True),
        At(f"{DS}deepseek-chat", "2024-12-26T00:00:00Z", before="-"),
    ),
    ("2024-12-31", "alibaba", "qwen-vl-max"): (At(f"{ALI}qwen-vl-max", "2024-12-31T00:00:00Z"),),
    ("2024-12-31", "alibaba", "qwen-vl-plus"): (At(f"{ALI}qwen-vl-plus", "2024-12-31T00:00:00Z"),),
    # the snapshot qwen-max-0125 is of this day
    ("2025-01", "alibaba", "qwen-max"): (At(f"{ALI}qwen-max", "2025-01-25T00:00:00Z"),),
    ("2025-01-20", "deepseek", "deepseek-reasoner (R1)"): (At(f"{DS}deepseek-reasoner", "2025-01-20T00:00:00Z"),),
    ("2025-02-02", "zhipu", "glm-4-air"): (At(f"{ZHIPU}glm-4-air", "2025-02-02T00:00:00Z"),),
    # "before" are DeepSeek's own lists
    ("2025-02-03", "baidu", "DeepSeek-V3 / R1 on Qianfan"): (
        At(f"{DS}deepseek-chat", "2025-02-08T16:00:00.000001Z", before="V3", after="-"),
        At(f"{DS}deepseek-reasoner", "2025-02-03T00:00:00Z", before="R1", after="-"),
        At(f"{BAIDU}deepseek-v3", "2025-02-03T00:00:00Z", before="-", after="V3"),
        At(f"{BAIDU}deepseek-r1", "2025-02-03T00:00:00Z", before="-", after="R1"),
    ),
    ("2025-02-08", "deepseek", "deepseek-chat (V3)"): (At(f"{DS}deepseek-chat", "2025-02-08T16:00:00Z"),),
    ("2025-02-26", "deepseek", "deepseek-chat"): (At(f"{DS}deepseek-chat", NIGHT),),
    ("2025-02-26", "deepseek", "deepseek-reasoner"): (At(f"{DS}deepseek-reasoner", NIGHT),),
    ("2025-03-16", "baidu", "ERNIE 4.5 / ERNIE X1"): (
        At(f"{BAIDU}ernie-4.5", "2025-03-16T00:00:00Z", after="ERNIE 4.5"),
        At(f"{BAIDU}ernie-x1", "2025-03-16T00:00:00Z", after="ERNIE X1"),
    ),
    ("2025-03-16", "baidu", "ERNIE 4.0"): (At(f"{BAIDU}ernie-4.0-8k", "2025-03-16T00:00:00Z"),),
    ("2025-03-16", "baidu", "ERNIE 4.0 Turbo"): (At(f"{BAIDU}ernie-4.0-turbo-8k", "2025-03-16T00:00:00Z"),),
    ("2025-03-23", "tencent", "hunyuan-turbo"): (At("tencent/china/hunyuan-turbo", "2025-03-23T00:00:00Z"),),
    ("2025-03-23", "tencent", "hunyuan-t1 / hunyuan-TurboS"): (
        At("tencent/china/hunyuan-t1", "2025-03-23T00:00:00Z", after="hunyuan-t1"),
        At("tencent/china/hunyuan-TurboS", "2025-03-23T00:00:00Z", after="hunyuan-TurboS"),
    ),
    ("2025-04-09", "moonshot", "moonshot-v1-8k"): (At("moonshot/china/moonshot-v1-8k", "2025-04-09T00:00:00Z"),),
    ("2025-04-23", "zhipu", "GLM-4-Plus"): (At(f"{ZHIPU}glm-4-plus", "2025-04-23T00:00:00Z"),),
    ("2025-04-25", "baidu", "ERNIE 4.5 Turbo / X1 Turbo"): (
        At(f"{BAIDU}ernie-4.5", "2025-04-25T00:00:00Z", before="ERNIE 4.5", after="-"),
        At(f"{BAIDU}ernie-x1", "2025-04-25T00:00:00Z", before="ERNIE X1", after="-"),
        At(f"{BAIDU}ernie-4.5-turbo-128k", "2025-04-25T00:00:00Z", before="-", after="ERNIE 4.5 Turbo"),
        At(f"{BAIDU}ernie-x1-turbo", "2025-04-25T00:00:00Z", before="-", after="ERNIE X1 Turbo"),
    ),
    ("2025-04-29", "alibaba", "Qwen3 open family"): (
        At(f"{ALI}qwen3-235b-a22b", "2025-04-29T00:00:00Z", after="qwen3-235b-a22b"),
        At(f"{ALI}qwen3-32b", "2025-04-29T00:00:00Z", after="qwen3-32b"),
    ),
    # "before" is the list of doubao-1.5-pro
    ("2025-06-11", "bytedance", "doubao-seed-1.6"): (
        At("bytedance/china/doubao-1.5-pro-32k", "2025-06-11T00:00:00Z", after="-"),
        At("bytedance/china/doubao-seed-1.6", "2025-06-11T00:00:00Z", "-", "0-32k in, up to 200 out", prompt=32_000, answer=200),
        At("bytedance/china/doubao-seed-1.6", "2025-06-11T00:00:00Z", "-", "0-32k in", prompt=32_000, answer=201),
        At("bytedance/china/doubao-seed-1.6", "2025-06-11T00:00:00Z", "-", "32-128k", prompt=32_001),
        At("bytedance/china/doubao-seed-1.6", "2025-06-11T00:00:00Z", "-", "128-256k", prompt=256_000),
    ),
    ("2025-06-24", "minimax", "MiniMax-M1"): (
        At("minimax/china/MiniMax-M1", "2025-06-24T00:00:00Z", after="0-32k", prompt=32_000),
        At("minimax/china/MiniMax-M1", "2025-06-24T00:00:00Z", after="32-128k", prompt=128_000),
        At("minimax/china/MiniMax-M1", "2025-06-24T00:00:00Z", after=">128k", prompt=128_001),
    ),
    ("2025-07-11", "moonshot", "kimi-k2-0711-preview"): (At("moonshot/global/kimi-k2-0711-preview", "2025-07-11T00:00:00Z"),),
    ("2025-09-05", "deepseek", "deepseek-chat (V3.1)"): (At(f"{DS}deepseek-chat", V3_1),),
    ("2025-09-05", "deepseek", "deepseek-reasoner (V3.1)"): (At(f"{DS}deepseek-reasoner", V3_1),),
    ("2025-09-26", "alibaba", "qwen3-235b-a22b"): (At(f"{ALI}qwen3-235b-a22b", "2025-09-26T00:00:00Z"),),
    ("2025-09-29", "deepseek", "deepseek-chat, deepseek-reasoner (V3.2-Exp)"): (
        At(f"{DS}deepseek-chat", "2025-09-29T00:00:00Z"),
        At(f"{DS}deepseek-reasoner", "2025-09-29T00:00:00Z"),
    ),
    ("2025-10-16", "bytedance", "doubao-seed-1.6-lite"): (At("bytedance/china/doubao-seed-1.6-lite", "2025-10-16T00:00:00Z"),),
    ("2025-10-30", "minimax", "MiniMax-M2"): (At("minimax/china/MiniMax-M2", "2025-10-30T00:00:00Z"),),
    ("2025-11-13", "alibaba", "qwen3-max"): (At(f"{ALI}qwen3-max", "2025-11-13T00:00:00Z"),),
    ("2026-01", "alibaba", "qwen3-max"): (At(f"{ALI}qwen3-max", "2026-01-01T00:00:00Z"),),
    ("2026-02-11", "zhipu", "glm-5"): (
        At(f"{ZHIPU}glm-4.7", "2026-02-11T00:00:00Z", before="glm-4.7", after="-"),
        At(f"{ZHIPU}glm-5", "2026-02-11T00:00:00Z", before="-", after="glm-5"),
    ),
    # the answer of 0.8/8 is one of more than 200 tokens
    ("2026-02-15", "bytedance", "doubao-seed-2.0-pro"): (
        At("bytedance/china/doubao-seed-1.8", "2026-02-15T00:00:00Z", "doubao-seed-1.8", "-", answer=201),
        At("bytedance/china/doubao-seed-2.0-pro", "2026-02-15T00:00:00Z", "-", "0-32k", prompt=32_000),
        At("bytedance/china/doubao-seed-2.0-pro", "2026-02-15T00:00:00Z", "-", "32-128k", prompt=32_001),
        At("bytedance/china/doubao-seed-2.0-pro", "2026-02-15T00:00:00Z", "-", "128-256k", prompt=128_001),
    ),
    # the new figures are of the band above 32k
    ("2026-03-13", "tencent", "hunyuan-2.0-instruct"): (At("tencent/china/hunyuan-2.0-instruct", "2026-03-13T00:00:00Z", prompt=40_000),),
    # against glm-5
    ("2026-04-08", "zhipu", "glm-5.1"): (
        At(f"{ZHIPU}glm-5", "2026-04-08T00:00:00Z", after="-"),
        At(f"{ZHIPU}glm-5.1", "2026-04-08T00:00:00Z", before="-"),
    ),
    # against kimi-k2.5
    ("2026-04-21", "moonshot", "kimi-k2.6"): (
        At("moonshot/china/kimi-k2.5", "2026-04-21T00:00:00Z", after="-"),
        At("moonshot/china/kimi-k2.6", "2026-04-21T00:00:00Z", before="-"),
    ),
    # against V3.2, which both old names reached
    ("2026-04-24", "deepseek", "deepseek-v4-flash / v4-pro"): (
        At(f"{DS}deepseek-chat", "2026-04-24T00:00:00Z", after="v4-flash"),
        At(f"{DS}deepseek-v4-flash", "2026-04-24T00:00:00Z", before="-", after="v4-flash"),
        At(f"{DS}deepseek-v4-pro", "2026-04-24T00:00:00Z", before="-", after="v4-pro"),
    ),
    # the discount of V4-Pro had begun that morning, so its list is looked at
    ("2026-04-26", "deepseek", "all V4 models"): (
        At(f"{DS}deepseek-v4-flash", "2026-04-26T12:15:00Z", "v4-flash hit", "v4-flash hit"),
        At(f"{DS}deepseek-v4-pro", "2026-04-26T12:15:00Z", "v4-pro hit", "v4-pro hit", listed=True),
    ),
    ("2026-04-26", "deepseek", "deepseek-v4-pro"): (
        At(f"{DS}deepseek-v4-pro", "2026-04-26T12:15:00.000001Z", after="-", listed=True),
        At(f"{DS}deepseek-v4-pro", "2026-04-26T12:15:00Z", before="-"),
    ),
    ("2026-05-05", "deepseek", "deepseek-v4-pro"): (At(f"{DS}deepseek-v4-pro", "2026-05-05T15:59:00Z"),),
    # announced on the 22nd; the list falls when the promotion ends, and what is charged does not change
    ("2026-05-22", "deepseek", "deepseek-v4-pro"): (
        At(f"{DS}deepseek-v4-pro", "2026-05-31T15:59:00Z", listed=True),
        At(f"{DS}deepseek-v4-pro", "2026-05-31T15:59:00Z", before="-"),
    ),
    ("2026-05-27", "xiaomi", "mimo-v2.5-pro"): (At("xiaomi/global/mimo-v2.5-pro", "2026-05-27T00:00:00Z"),),
    ("2026-05-27", "xiaomi", "mimo-v2.5"): (At("xiaomi/global/mimo-v2.5", "2026-05-27T00:00:00Z"),),
    ("2026-05-29", "siliconflow", "deepseek-ai/DeepSeek-V4-Pro"): (
        At("siliconflow/china/deepseek-ai/DeepSeek-V4-Pro", "2026-05-29T00:00:00Z"),
    ),
    ("2026-06-01", "alibaba", "qwen3.7-plus"): (At("alibaba/global/qwen3.7-plus", "2026-06-01T00:00:00Z"),),
    ("2026-06-25", "minimax", "MiniMax-M3"): (At("minimax/global/MiniMax-M3", "2026-06-25T00:00:00Z"),),
    ("2026-06-28", "bytedance", "doubao-seed-2.1-pro"): (
        At("bytedance/china/doubao-seed-2.0-pro", "2026-06-28T00:00:00Z", before="doubao-seed-2.0-pro", after="-"),
        At("bytedance/china/doubao-seed-2.1-pro", "2026-06-28T00:00:00Z", before="-"),
    ),
    ("2026-07-16", "moonshot", "kimi-k3"): (
        At("moonshot/china/kimi-k2.6", "2026-07-16T00:00:00Z", before="kimi-k2.6", after="-"),
        At("moonshot/china/kimi-k3", "2026-07-16T00:00:00Z", before="-"),
    ),
    # midnight in Beijing
    ("2026-07-21", "tencent", "hy3"): (At("tencent/china/hy3", "2026-07-20T16:00:00Z"),),
    ("2026-08-04", "alibaba", "qwen3.8-max"): (
        At("alibaba/global/qwen3.7-max", "2026-08-04T14:21:35Z", before="qwen3.7-max", after="-"),
        At("alibaba/global/qwen3.8-max", "2026-08-04T14:21:35Z", before="-"),
    ),
    # the first peak hour begins at 01:00 UTC of the next day
    ("2026-08-16", "deepseek", "deepseek-v4-flash"): (
        At(f"{DS}deepseek-v4-flash", PEAK, after="off-peak"),
        At(f"{DS}deepseek-v4-flash", "2026-08-17T01:00:00Z", before="-", after="peak"),
    ),
    ("2026-08-16", "deepseek", "deepseek-v4-pro"): (
        At(f"{DS}deepseek-v4-pro", PEAK, after="off-peak"),
        At(f"{DS}deepseek-v4-pro", "2026-08-17T01:00:00Z", before="-", after="peak"),
    ),
    # busy from 08:00 in Beijing
    ("2026-08-16", "alibaba", "deepseek-v4-flash-0731 (resold)"): (
        At("alibaba/global/deepseek-v4-flash-0731", PEAK, after="-"),
        At("alibaba/global/deepseek-v4-flash-0731", "2026-08-17T00:00:00Z", before="-", after="busy"),
    ),
    # the new list was verified on the 11th
    ("2026-09", "alibaba", "qwen3.5-plus (China)"): (At(f"{ALI}qwen3.5-plus", "2026-09-11T00:00:00Z"),),
    ("2026-09", "alibaba", "qwen3.5-flash (China)"): (At(f"{ALI}qwen3.5-flash", "2026-09-11T00:00:00Z"),),
    ("2026-09", "alibaba", "qwen3-max (China)"): (At(f"{ALI}qwen3-max", "2026-09-11T00:00:00Z"),),
    # midnight in Beijing
    ("2026-09-09", "zhipu", "glm-5.3-flash"): (At(f"{ZHIPU}glm-5.3-flash", "2026-09-09T16:00:00Z"),),
    # noon in Beijing is the end of a peak stretch; "before" is the off-peak price of V4-Flash an hour earlier than that stretch
    ("2026-09-10", "deepseek", "deepseek-flash (V4.1)"): (
        At(f"{DS}deepseek-v4-flash", "2026-09-10T01:00:00Z", after="-"),
        At(f"{DS}deepseek-v4-flash", "2026-09-10T04:00:00Z", before="-"),
        At(f"{DS}deepseek-flash", "2026-09-10T04:00:00Z", before="-"),
    ),
    ("2026-10-19", "minimax", "MiniMax-M3.1-Flash"): (
        At("minimax/global/MiniMax-M3", "2026-10-19T00:00:00Z", before="MiniMax-M3", after="-"),
        At("minimax/global/MiniMax-M3.1-Flash", "2026-10-19T00:00:00Z", before="-"),
    ),
    ("2026-10-23", "moonshot", "kimi-k3.1-pro"): (
        At("moonshot/global/kimi-k3", "2026-10-23T00:00:00Z", before="kimi-k3", after="-"),
        At("moonshot/global/kimi-k3.1-pro", "2026-10-23T00:00:00Z", before="-"),
    ),
    ("2026-11-04", "tencent", "hy4"): (At("tencent/china/hy4", "2026-11-04T00:00:00Z"),),
}

NO_FIGURES = {
    ("2025-09-10", "tencent", "DeepSeek on Tencent Cloud"): "a night discount of unknown prices ended; the article prints another year",
    ("2026-07-01", "deepseek", "all V4 models"): "announced and never applied; kept as a withdrawn version, see the test below",
    ("2026-08-23", "deepseek", "all models"): "a change of the clock, not of a price; see the weekends of test_quotes",
    ("2026-09-11", "deepseek", "deepseek-v4-pro"): "a switch that was called off; kept as a withdrawn version, see the test below",
    ("2026-09-18", "deepseek", "all models"): "a change of the clock, not of a price; see the holidays of test_quotes",
}
"""Events without a figure that a price could be compared with, and why."""
