PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: install demo examples test fuzz kills lint bench docs test-oldest test-sktime test-native test-sanitized test-ray test-matrix bench-peers bench-speed bench-startup bench-workers types dist audit clean

# Every target below depends on this stamp, so each works first on a fresh clone.
$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

install: $(VENV)/.installed

demo: install
	$(BIN)/python examples/demo.py

examples: install
	$(BIN)/python -m pytest tests/test_examples.py

test: install
	$(BIN)/python -m pytest -n 2 --dist worksteal

# The loops in C++, built in an environment of their own.
test-native:
	$(PYTHON) -m venv .venv-native
	SKLSTM_NATIVE=1 .venv-native/bin/python -m pip install --quiet --editable '.[dev]'
	.venv-native/bin/python -m pytest -n 2 tests/layers tests/networks

# The same library, built with the address and undefined-behaviour sanitizers.
test-sanitized: install
	PYTHON=$(BIN)/python .ci/sanitized

# Twenty thousand cases of odd input; `make test` runs five hundred.
fuzz: install
	SKLSTM_FUZZ_CASES=20000 $(BIN)/python -m pytest -n 2 tests/test_fuzz.py

# Kill training fifty times at random moments; `make test` kills it once.
kills: install
	SKLSTM_KILLS=50 $(BIN)/python -m pytest tests/training/test_checkpoints.py -k killed

lint: install types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

# Build reproducible archives, and test them in fresh environments.
dist:
	.ci/dist

audit: install
	$(BIN)/python .ci/licences.py
	.ci/audit

# An environment of its own, so that tests run without what only the documentation needs.
.venv-docs/.installed: pyproject.toml
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet --upgrade pip
	.venv-docs/bin/python -m pip install --quiet --editable '.[docs]'
	touch $@

docs: .venv-docs/.installed
	.venv-docs/bin/python -m sphinx -W --keep-going docs docs/_build/html

bench: install
	$(BIN)/python benchmarks/compile_cache.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/load.py
	$(BIN)/python benchmarks/out_of_memory.py
	$(BIN)/python benchmarks/out_of_memory_texts.py
	$(BIN)/python benchmarks/text_encoding.py
	$(BIN)/python benchmarks/accuracy.py
	$(BIN)/python benchmarks/series_contest.py
	$(BIN)/python benchmarks/ensembles.py
	$(BIN)/python benchmarks/window_lengths.py
	$(BIN)/python benchmarks/intervals.py
	$(BIN)/python benchmarks/covariates.py
	$(BIN)/python benchmarks/exogenous.py
	$(BIN)/python benchmarks/strategies.py
	$(BIN)/python benchmarks/many_series.py
	$(BIN)/python benchmarks/missing_values.py
	$(BIN)/python benchmarks/streaming.py
	$(BIN)/python benchmarks/wide_frames.py
	$(BIN)/python benchmarks/text_accuracy.py

# The pinned torch is a CPU build, because other builds download gigabytes for GPUs.
.venv-peers/.installed:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet torch==2.13.0
	.venv-peers/bin/python -m pip install --quiet darts neuralforecast skforecast keras \
		tensorflow-cpu jax skorch scikeras
	touch $@

# The environment of a user: development packages make pandas and scikit-learn import more.
.venv-plain/.installed:
	$(PYTHON) -m venv .venv-plain
	.venv-plain/bin/python -m pip install --quiet --editable .
	touch $@

bench-peers: install .venv-peers/.installed
	PEERS=.venv-peers/bin/python $(BIN)/python benchmarks/peers.py

# Run on an otherwise quiet machine, because everything here is timed. It takes a quarter
# of an hour, with the library of recurrent loops and without.
bench-speed: install .venv-peers/.installed
	SKLSTM_NATIVE=1 $(BIN)/python -m pip install --quiet --no-deps --editable .
	for question in step epoch search forecast predict; do \
		PEERS=.venv-peers/bin/python $(BIN)/python benchmarks/speed_$$question.py || exit 1; \
	done

bench-startup: install .venv-plain/.installed
	.venv-plain/bin/python benchmarks/startup.py
	$(BIN)/python benchmarks/scaling.py

# The oldest versions that pyproject.toml allows, in their own environment.
test-oldest:
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet --requirement .ci/oldest.txt matplotlib pytest==8.4.2
	.venv-oldest/bin/python -m pip install --quiet --no-deps --editable .
	.venv-oldest/bin/python -m pytest tests

# sktime pins an older pandas, so it has its own environment.
test-sktime:
	$(PYTHON) -m venv .venv-sktime
	.venv-sktime/bin/python -m pip install --quiet --editable '.[dev,sktime]'
	.venv-sktime/bin/python -m pytest tests/test_sktime.py sklstm/sktime.py

# Not part of `make test`, because Ray is large and its processes start slowly.
test-ray:
	$(PYTHON) -m venv .venv-ray
	.venv-ray/bin/python -m pip install --quiet --editable '.[dev,ray]'
	.venv-ray/bin/python -m pytest tests/test_ray.py

# Run on an otherwise quiet machine, because bytes are counted on its loopback device.
bench-workers:
	$(PYTHON) -m venv .venv-ray
	.venv-ray/bin/python -m pip install --quiet --editable '.[dev,ray]'
	.venv-ray/bin/python benchmarks/workers.py --write loky dask ray

# Versions of scikit-learn and pandas, and Keras backends, each in its own environment;
# `make test-matrix CELLS="torch tensorflow"` selects some of them.
test-matrix:
	$(PYTHON) .ci/matrix.py --write $(CELLS)

clean:
	rm -rf .venv .venv-docs .venv-peers .venv-plain .venv-oldest .venv-sktime .venv-native .venv-ray .venv-matrix .venv-audit build dist demo_output docs/_build docs/auto_examples
