# A wrapper around Meson. To get started: `make run` and `make test`.
#
#   make run       build, then profile every JVM on this host into the embedded store: http://127.0.0.1:4040
#   make demo-app  run a sample Java application in the foreground
#   make test      layers, names, unit tests with and without sanitizers, fuzz corpus, real JVMs, adversary tests
#   make test-jvms JVMs of many versions and vendors, fetched and kept in the user's cache (tests/jvms/README.md)
#   make test-cluster  against a real Kubernetes API server, which is built once and cached (tests/cluster/programs)
#   make test-vm   the installed service, under systemd in a virtual machine (tests/vm/README.md)
#   make soak      under AddressSanitizer: ten thousand reloads (RELOADS), checks for leaks and growth; random kills for
#                  SOAK_SECONDS (900) with SOAK_JVMS (100) JVMs, checks that nothing is left behind; outages of every
#                  kind for as long, checks that nothing is lost
#   make bench     benchmark figures, one line each
#   make lint      formatting, layers, names, sizes, vocabulary, types of the web page, clang-tidy, and a build of the
#                  fuzzers with clang
#   make fuzz      each fuzzer for FUZZ_SECONDS (60)
#   make install   into PREFIX (/usr/local), DESTDIR respected
#
# JARS=folder builds without the Maven client and without network: with the jars of tools/jars.sha256 in it.

BUILD        ?= build
ASAN         := $(BUILD)-asan
FUZZ         := $(BUILD)-fuzz
PREFIX       ?= /usr/local
FUZZ_SECONDS ?= 60
RELOADS      ?= 10000
SOAK_JVMS    ?= 100
SOAK_SECONDS ?= 900
JAVAC        ?= javac
JAVA         ?= java

.DELETE_ON_ERROR:
.PHONY: all build run demo-app test test-unit test-asan test-daemon test-adversary test-jvms test-cluster test-vm soak \
        bench lint format fuzz install clean setup-%

all: build

setup-%:
	@tools/setup $*

$(BUILD)/build.ninja: | setup-build
	meson setup --buildtype=debugoptimized --prefix=$(PREFIX) $(BUILD)

build: setup-build $(BUILD)/build.ninja
	@tools/ninja $(BUILD) --quiet smolder

run: build
	$(BUILD)/smolder run --store.listen=127.0.0.1:4040 --java.service-name=main examples/all-java.alloy

# Without a JDK, default-jdk-headless is installed: only the demo and the tests need one.
demo-app: $(BUILD)/demo/Demo.class
	$(JAVA) -cp $(BUILD)/demo Demo

$(BUILD)/demo/Demo.class: examples/demo/Demo.java | setup-demo
	@mkdir -p $(@D)
	$(JAVAC) -d $(@D) $<

$(ASAN)/build.ninja: | setup-test
	meson setup --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false $(ASAN)

test: setup-test
	tools/check-layers --self-check
	tools/check-layers
	tools/check-names --self-check
	tools/check-names
	tools/check-tests
	$(MAKE) test-unit test-asan test-daemon test-adversary

test-unit: setup-test $(BUILD)/build.ninja
	tools/ninja $(BUILD) --quiet
	tools/run-tests $(BUILD)

test-asan: setup-test $(ASAN)/build.ninja
	tools/ninja $(ASAN) --quiet
	tools/run-tests $(ASAN)

test-daemon: setup-test build
	tests/daemon/run --smolder $(BUILD)/smolder

test-adversary: setup-test build
	tests/adversary/run --smolder $(BUILD)/smolder

# Without pip those of its registry are skipped.
test-jvms: setup-test build
	-@tools/setup jvms
	tests/jvms/run --smolder $(BUILD)/smolder

test-cluster: setup-test build
	tests/cluster/run --smolder $(BUILD)/smolder

# Prints why where it cannot run, which is mostly for want of a kernel.
test-vm: setup-test build
	tests/vm/run --build $(BUILD)

soak: setup-test $(ASAN)/build.ninja
	tools/ninja $(ASAN) --quiet smolder
	tests/daemon/soak.py --smolder $(ASAN)/smolder --reloads $(RELOADS)
	tests/daemon/soak_kills.py --smolder $(ASAN)/smolder --jvms $(SOAK_JVMS) --seconds $(SOAK_SECONDS)
	tests/daemon/soak_outage.py --smolder $(ASAN)/smolder --seconds $(SOAK_SECONDS)

bench: setup-bench $(BUILD)/build.ninja
	tools/ninja $(BUILD) --quiet
	meson test -C $(BUILD) --no-rebuild --benchmark --verbose

lint: setup-lint $(BUILD)/build.ninja $(FUZZ)/build.ninja
	tools/check-layers
	tools/check-names
	tools/check-tests
	tools/check-sizes
	tools/check-lines
	tools/check-words
	tools/ninja $(BUILD) --quiet
	tools/check-types $(BUILD)
	git ls-files '*.c' '*.h' '*.cc' | xargs clang-format --dry-run --Werror
	git ls-files 'src/*.c' | xargs -P "$$(nproc)" -n 8 clang-tidy --quiet -p $(BUILD) --warnings-as-errors='*'
	tools/ninja $(FUZZ) --quiet

format:
	-tools/check-lines --wrap
	git ls-files '*.c' '*.h' '*.cc' | xargs clang-format -i

$(FUZZ)/build.ninja: | setup-fuzz
	CC=clang CXX=clang++ meson setup --buildtype=debugoptimized -Dfuzz=true -Db_sanitize=address,undefined \
	    -Db_lundef=false $(FUZZ)

fuzz: setup-fuzz $(FUZZ)/build.ninja
	tools/ninja $(FUZZ) --quiet
	tools/run-fuzzers $(FUZZ) $(FUZZ_SECONDS)

install: build
	meson install -C $(BUILD) --no-rebuild --strip

clean:
	rm -rf $(BUILD) $(ASAN) $(FUZZ)
