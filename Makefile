# What a newcomer needs is `make plan` and `make test`; they want Python 3.11 to 3.13 and nothing else.

OGAS = .venv/bin/ogas
PYTHON = python3.13 python3.12 python3.11 python3

# pip would compile all of every package, which takes as long as the rest of the installation;
# instead Python compiles what is used when it is first used, and must be let to keep it.
unexport PYTHONDONTWRITEBYTECODE
pip = .venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check -c constraints.txt

.PHONY: help plan test lint format docs lock clean
.NOTPARALLEL: # one installation at a time

help:
	@echo "make plan    install into .venv, plan the bundled economy, and write a report about it"
	@echo "make test    install what the tests need and run them"
	@echo "make lint    style, types and floors"
	@echo "make format  mend what ruff can mend"
	@echo "make docs    write docs/reference.md again, from the commands and the docstrings"
	@echo "make lock    choose the newest versions again (constraints.txt)"
	@echo "make clean   delete .venv and the caches"
	@echo "Another Python: make plan PYTHON=/path/to/python"

plan: .venv/.installed-plan
	@$(OGAS) plan us-2021 -o "$(CURDIR)/us-2021-plan.zarr"
	@$(OGAS) report "$(CURDIR)/us-2021-plan.zarr" -o "$(CURDIR)/us-2021-plan.html"
	@echo "more of it: $(OGAS) show us-2021-plan.zarr --top 71"

test: .venv/.installed-test
	@.venv/bin/pytest -n auto --dist loadfile --no-loadscope-reorder

lint: .venv/.installed-lint
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

format: .venv/.installed-lint
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

docs: .venv/.installed-plan
	@.venv/bin/python docs/generate.py

# One version of a package for every Python, so that every installation computes the same figures.
lock: .venv/.installed-plan
	@.venv/bin/python -m pip install -qq --upgrade --disable-pip-version-check uv
	@.venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras \
	    --fork-strategy fewest --no-annotate --custom-compile-command "make lock" \
	    --output-file constraints.txt pyproject.toml

clean:
	rm -rf .venv build dist *.egg-info .*_cache .hypothesis
	find engine kernels cluster datasets benchmarks tests -name __pycache__ -prune -exec rm -rf {} +

# ---- Installing --------------------------------------------------------------------------------
# .venv/.installed-X says that the extra X is in .venv (`plan` stands for no extra). The stamp of
# `plan` is deleted before pip starts and written last: where it is missing, an installation was
# interrupted, and .venv is made afresh. The same where .venv was moved or its Python is gone:
$(shell test -x .venv/bin/python && grep -qF '$(CURDIR)/.venv' .venv/pyvenv.cfg \
    || rm -f .venv/.installed-*)

# setuptools comes first and from the constraints, hence no isolated (and unpinned) build.
.venv/.installed-%: pyproject.toml constraints.txt
	@echo "Installing into .venv, for $* (once, up to a minute)"
	@test -e .venv/.installed-plan || { $(make_venv); }
	@rm -f .venv/.installed-plan $@
	@$(pip) setuptools
	@$(pip) --no-build-isolation --editable '.$(if $(filter-out plan,$*),[$*])'
	@touch .venv/.installed-plan $@

# A `python3.x` that is found may still not run (pyenv's shims) or lack venv (Debian): try each.
usable = import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
define make_venv
for python in $(PYTHON); do \
    if "$$python" -c '$(usable)' >/dev/null 2>&1; then \
        "$$python" -m venv --clear .venv; exit; \
    fi; \
done; \
echo "Python 3.11, 3.12 or 3.13 with its venv module is needed; none of these is one: $(PYTHON)." \
    "Install one (Debian: python3-venv) or name it: make PYTHON=/path/to/python" >&2; \
exit 1
endef
