"""Servers of other stacks than the agent's libraries, so that no library is tested against itself."""
