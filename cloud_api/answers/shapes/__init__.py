"""Shapes of the answers, one file a topic."""
