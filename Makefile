# Everything a contributor runs. `make help` lists it.
#
# Each module is a folder with a go.mod. Modules are built and tested with GOWORK=off, so with the
# versions that their users get: a workspace raises every member to the highest version any member
# requires. Lint and coverage look at all of them together, through go.work.

SHELL         := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS     += --no-print-directory

MODULE_PREFIX := github.com/jackfield-go/jackfield
ALL_MODULES   := $(sort $(patsubst %/go.mod,%,$(filter-out node_modules/%,$(wildcard */go.mod */*/go.mod))))
# make MODULE=core test: only that one, in the targets that go through the modules.
MODULES       := $(or $(MODULE),$(ALL_MODULES))
# The pinned tools stay out of the workspace: their requirements would raise everybody's.
WORKSPACE     := $(filter-out tools,$(MODULES))
WORKSPACE_PACKAGES = $(WORKSPACE:%=./%/...)
PLATFORMS     := linux darwin windows
# The libraries among the modules that a release publishes. Those that require modules of others have the
# comments that check-floors asks for. A template is where a new application begins, with new versions, and
# programs are in nobody's build.
LIBRARIES     := $(patsubst $(MODULE_PREFIX)/%,%,$(filter-out %/sdk-template %/scaffold %/protoc-gen-go-jackfield,$(shell sed -n 's/^      - //p' versions.yaml)))
FLOORED        = $(patsubst %/go.mod,%,$(shell grep -l '// v[0-9]' $(LIBRARIES:%=%/go.mod)))

# What the plugin in Node needs. Without npm its tests say that they did not run.
NODE_LIBRARIES := $(if $(filter examples conformance,$(MODULES)),examples/node/node_modules/.package-lock.json)

# What the test of docs/proto.md runs, where there is a protoc: its first build takes minutes, which the
# other tests then do not share with it.
PROTO_TOOLS := $(if $(filter examples,$(MODULES)),$(if $(shell command -v protoc),bin/buf bin/protoc-gen-go bin/protoc-gen-go-grpc))

# What the test of docs/debugging.md runs.
DEBUGGER := $(if $(filter examples,$(MODULES)),bin/dlv)

# Settings, all of which may be given on the command line: make fuzz FUZZTIME=1m
TESTFLAGS ?=
BENCH     ?= .
BENCHTIME ?= 1s
COUNT     ?= 6
FUZZTIME  ?= 10s

##@ To begin with

.PHONY: help
help: ## list these targets
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@printf '\n%s\n%s\n%s\n' 'Settings' \
		'  MODULE=core             look at one module, or several: make MODULE="core broker" test' \
		'  TESTFLAGS=-run=TestLine hand flags to go test'

.PHONY: demo
demo: bin/demo ## build the examples' plugins and run every host against them, and the template's
	@bin/demo examples
	@$(MAKE) -C sdk-template demo

.PHONY: test
test: bin/runtests $(NODE_LIBRARIES) $(PROTO_TOOLS) $(DEBUGGER) ## run all tests of all modules, under the race detector where there is one
	@bin/runtests $(addprefix -flag=,$(TESTFLAGS)) $(MODULES)

# `make test` has the lowest versions that published modules work with. Examples and conformance require
# the newest, so every member of the workspace gets those.
.PHONY: test-newest
test-newest: bin/runtests ## repeat the tests of published modules at the newest versions of their requirements
	@bin/runtests -workspace $(addprefix -flag=,$(TESTFLAGS)) $(filter $(MODULES),$(FLOORED))

.PHONY: check
check: check-format check-workspace check-hygiene check-tidy check-floors check-proto check-generated check-build check-vet check-weight check-template lint ## everything that CI asks beside the tests

##@ Parts of check

.PHONY: check-format
check-format: ## all Go code is as gofmt writes it
	@files=$$(gofmt -l .); test -z "$$files" || { echo "not gofmt'd:"; echo "$$files"; exit 1; }

.PHONY: check-workspace
check-workspace: ## go.work lists every module but tools, and each folder has its licence
	@mkdir -p bin
	@printf '$(MODULE_PREFIX)/%s\n' $(filter-out tools,$(ALL_MODULES)) | sort >bin/workspace.want
	@go list -m | sort >bin/workspace.have
	@diff bin/workspace.want bin/workspace.have || { echo 'go.work and the folders differ (< folders, > go.work)'; exit 1; }
	@for m in $(ALL_MODULES); do cmp LICENSE $$m/LICENSE || exit 1; done
	go vet $(WORKSPACE_PACKAGES)

# Paths of somebody's machine, conflict markers: what never belongs into a commit.
.PHONY: check-hygiene
check-hygiene: ## no machine's paths and no conflict markers in any file
	@! git grep --untracked -nIE '(^|[^[:alnum:]_./$$}~-])/(home|root|Users|work)/[[:alnum:]]' -- . ':!*.sum' || { echo 'absolute paths of a machine'; exit 1; }
	@! git grep --untracked -nIE '^(<<<<<<<|>>>>>>>) ' || { echo 'conflict markers'; exit 1; }

.PHONY: check-tidy
check-tidy: $(MODULES:%=check-tidy/%) ## go.mod and go.sum are as go mod tidy writes them
check-tidy/%:
	cd $* && GOWORK=off go mod tidy -diff

.PHONY: check-floors
check-floors: bin/floors ## libraries require the lowest versions that work, and say why
	@bin/floors $(LIBRARIES)

# proto/released.binpb is what the last release promised; `make proto-released` moves it on at a release.
.PHONY: check-proto
check-proto: bin/buf ## the .proto files: lint, format, and nothing broken since the last release
	bin/buf lint
	bin/buf format --diff --exit-code
	bin/buf breaking proto --against proto/released.binpb

# Generates into the tree, and fails if that changed a file: then the change is to be committed.
.PHONY: check-generated
check-generated: ## generated code is what its generator makes today
	@mkdir -p bin
	@git ls-files -coz --exclude-standard -- . ':!bin' | xargs -0 cksum >bin/generated.before 2>/dev/null || :
	@$(MAKE) generate
	@git ls-files -coz --exclude-standard -- . ':!bin' | xargs -0 cksum >bin/generated.after 2>/dev/null || :
	@diff bin/generated.before bin/generated.after || { echo 'generated code was not current: commit what changed'; exit 1; }

.PHONY: check-build
check-build: $(MODULES:%=check-build/%) ## each module and its tests build alone, without go.work
check-build/%:
	cd $* && GOWORK=off go build ./... && GOWORK=off go test -c -o /dev/null ./... >/dev/null

.PHONY: check-vet
check-vet: $(foreach p,$(PLATFORMS),$(WORKSPACE:%=check-vet/$(p)/%)) ## go vet for each platform
check-vet/%:
	cd $(patsubst $(firstword $(subst /, ,$*))/%,%,$*) && GOWORK=off CGO_ENABLED=0 GOOS=$(firstword $(subst /, ,$*)) go vet ./...

.PHONY: check-weight
check-weight: bin/weight ## what a net/rpc-only host and plugin link and require
	@bin/weight .

# Who starts from it owns every line that no tool wrote. Blank lines do not count.
TEMPLATE_LINES := 1500
.PHONY: check-template
check-template: ## how much sdk-template makes people own
	@lines=$$(git ls-files -z --cached --others --exclude-standard sdk-template ':!*.pb.go' ':!*.binpb' ':!*.mod' ':!*.sum' ':!*LICENSE' ':!sdk-template/scaffold' | \
		xargs -0 cat | grep -c '[^[:space:]]'); echo "sdk-template: $$lines lines"; test $$lines -le $(TEMPLATE_LINES)

.PHONY: lint
lint: bin/golangci-lint ## golangci-lint for each platform, module arrows included
	for os in $(PLATFORMS); do CGO_ENABLED=0 GOOS=$$os bin/golangci-lint run $(WORKSPACE_PACKAGES) || exit; done
	cd tools && GOWORK=off ../bin/golangci-lint run ./...

##@ While working

.PHONY: fmt
fmt: bin/golangci-lint ## format all Go code, imports included
	bin/golangci-lint fmt $(WORKSPACE_PACKAGES)
	cd tools && GOWORK=off ../bin/golangci-lint fmt ./...

.PHONY: generate
generate: generate-proto $(MODULES:%=generate/%) ## make all generated code again: that of the .proto files, and the go:generate lines
generate/%: bin/buf
	@cd $* && GOWORK=off go generate ./...

# All proto modules at once. The descriptors are those that package pluginpb embeds, that the template's
# plugin in Python reads, and that the generator's tests read.
.PHONY: generate-proto
generate-proto: bin/buf bin/protoc-gen-go bin/protoc-gen-go-grpc bin/protoc-gen-go-private bin/protoc-gen-go-jackfield
	@bin/buf generate
	@bin/buf generate --template buf.gen.jackfield.yaml
	@bin/buf build proto --path proto/plugin --exclude-imports --exclude-source-info --as-file-descriptor-set -o proto/pluginpb/plugin.binpb
	@bin/buf build sdk-template/proto --exclude-source-info --as-file-descriptor-set -o sdk-template/plugins/python/notely.binpb
	@bin/buf build protoc-gen-go-jackfield/testdata/protos --as-file-descriptor-set -o protoc-gen-go-jackfield/testdata/protos.binpb

.PHONY: tidy
tidy: $(MODULES:%=tidy/%) ## go mod tidy in every module
tidy/%:
	cd $* && GOWORK=off go mod tidy

.PHONY: fuzz
fuzz: bin/fuzz ## run each fuzz target for FUZZTIME (10s)
	@bin/fuzz -fuzztime $(FUZZTIME) $(MODULES)

# `make test` runs short forms of the same tests.
SOAK      ?= 500
SOAKTIME  ?= 10m
.PHONY: soak
soak: ## kill supervised plugins for SOAKTIME (10m), hosts in each way SOAK (500) times, launch 2,000, and inject every fault
	cd core && GOWORK=off go test -count $(SOAK) -timeout 0 -run '^TestPluginLeavesInOrderWhenItsHostDies$$' ./host
	cd conformance && JACKFIELD_SOAK=$(SOAKTIME) GOWORK=off go test -count 1 -timeout 0 -v $(TESTFLAGS) ./soak ./faultinjection

.PHONY: bench
bench: bin/benchstat ## run the benchmarks (BENCH, COUNT, BENCHTIME) and sum them up
	@: >bin/bench.txt
	@for m in $(MODULES); do \
		(cd $$m && GOWORK=off go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(BENCHTIME) -count $(COUNT) ./...) >bin/bench.one 2>&1 || \
			{ cat bin/bench.one; exit 1; }; \
		grep -vE '^(PASS|ok|\?)' bin/bench.one | tee -a bin/bench.txt; \
	done
	bin/benchstat bin/bench.txt

.PHONY: figures
figures: ## measure against hashicorp/go-plugin, in turns: for docs/figures.md
	cd conformance && GOWORK=off go run ./figures
	cd conformance && GOWORK=off go test -count 1 -run TestLogFigures -v ./logs

# Hugo is pinned here and not in tools/go.mod, where its requirements would raise those of other tools.
# The first build takes some minutes.
HUGO := github.com/gohugoio/hugo@v0.152.2
.PHONY: site
site: ## make a website of docs in bin/site
	GOWORK=off go run $(HUGO) --config docs/site/hugo.toml --noBuildLock --quiet

.PHONY: cover
cover: ## coverage of all modules by all tests, in bin/cover.html
	@mkdir -p bin
	go test -coverpkg=$(MODULE_PREFIX)/... -coverprofile=bin/cover.out $(WORKSPACE_PACKAGES)
	go tool cover -html=bin/cover.out -o bin/cover.html
	go tool cover -func=bin/cover.out | tail -n 1

##@ At a release

.PHONY: release
release: bin/release-tool bin/apidiff bin/buf bin/cyclonedx-gomod ## make VERSION in bin/release, with its commit and tags; DRY_RUN=1 for bin/release alone
	@bin/release-tool $(if $(VERSION),-version $(VERSION)) $(if $(DRY_RUN),-dry-run)

.PHONY: release-verify
release-verify: bin/release-tool ## compare what the module proxy serves with bin/release/sums.txt
	@bin/release-tool -verify

# Both forms are for authors in other languages: docs/proto.md. The test of that page gives a folder and
# a buf of its own, and so writes nothing into the tree.
PROTO_IMAGE ?= bin/proto
BUF         := bin/buf
.PHONY: proto-image
proto-image: $(BUF) ## the .proto files as a release carries them: an image, and the sources with their licence
	@rm -rf "$(PROTO_IMAGE)"/jackfield-proto* && mkdir -p "$(PROTO_IMAGE)/jackfield-proto"
	$(BUF) build proto -o "$(PROTO_IMAGE)/jackfield-proto.binpb"
	$(BUF) export proto --all -o "$(PROTO_IMAGE)/jackfield-proto"
	tar -C "$(PROTO_IMAGE)" -czf "$(PROTO_IMAGE)/jackfield-proto.tar.gz" jackfield-proto

.PHONY: proto-released
proto-released: bin/buf ## what check-proto compares with: run it for the commit that is released
	bin/buf build proto --exclude-source-info -o proto/released.binpb

##@ Otherwise

# MODULE is a path here, and no folder. It changes the work tree, and commits nothing.
.PHONY: module-path
module-path: bin/modulepath ## move the repository to another module path: MODULE=example.org/acme/panel
	@bin/modulepath -buf '$(BUF_MODULE)' '$(MODULE)'

# `make test` does this with the tests of the modules where a path could matter.
.PHONY: test-module-path
test-module-path: ## move a copy of the repository, and run make check test there
	cd tools && GOWORK=off go test -count=1 -timeout=2h -v -run=TestMovedRepository ./modulepath -everything

.PHONY: clean
clean: ## remove what make built
	rm -rf bin

examples/node/node_modules/.package-lock.json: examples/node/package-lock.json
	@! command -v npm >/dev/null || npm ci --no-progress --no-fund --no-audit --prefix examples/node

# The programs of tools/, and the tools that its go.mod pins. Go's build cache decides whether there is
# anything to do. The first golangci-lint and the first buf take some minutes each.
.PHONY: FORCE
bin/apidiff:            PACKAGE = golang.org/x/exp/cmd/apidiff
bin/cyclonedx-gomod:    PACKAGE = github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
bin/release-tool:       PACKAGE = ./release
bin/golangci-lint:      PACKAGE = github.com/golangci/golangci-lint/v2/cmd/golangci-lint
bin/benchstat:          PACKAGE = golang.org/x/perf/cmd/benchstat
bin/buf:                PACKAGE = github.com/bufbuild/buf/cmd/buf
bin/dlv:                PACKAGE = github.com/go-delve/delve/cmd/dlv
bin/protoc-gen-go:      PACKAGE = google.golang.org/protobuf/cmd/protoc-gen-go
bin/protoc-gen-go-grpc: PACKAGE = google.golang.org/grpc/cmd/protoc-gen-go-grpc
bin/protoc-gen-go-jackfield: FORCE
	@GOWORK=off go build -C protoc-gen-go-jackfield -buildvcs=false -o ../$@ .
bin/%: PACKAGE = ./$*
bin/%: FORCE
	@GOWORK=off go build -C tools -buildvcs=false -o ../$@ $(PACKAGE)
