"""An independent, slow, readable reading of the cost model, to judge the product's answers by.

It shares no code with the product. Exact fractions, one pass over raw samples, no stored state.
"""

from .result import Result, compute

__all__ = ["Result", "compute"]
