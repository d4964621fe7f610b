VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: demo test setup check clean

demo: $(STAMP)  ## run the made-up shop and print what each policy earned
	$(BIN)/endcap demo

test: check  ## every check and every test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2  # two workers of one thread each

setup: $(STAMP)  ## install everything into $(VENV)

check: $(STAMP)  ## formatting, lint, types, floors
	$(BIN)/ruff format --check endcap tests benchmarks
	$(BIN)/ruff check endcap tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Endcap needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
