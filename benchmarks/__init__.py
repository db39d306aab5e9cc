"""Measurements that anyone can repeat: one module per question."""

if __name__ != "ogas.benchmarks":  # a bare import would load every class twice
    raise ImportError("import ogas.benchmarks (after `pip install -e .`), not benchmarks")
