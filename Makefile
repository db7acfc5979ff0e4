# `make demo` and `make test` set up .venv on first use; nothing else is needed beforehand.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check test-all test-slow bench windows gif docs-images notebook clean

demo: .venv/.installed
	$(BIN)/python tools/demo.py

test: check

check: .venv/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q -n 2 --dist loadfile --max-worker-restart 0 -m "not slow"

# The core's tests on every Python from 3.10 to 3.13 that is found.
test-all: .venv/.installed
	$(BIN)/nox

# The published recipes, held to their figures: about 15 minutes on two cores.
test-slow: .venv/.installed
	$(BIN)/pytest -q -m slow --timeout 0

# Speed, memory and start-up on this machine, into docs/benchmarks.md: about 8 minutes.
bench: .venv/.installed
	$(BIN)/python benchmarks/run_all.py

# An OpenCV with windows, beside the one without, for the test that looks at a window on Xvfb.
windows: .venv/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --upgrade \
	  --target .venv/opencv-windows "opencv-python==$$($(BIN)/python -c \
	  'from importlib.metadata import version; print(version("opencv-python-headless"))')"

# The picture at the top of README, made by the command itself.
gif: .venv/.installed
	$(BIN)/python tools/make_scenes.py --out runs/recognition --count 0 --clips 3
	$(BIN)/edge-mnist webcam --source 'runs/recognition/*.avi' --no-window --width 400 \
	  --save docs/recognition.gif

# The pictures and outputs in docs/ that commands make.
docs-images: .venv/.installed
	$(BIN)/python tools/docs_images.py

# The notebook, run from top to bottom with its outputs put into it: 2 minutes.
notebook: .venv/.installed
	$(BIN)/python tools/run_notebook.py

.venv/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' || \
	  { echo "edge-mnist needs Python 3.10 to 3.13, found $$($(PYTHON) --version); use make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

clean:
	rm -rf .venv demo build dist .nox .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
