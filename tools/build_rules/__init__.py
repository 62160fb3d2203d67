"""Converts gathered facts about US duties into the files of the rule book."""
