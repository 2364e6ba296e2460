"""A simulated mill whose losses are known, because they were put in; it knows no interpretation."""
