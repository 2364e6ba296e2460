"""Benchmarks: each module is a program that prints a table with ratios against the obvious limit."""
