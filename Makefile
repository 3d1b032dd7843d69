# Every target installs what it needs into this checkout (.venv, .venvs) and nowhere else.

# The first Python that runs and is new enough; choose another by: make PYTHON=/path/to/python
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	$$name -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$name && break; done)
BIN := .venv/bin
INSTALLED := .venv/.installed
SAM := .venvs/sam/bin/sam
# The section of samconfig.toml that is deployed, and the stack that it names.
CONFIG ?= default
STACK ?= imagemill$(if $(filter-out default,$(CONFIG)),-$(CONFIG))
AWS := .venvs/aws/bin/aws
SCAN := .venvs/scan/bin/checkov
AUDIT := .venvs/audit/bin/pip-audit
PRE_COMMIT := .venvs/pre-commit/bin/pre-commit
READERS := $(addprefix .venvs/,$(addsuffix /.installed,webdataset tensorflow huggingface croissant))
REQUIREMENTS := requirements/tool.txt requirements/dev.txt functions/requirements.txt \
	batch_worker/requirements.txt batch_worker/requirements-model.txt
# A process for each processor; what shares an engine stays together (tests/conftest.py).
IN_PARALLEL := -n auto --maxprocesses 4 --dist loadgroup --no-loadscope-reorder
# $(call pip_install,VENV,ARGUMENTS): what pip says is shown only if it fails.
pip_install = $(1)/bin/python -m pip install --quiet --disable-pip-version-check $(2) >$(1)/pip.log 2>&1 \
	|| { cat $(1)/pip.log >&2; exit 1; }

# An environment whose Python is gone, or that was never finished, is made anew.
STALE := $(shell $(BIN)/python -c '' 2>/dev/null || rm -f $(INSTALLED))

CHECKS := check-lint check-format check-types check-template check-statemachine check-spelling \
	check-security

.DEFAULT_GOAL := help
.PHONY: help install demo deploy worker-image model-image test coverage check $(CHECKS) check-deploy \
	check-readers check-rights check-audit rights format docs bench hooks clean

help: ## Show this list
	@awk -F ':.*## ' '/^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-19s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Use
install: $(INSTALLED) ## Make .venv with .venv/bin/imagemill

demo: $(INSTALLED) ## Take 208 real pictures through the whole pipeline; results in demo-out/
	@$(BIN)/python -m demo

##@ On AWS, with your credentials; docs/deploy.md says more
deploy: $(INSTALLED) $(SAM) ## Build and deploy the stack, then do worker-image; CONFIG=prod for that
	@$(SAM) build
	@$(SAM) deploy --config-env $(CONFIG)
	@$(MAKE) --no-print-directory worker-image

worker-image: $(INSTALLED) ## Build the image of the jobs with Docker, push it, tell the stack
	@$(BIN)/python batch_worker/push_image.py $(STACK)

model-image: $(INSTALLED) ## Do the same with the image of the jobs that run neural networks
	@$(BIN)/python batch_worker/push_image.py $(STACK) model

##@ Before a change is taken
test: $(INSTALLED) ## Run the tests
	@$(BIN)/python -m pytest $(IN_PARALLEL)

coverage: $(INSTALLED) ## Show which branches the unit tests leave out, in jobs as well
	@$(BIN)/python -m pytest $(IN_PARALLEL) --cov --cov-report term:skip-covered tests/unit

check: $(CHECKS) ## Run all checks of this group that follow

check-lint: $(INSTALLED) ## Find mistakes in the code and its docstrings (ruff)
	@$(BIN)/ruff check .

check-format: $(INSTALLED) ## Compare the code with its formatted form (ruff)
	@$(BIN)/ruff format --check .

check-types: $(INSTALLED) ## Check the types (mypy)
	@$(BIN)/mypy

check-template: $(INSTALLED) ## Check template.yaml (cfn-lint)
	@$(BIN)/cfn-lint template.yaml

check-statemachine: $(INSTALLED) ## Check the state machine: schema, graph, expressions
	@$(BIN)/python -m pytest tests/integration/test_statemachine.py

check-spelling: $(INSTALLED) ## Find misspelled words (codespell)
	@$(BIN)/codespell

check-security: $(INSTALLED) $(SCAN) ## Scan the translated template (checkov, in .venvs/scan)
	@mkdir -p build
	@$(BIN)/python -m tests.helpers.translated build/translated.json
	@$(SCAN) --config-file .checkov.yaml --file build/translated.json

##@ With tools of their own, installed into .venvs/
check-deploy: $(INSTALLED) $(SAM) $(AWS) ## Deploy, update and delete with the real SAM and AWS CLIs
	@$(BIN)/python -m pytest -m deploy tests/deploy

check-readers: $(INSTALLED) $(READERS) ## Read datasets with webdataset, TensorFlow, Hugging Face
	@$(BIN)/python -m pytest -m readers tests/readers

check-rights: $(INSTALLED) ## Take each right away, see the pipeline break (ten minutes or more)
	@$(BIN)/python -m pytest -m rights tests/rights

check-audit: $(AUDIT) ## Look up known holes in the pinned packages (pip-audit; asks PyPI)
	@$(AUDIT) --strict --no-deps --disable-pip -r functions/requirements.txt \
		-r batch_worker/requirements.txt -r batch_worker/requirements-model.txt \
		-r requirements/constraints.txt

hooks: $(PRE_COMMIT) ## Run the checks before each commit (pre-commit)
	@$(PRE_COMMIT) install

##@ Work on it
docs: $(INSTALLED) ## Write docs/cli.md anew from the help texts
	@$(BIN)/python -m tests.helpers.cli_page

format: $(INSTALLED) ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

rights: $(INSTALLED) ## Write the table of docs/rights.md, which takes as long as check-rights
	@$(BIN)/python -m tests.helpers.rights_table

bench: $(INSTALLED) ## Run the short benchmarks in 5 minutes; benchmarks/README.md has the results of all
	@$(BIN)/python -m benchmarks

clean: ## Remove everything that was made here
	rm -rf .venv .venvs .aws-sam build demo-out .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
	rm -rf *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): $(REQUIREMENTS) requirements/constraints.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "imagemill needs Python 3.11 or newer with venv:" \
		"install it, or name one by: make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "installing into .venv (a few minutes)"
	@$(PYTHON) -m venv --clear .venv
	@$(call pip_install,.venv,-c requirements/constraints.txt $(addprefix -r ,$(REQUIREMENTS)))
	@$(call pip_install,.venv,--no-deps --no-build-isolation -e .)
	@touch $@

$(SAM): requirements/sam.txt
	@$(PYTHON) -m venv --clear .venvs/sam
	@$(call pip_install,.venvs/sam,-r $<)
	@touch $@

$(AWS): requirements/aws.txt
	@$(PYTHON) -m venv --clear .venvs/aws
	@$(call pip_install,.venvs/aws,-r $<)
	@touch $@

$(SCAN): requirements/scan.txt
	@echo "installing into .venvs/scan"
	@$(PYTHON) -m venv --clear .venvs/scan
	@$(call pip_install,.venvs/scan,-r $<)
	@touch $@

$(AUDIT): requirements/audit.txt
	@$(PYTHON) -m venv --clear .venvs/audit
	@$(call pip_install,.venvs/audit,-r $<)
	@touch $@

$(PRE_COMMIT): requirements/pre-commit.txt
	@$(PYTHON) -m venv --clear .venvs/pre-commit
	@$(call pip_install,.venvs/pre-commit,-r $<)
	@touch $@

$(READERS): .venvs/%/.installed: requirements/readers-%.txt
	@echo "installing into .venvs/$*"
	@$(PYTHON) -m venv --clear .venvs/$*
	@$(call pip_install,.venvs/$*,-r $<)
	@touch $@
