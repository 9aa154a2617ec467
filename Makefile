PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: install demo examples test fuzz kills lint bench docs test-oldest test-sktime test-ray test-matrix bench-peers bench-speed bench-workers types dist audit clean

# The stamp makes every command below work as the first one on a fresh clone.
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

# Twenty thousand cases of odd input; `make test` tries five hundred.
fuzz: install
	SKLSTM_FUZZ_CASES=20000 $(BIN)/python -m pytest -n 2 tests/test_fuzz.py

# Training killed fifty times at random moments; `make test` kills it once.
kills: install
	SKLSTM_KILLS=50 $(BIN)/python -m pytest tests/training/test_checkpoints.py -k killed

lint: install types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

# Archives that are the same bytes whoever builds them, tried where nothing else is.
dist:
	.ci/dist

audit: install
	$(BIN)/python .ci/licences.py
	.ci/audit

docs: install
	$(BIN)/python -m pip install --quiet --editable '.[docs,plot,save,scikeras]'
	$(BIN)/python -m sphinx -W --keep-going docs docs/_build/html

bench: install
	$(BIN)/python benchmarks/compile_cache.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/load.py
	$(BIN)/python benchmarks/out_of_memory.py
	$(BIN)/python benchmarks/out_of_memory_texts.py
	$(BIN)/python benchmarks/text_encoding.py
	$(BIN)/python benchmarks/accuracy.py
	$(BIN)/python benchmarks/ensembles.py
	$(BIN)/python benchmarks/window_lengths.py
	$(BIN)/python benchmarks/intervals.py
	$(BIN)/python benchmarks/covariates.py
	$(BIN)/python benchmarks/exogenous.py
	$(BIN)/python benchmarks/strategies.py
	$(BIN)/python benchmarks/many_series.py
	$(BIN)/python benchmarks/missing_values.py
	$(BIN)/python benchmarks/streaming.py
	$(BIN)/python benchmarks/text_accuracy.py

# torch of CPU builds alone: a plain torch draws gigabytes for GPUs.
.venv-peers/.installed:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet torch==2.13.0
	.venv-peers/bin/python -m pip install --quiet darts neuralforecast skforecast keras \
		tensorflow-cpu jax skorch scikeras
	touch $@

# What a user has: libraries of ours alone make pandas and scikit-learn load more.
.venv-plain/.installed:
	$(PYTHON) -m venv .venv-plain
	.venv-plain/bin/python -m pip install --quiet --editable '.[save]'
	touch $@

bench-peers: install .venv-peers/.installed
	PEERS=.venv-peers/bin/python $(BIN)/python benchmarks/peers.py

# Nothing else may run meanwhile.
bench-speed: install .venv-peers/.installed .venv-plain/.installed
	for question in step epoch search forecast predict; do \
		PEERS=.venv-peers/bin/python $(BIN)/python benchmarks/speed_$$question.py || exit 1; \
	done
	.venv-plain/bin/python benchmarks/startup.py
	$(BIN)/python benchmarks/scaling.py

# The floors that pyproject.toml names, in an environment of their own.
test-oldest:
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet --requirement .ci/oldest.txt matplotlib pytest==8.4.2
	.venv-oldest/bin/python -m pip install --quiet --no-deps --editable .
	.venv-oldest/bin/python -m pytest tests

# sktime pins a pandas older than the current one, so it has an environment of its own.
test-sktime:
	$(PYTHON) -m venv .venv-sktime
	.venv-sktime/bin/python -m pip install --quiet --editable '.[dev,sktime]'
	.venv-sktime/bin/python -m pytest tests/test_sktime.py sklstm/sktime.py

# Ray is large, and its processes are slow to start.
test-ray:
	$(PYTHON) -m venv .venv-ray
	.venv-ray/bin/python -m pip install --quiet --editable '.[dev,ray]'
	.venv-ray/bin/python -m pytest tests/test_ray.py

# Of an otherwise quiet machine: bytes are those of its loopback device.
bench-workers:
	$(PYTHON) -m venv .venv-ray
	.venv-ray/bin/python -m pip install --quiet --editable '.[dev,ray]'
	.venv-ray/bin/python benchmarks/workers.py --write loky dask ray

# Versions of scikit-learn and pandas, and backends of Keras, each in its own environment;
# `make test-matrix CELLS="torch tensorflow"` for some of them.
test-matrix:
	$(PYTHON) .ci/matrix.py --write $(CELLS)

clean:
	rm -rf .venv .venv-peers .venv-plain .venv-oldest .venv-sktime .venv-ray .venv-matrix .venv-audit build dist demo_output
