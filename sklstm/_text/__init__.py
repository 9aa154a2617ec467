"""Texts as token ids: read, tokenized, encoded, counted as n-grams."""
