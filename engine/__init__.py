"""The economics and the method: tables, equations, iteration, certificate, plan (NumPy, SciPy)."""

if __name__ != "ogas.engine":  # a bare import would load every class twice
    raise ImportError("import ogas.engine (after `pip install -e .`), not engine")
