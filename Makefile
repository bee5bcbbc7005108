# make demo   see what the action does, against the sandbox; SERVE=1 keeps its status page up
# make sandbox  the sandbox on port 8787, to try a workflow of your own
# make test   all tests (those in a container only where a Docker engine runs)
# make coverage   all tests, and which branches no test takes; takes twice as long
# make .venv-tools/installed   act and syft, which some of those tests need
# make .node-tools/installed   gitlab-ci-local, for the test of GitLab, which also needs rsync
# make test-image IMAGE=…  only the tests in a container, except GitLab's, with an existing image
# make test-gitlab IMAGE=…  only GitLab's test
# make check  lint, types, workflows, action.yml, Dockerfile, scripts
# make soak   all pairs of faults, then 300 steps at once, against a sandbox in trouble
# make pictures  draw the pictures of the README and the docs again; needs Chromium
# make owner NAME=…  replace the owner's placeholder with the account that publishes this repository
# make rehearse  rehearse a release, except for what only GitHub can do; needs a Docker engine
# make lock   update the lock files to the newest versions

PYTHON ?= python3
BIN := .venv/bin
DEMO := PYTHONPATH=src .venv-demo/bin/python -m
COMPILE := .venv-lock/bin/pip-compile --quiet --upgrade --generate-hashes --no-strip-extras \
           --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

.PHONY: demo test coverage test-image test-gitlab pulled check format sandbox soak pictures owner rehearse lock

demo: .venv-demo/installed
	@$(DEMO) onlineornot_sandbox.demo $(if $(filter 1,$(SERVE)),--serve)

test: .venv/installed
	$(BIN)/pytest -n 4 --dist worksteal

coverage: .venv/installed
	$(BIN)/pytest -n 4 --dist worksteal --cov --cov-report=term

# make test-image IMAGE=name@sha256:…
test-image: .venv/installed .venv-tools/installed pulled
	IMAGE="$(IMAGE)" REQUIRE_ENGINE=1 $(BIN)/pytest -n 2 --dist worksteal -m container -k 'not two_builds' \
	  --ignore tests/end_to_end/test_gitlab.py

test-gitlab: .venv/installed .node-tools/installed pulled
	IMAGE="$(IMAGE)" REQUIRE_ENGINE=1 $(BIN)/pytest -m container tests/end_to_end/test_gitlab.py

pulled:
	docker image inspect --format 'Testing {{.Id}}' "$(IMAGE)" || docker pull --quiet "$(IMAGE)"

check: .venv/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/actionlint -shellcheck $(BIN)/shellcheck .github/workflows/*.yml
	@# With `uses: ./`, actionlint checks the inputs and outputs of each example against action.yml.
	set -e; for example in examples/*.yml; do \
	  sed -E 's|uses: .*/onlineornot-incident-update@v1|uses: ./|; s|\./\.github/workflows/|./examples/|' "$$example" | $(BIN)/actionlint -stdin-filename "$$example" -; \
	done
	$(BIN)/zizmor --offline --quiet --persona auditor . examples/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml examples/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml composite/action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms \
	  $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	$(BIN)/hadolint Dockerfile
	$(BIN)/shellcheck .ci/run

format: .venv/installed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

sandbox: .venv-demo/installed
	@$(DEMO) onlineornot_sandbox --port 8787

soak: .venv/installed
	PYTHONPATH=src:tests $(BIN)/python tools/soak.py

pictures: .venv/installed
	PYTHONPATH=src:tests $(BIN)/python tools/pictures.py

rehearse: .venv/installed .venv-tools/installed
	PYTHONPATH=.:src:tests $(BIN)/python tools/rehearse.py

owner:
	$(PYTHON) tools/release.py owner '$(NAME)'

# PyJWT needs cryptography only to sign as a GitHub App, which nothing here does; it would be a fifth of the image.
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet pip-tools
	$(COMPILE) --extra comment --unsafe-package cryptography --output-file requirements.txt pyproject.toml
	$(COMPILE) --constraint requirements.txt --output-file requirements-core.txt pyproject.toml
	$(COMPILE) --extra comment --extra demo --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	$(COMPILE) --extra demo --constraint requirements-dev.txt --output-file requirements-demo.txt pyproject.toml
	$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["tools"], sep="\n")' \
	  | $(COMPILE) --output-file requirements-tools.txt -

# Separate, since act and syft are large and only the tests of the image and `make rehearse` need them.
.venv-tools/installed: requirements-tools.txt
	$(PYTHON) -m venv .venv-tools
	.venv-tools/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement requirements-tools.txt
	touch $@

.node-tools/installed:
	npm install --ignore-scripts --silent --no-audit --no-fund --no-package-lock --prefix .node-tools gitlab-ci-local@4.61.1
	touch $@

# Separate, since the demo and the sandbox need neither linters nor pytest.
.venv-demo/installed: requirements-demo.txt
	$(PYTHON) -m venv .venv-demo
	.venv-demo/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-demo.txt
	touch $@

.venv/installed: requirements-dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	touch $@
