"""Worked cost cases as plant directories and history files, with the figures that must come out."""
