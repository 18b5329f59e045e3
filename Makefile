# One environment, .venv, created by the target that needs it. To use another python, or torch's
# small CPU build on Linux:
#   make test PYTHON=python3.12
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make test

PYTHON ?= python3
BIN := .venv/bin
PIP_INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL: # two installs into one environment would fight
.PHONY: help demo test test-slow lint types generate drift docs bench clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 12

# pip is the last thing that venv writes: where it stands, the environment is whole.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; v = sys.version.split()[0]; \
	  sys.exit(sys.version_info < (3, 11) and f"instep needs Python 3.11 or newer; $(PYTHON) is {v} (make PYTHON=...)")'
	$(PYTHON) -m venv .venv

# A stamp for each set of extras; pip runs again only when the metadata or a pin has changed.
.venv/.installed: EXTRAS =
.venv/.installed-test: EXTRAS = [test]
.venv/.installed-dev: EXTRAS = [dev]
.venv/.installed-docs: EXTRAS = [docs]
.venv/.installed .venv/.installed-test .venv/.installed-dev .venv/.installed-docs: \
    pyproject.toml constraints.txt | $(BIN)/pip
	@echo "installing instep$(EXTRAS) into .venv (the first time fetches torch)"
	@$(PIP_INSTALL) -e '.$(EXTRAS)'
	@touch $@

demo: .venv/.installed ## judge the optimizers of the installed torch
	$(BIN)/instep check torch.optim:SGD --spec sgd
	$(BIN)/instep check torch.optim:Adam --spec adam
	$(BIN)/instep check torch.optim:AdamW --spec adamw

test: .venv/.installed-test ## run the test suite
	$(BIN)/python -m pytest -n 2

test-slow: .venv/.installed-test ## run the tests that really install the package
	$(BIN)/python -m pytest -m slow

lint: .venv/.installed-dev ## ruff: rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.installed-dev ## mypy --strict
	$(BIN)/mypy

generate: .venv/.installed-dev ## write reference/ anew from spec/
	$(BIN)/python -m instep.reference.generate

drift: .venv/.installed-dev ## fail where reference/ is not what spec/ generates
	$(BIN)/python -m instep.reference.generate --check

docs: .venv/.installed-docs ## build the site into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict # the theme advertises its successor

bench: .venv/.installed-test ## print the figures under benchmarks/, one command each
	@for figure in benchmarks/[a-z]*.py; do \
	  echo "== $$figure"; $(BIN)/python "$$figure" || exit 1; done

clean: ## remove what was built and cached, but not .venv
	rm -rf build dist site htmlcov .coverage .coverage.* .hypothesis
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find spec reference conformance tests -name __pycache__ -type d -prune -exec rm -rf {} +
