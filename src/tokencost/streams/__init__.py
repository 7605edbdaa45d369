"""Streams: logs larger than memory, rated by batches and written in parts, alone or on many machines."""
