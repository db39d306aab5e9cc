"""Where plans are computed, and the command line that asks for them."""

if __name__ != "ogas.cluster":  # a bare import would load every class twice
    raise ImportError("import ogas.cluster (after `pip install -e .`), not cluster")
