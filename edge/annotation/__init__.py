"""Annotation of recordings: a table a recording, and tiers for the tools in which people look at films."""
