"""Blocks on Dask workers: who holds which, what they tell each other, what happens if they die."""
