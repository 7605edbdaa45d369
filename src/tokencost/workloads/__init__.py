"""Demand: request logs, workloads, comparisons."""
