"""Displays: figures for eyes."""
