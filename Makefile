# Needs python3 (3.11 or newer), make and git. Everything else goes into the virtual environment in .venv.

PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --quiet --disable-pip-version-check --no-input
ARGS ?=

.PHONY: demo test check bench pictures clean

demo: $(VENV)/.installed           ## the screen on a recorded run, replayed live
	$(VENV)/bin/flowmon demo $(ARGS)

test: $(VENV)/.installed-test      ## all tests; ARGS go to pytest
	$(VENV)/bin/python -m pytest -n auto $(ARGS)

check: $(VENV)/.installed-test     ## style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

bench: $(VENV)/.installed-test     ## all measures beside public tools; ARGS='--quick' for a look
	$(VENV)/bin/python -m tests.bench $(ARGS)

pictures: $(VENV)/.installed-test  ## the pictures of the README, made from the demo
	$(VENV)/bin/python docs/make_pictures.py

clean:                             ## all that is made here, the virtual environment too
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find flowmon tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps are newer than pyproject.toml once what it asks for is installed.
$(VENV)/.installed: pyproject.toml | $(VENV)/bin/pip
	@echo "Installing flowmon into $(VENV) ..."
	@$(PIP) install -e .
	@$(VENV)/bin/python -m compileall -q flowmon
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(VENV)/bin/pip
	@echo "Installing flowmon and its test tools into $(VENV) ..."
	@$(PIP) install -e '.[test]'
	@$(VENV)/bin/python -m compileall -q flowmon
	@touch $@ $(VENV)/.installed

# Debian keeps ensurepip, without which a virtual environment has no pip, in a package of its own.
$(VENV)/bin/pip:
	@command -v $(PYTHON) > /dev/null || { \
		echo "flowmon needs Python 3.11 or newer and finds no $(PYTHON); install it: apt-get install python3 python3-venv" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "flowmon needs Python 3.11 or newer, this is $$($(PYTHON) --version); name another: make PYTHON=python3.12" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
			echo "Python's venv module is missing here; installing it: apt-get install python3-venv"; \
			apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y python3-venv > /dev/null; \
		fi; \
		$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { \
			echo "Python's venv module is missing; install it and run make again: apt-get install python3-venv" >&2; \
			exit 1; }; }
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }
