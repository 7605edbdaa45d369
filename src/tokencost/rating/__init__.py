"""From usage to money: usage, cards, timelines, quotes, layers, books."""
