"""Tables and plans on disk (Zarr, xarray), published formats, synthetic economies."""

if __name__ != "ogas.datasets":  # a bare import would load every class twice
    raise ImportError("import ogas.datasets (after `pip install -e .`), not datasets")
