"""Loops over raw arrays (Numba), each with a slow twin in ``reference.py``."""

if __name__ != "ogas.kernels":  # a bare import would load every class twice
    raise ImportError("import ogas.kernels (after `pip install -e .`), not kernels")
