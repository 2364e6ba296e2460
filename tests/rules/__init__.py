"""Rules of the house that no linter knows; run by ``make lint``."""
