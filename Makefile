# Build, test and show ngx_cacheback_module. `make help` lists the targets; all
# output goes below $(BUILD), and no nginx tree is written to.

BUILD        ?= build
# A source tree of nginx; without it, Debian's nginx-dev and nginx are used.
NGINX_SRC    ?=
NGINX_BIN    ?= $(if $(NGINX_SRC),$(OUT)/nginx/objs/nginx,nginx)
SANITIZE     ?=
FUZZ_SECONDS ?= 30
JOBS         ?= $(shell nproc)
CXXFLAGS     ?= -g -O1
OPTIMIZE     ?= -g -O2 -D_FORTIFY_SOURCE=2
# What an nginx of NGINX_SRC is configured with.
NGINX_CONF   ?= --with-compat --with-debug --with-threads \
    --with-http_ssl_module --with-http_v2_module --with-http_realip_module \
    --with-http_stub_status_module --with-http_auth_request_module \
    --with-http_gunzip_module --with-http_gzip_static_module \
    --with-http_addition_module --with-http_sub_module \
    --with-http_slice_module
MODULES_PATH ?= /usr/lib/nginx/modules

SRC      := ngx_cacheback_module
SOURCES  := $(sort $(wildcard $(SRC)/*/*.cpp $(SRC)/*/*/*.cpp))
HEADERS  := $(sort $(wildcard $(SRC)/*/*.hpp $(SRC)/*/*/*.hpp))
# As in config.make: an error here, but not with whatever compiler others have.
WARNINGS := -W -Wall -Wextra -Wpointer-arith \
    $(if $(CACHEBACK_WERROR),-Werror)
comma    := ,

# Each variant is built apart: build/, build/nginx-1.26.3/, build/sanitized/.
OUT      := $(BUILD)$(addprefix /,$(notdir $(patsubst %/,%,$(NGINX_SRC))))
OUT      := $(OUT)$(if $(SANITIZE),/sanitized)
MODULE   := $(OUT)/ngx_http_cacheback_module.so
SANITIZER := $(if $(SANITIZE),-fsanitize=$(SANITIZE) \
    -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
CC_OPT   := $(strip $(if $(SANITIZE),-g -O1,$(OPTIMIZE)) -fPIC \
    -fstack-protector-strong $(SANITIZER))
# A module that was unloaded before the leak report has no names in it.
LD_OPT   := $(strip -Wl,-z,relro -Wl,-z,now $(SANITIZER) \
    $(if $(SANITIZE),-Wl$(comma)-z$(comma)nodelete))

# `make V=1` shows each compiler call.
QUIET     = $(if $(V),,@echo "$(if $(filter %.o,$@),compile,link) $@" && )

.DEFAULT_GOAL := module
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += --no-print-directory

.PHONY: help
help:  ## this list
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## /{printf "%-11s %s\n", $$1, $$2}' \
	    $(firstword $(MAKEFILE_LIST))

# --- the module -------------------------------------------------------------

.PHONY: deps
deps:  ## install what is missing (Debian packages)
	@util/install-deps.sh

.PHONY: module
module: $(MODULE)  ## build/ngx_http_cacheback_module.so (default; NGINX_SRC=dir: for that nginx)

# Rewritten only when it changes: a new or removed source configures anew.
$(OUT)/inputs: FORCE
	@mkdir -p $(OUT)
	@echo '$(SOURCES)' '$(CC_OPT)' '$(LD_OPT)' '$(NGINX_SRC)' \
	    '$(if $(NGINX_SRC),$(NGINX_CONF))' \
	    "$$(dpkg-query -W nginx-dev 2>/dev/null)" >$@.new
	@cmp -s $@ $@.new && rm $@.new || mv $@.new $@

CONFIGURE := config config.make util/configure-nginx.sh

$(OUT)/nginx/objs/Makefile: $(OUT)/inputs $(CONFIGURE)
	util/configure-nginx.sh $(OUT)/nginx dynamic '$(CC_OPT)' '$(LD_OPT)' \
	    $(if $(NGINX_SRC),$(NGINX_SRC) $(NGINX_CONF))
	@touch $@

$(MODULE): $(OUT)/nginx/objs/Makefile FORCE
	@$(MAKE) -s -j $(JOBS) -C $(OUT)/nginx -f objs/Makefile \
	    $(if $(NGINX_SRC),binary) modules
	@cmp -s $(OUT)/nginx/objs/$(@F) $@ || \
	    { cp $(OUT)/nginx/objs/$(@F) $@ && echo "built $@"; }

$(OUT)/static/objs/Makefile: $(OUT)/inputs $(CONFIGURE)
	$(if $(NGINX_SRC),,$(error static needs NGINX_SRC, an nginx source tree))
	util/configure-nginx.sh $(OUT)/static static '$(CC_OPT)' '$(LD_OPT)' \
	    $(NGINX_SRC) $(NGINX_CONF)
	@touch $@

.PHONY: static
static: $(OUT)/static/objs/Makefile  ## an nginx with the module built in (NGINX_SRC=dir)
	@$(MAKE) -s -j $(JOBS) -C $(OUT)/static -f objs/Makefile binary
	@echo "built $(OUT)/static/objs/nginx"

.PHONY: install
install: module  ## put the module where nginx looks for modules
	install -d $(DESTDIR)$(MODULES_PATH)
	install -m 644 $(MODULE) $(DESTDIR)$(MODULES_PATH)/

# Where lua-nginx-module looks for Lua files.
LUA_DIR ?= /usr/share/lua/5.1
LUA     := $(patsubst lua_shim/lib/%,%,$(sort \
    $(wildcard lua_shim/lib/resty/*.lua lua_shim/lib/resty/*/*.lua)))

.PHONY: install-lua
install-lua:  ## put resty.cacheback where Lua looks for it (LUA_DIR=dir)
	install -d $(DESTDIR)$(LUA_DIR)/resty/cacheback
	@for file in $(LUA); do \
	    echo "install $(DESTDIR)$(LUA_DIR)/$$file"; \
	    install -m 644 lua_shim/lib/$$file $(DESTDIR)$(LUA_DIR)/$$file \
	        || exit 1; \
	done

.PHONY: clean
clean:  ## remove build/
	rm -rf $(BUILD)

# --- unit tests ---------------------------------------------------------------

# All sources that never see nginx, in every unit test.
PURE       := $(shell util/check-includes --pure)
UNIT_SRCS  := $(sort $(wildcard t/unit/*_test.cpp))
UNIT_TESTS := $(UNIT_SRCS:t/unit/%.cpp=$(OUT)/unit/%)
UNIT_RUNS  := $(UNIT_TESTS:=.passed)
UNIT_OBJS  := $(PURE:$(SRC)/%.cpp=$(OUT)/unit/%.o)
UNIT_FLAGS := -std=c++17 $(WARNINGS) $(CXXFLAGS) $(SANITIZER) -MMD -MP \
    -I $(SRC) -I t/lib

.PHONY: unit
unit: $(UNIT_RUNS)  ## pure C++ tests, each source of the same name

$(OUT)/unit/%.o: $(SRC)/%.cpp Makefile
	@mkdir -p $(@D)
	$(QUIET)$(CXX) $(UNIT_FLAGS) -c -o $@ $<

$(OUT)/unit/%_test.o: t/unit/%_test.cpp Makefile
	@mkdir -p $(@D)
	$(QUIET)$(CXX) $(UNIT_FLAGS) -c -o $@ $<

$(OUT)/unit/pure.a: $(UNIT_OBJS)
	@rm -f $@
	@ar rcs $@ $^

$(OUT)/unit/%_test: $(OUT)/unit/%_test.o $(OUT)/unit/pure.a
	$(QUIET)$(CXX) $(SANITIZER) -o $@ $^ -lcmocka -lhiredis

# A test that passed runs again when it was built anew.
$(OUT)/unit/%_test.passed: $(OUT)/unit/%_test
	@$(TEST_ENV) $< >$@.log 2>&1 || { cat $@.log; exit 1; }
	@mv $@.log $@
	@tail -n 1 $@ | sed 's|^|$(<F): |'

-include $(wildcard $(OUT)/unit/*.d $(OUT)/unit/*/*.d $(OUT)/unit/*/*/*.d)

# --- with a running nginx ------------------------------------------------------

# Test files for `make t`: T=t/004-refresh.t
T     ?= $(sort $(wildcard t/*.t t/scenario/*.t))
# Tests mostly wait: for an item to become stale, for an origin.
PROVE ?= prove -j $(JOBS)

# Sanitizers and valgrind write reports here; a report is a failure.
REPORTS  := $(abspath $(OUT))/reports
PRELOAD  := $(if $(SANITIZE),$(foreach lib,libasan.so libstdc++.so, \
    $(realpath $(shell $(CXX) -print-file-name=$(lib)))))
TEST_ENV := UBSAN_OPTIONS=print_stacktrace=1
# nginx has some symbols of its own in every module (odr), no frame pointers
# (unwind), and its parent exits while things are still allocated (exitcode).
ASAN_ENV := LSAN_OPTIONS=exitcode=0 ASAN_OPTIONS=detect_odr_violation=0,$\
    fast_unwind_on_malloc=0,log_path=$(REPORTS)/asan
T_ENV    := $(TEST_ENV) $(if $(SANITIZE),$(ASAN_ENV)) \
    TEST_NGINX_LD_PRELOAD="$(PRELOAD)" \
    CACHEBACK_BUILD=$(abspath $(OUT)) CACHEBACK_MODULE=$(abspath $(MODULE)) \
    $(if $(SANITIZE),CACHEBACK_SLACK=4) \
    TEST_NGINX_BINARY=$(if $(NGINX_SRC),$(abspath $(NGINX_BIN)),$(NGINX_BIN))

.PHONY: t
t: module  ## tests with a running nginx and Redis (T=t/one.t)
	@rm -rf $(REPORTS) && mkdir -p $(REPORTS)
	$(T_ENV) $(PROVE) $(T) || failed=1; \
	util/no-reports $(REPORTS) && [ -z "$$failed" ]

.PHONY: test
test:  ## everything a change must pass; installs what is missing
	@util/install-deps.sh
	@$(MAKE) unit
	@$(MAKE) t

.PHONY: reload
reload:  ## the suite again, on one nginx that is reloaded between blocks
	@TEST_NGINX_USE_HUP=1 $(MAKE) t T="$(sort $(wildcard t/*.t))"

.PHONY: workers
workers:  ## the suite again, over two workers
	@CACHEBACK_WORKERS=2 $(MAKE) t T="$(sort $(wildcard t/*.t))"

.PHONY: matrix
matrix:  ## build and test on other Debian releases, in roots of their own (as root)
	@util/matrix.sh $(BUILD)

.PHONY: asan
asan:  ## unit tests and suite under AddressSanitizer and UBSan
	@$(MAKE) unit t SANITIZE=address,undefined

# Tests that watch the clock may fail in so slow an nginx: the reports decide.
VALGRIND := -q --tool=memcheck --leak-check=full --show-possibly-lost=no \
    --keep-debuginfo=yes --suppressions=$(CURDIR)/t/lib/valgrind.supp \
    --log-file=$(REPORTS)/valgrind.%p

.PHONY: valgrind
valgrind: module $(UNIT_TESTS)  ## unit tests and suite under valgrind; its reports decide
	@rm -rf $(REPORTS) && mkdir -p $(REPORTS)
	@for test in $(UNIT_TESTS); do \
	    echo "$$test"; \
	    valgrind $(VALGRIND) $$test >/dev/null 2>&1 || exit 1; \
	done
	-@TEST_NGINX_USE_VALGRIND='$(VALGRIND)' TEST_NGINX_TIMEOUT=20 \
	    $(T_ENV) CACHEBACK_SLACK=20 $(PROVE) $(filter-out t/scenario/%,$(T))
	util/no-reports $(REPORTS)

# --- fuzzing ----------------------------------------------------------------------

FUZZERS := $(patsubst t/fuzz/%.cpp,$(BUILD)/fuzz/%, \
    $(sort $(wildcard t/fuzz/*_fuzz.cpp)))
FUZZ_CXX := clang++ -std=c++17 -g -O1 -fno-sanitize-recover=undefined -MMD -MP \
    -I $(SRC)

.PHONY: fuzz
fuzz: $(FUZZERS:=.run)  ## fuzz what reads foreign bytes (FUZZ_SECONDS=30 each)

$(BUILD)/fuzz/%.o: $(SRC)/%.cpp Makefile
	@mkdir -p $(@D)
	$(QUIET)$(FUZZ_CXX) -fsanitize=fuzzer-no-link,address,undefined -c -o $@ $<

$(BUILD)/fuzz/pure.a: $(PURE:$(SRC)/%.cpp=$(BUILD)/fuzz/%.o)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/fuzz/%_fuzz: t/fuzz/%_fuzz.cpp $(BUILD)/fuzz/pure.a
	$(QUIET)$(FUZZ_CXX) -fsanitize=fuzzer,address,undefined -o $@ \
	    $(filter %.cpp %.a,$^) -lhiredis

.PHONY: $(FUZZERS:=.run)
$(FUZZERS:=.run): %.run: %
	@mkdir -p $<.corpus
	@echo "$(<F), $(FUZZ_SECONDS) s"
	@$< -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -print_final_stats=1 \
	    -artifact_prefix=$(@D)/ $<.corpus $(wildcard t/vectors) 2>$<.log || \
	    { tail -n 40 $<.log; exit 1; }
	@grep -E 'number_of_executed_units' $<.log

-include $(wildcard $(BUILD)/fuzz/*.d $(BUILD)/fuzz/*/*.d $(BUILD)/fuzz/*/*/*.d)

# --- measuring ---------------------------------------------------------------------

.PHONY: bench
bench: module  ## instructions per request and time per get of Lua, beside the goals
	@util/install-deps.sh lint
	$(T_ENV) t/bench/instructions.py
	$(T_ENV) t/bench/lua_get.py

.PHONY: bench-redis
bench-redis: module  ## Redis' own CPU per hit, beside a connection for each request
	@command -v wrk >/dev/null || { echo "bench-redis needs wrk"; exit 1; }
	$(T_ENV) t/bench/redis_cpu.py

# --- keeping it tidy ---------------------------------------------------------------

.PHONY: lint
lint:  ## includes, formatting, static analysis, test files
	@util/install-deps.sh lint
	@util/lint.sh

.PHONY: format
format:  ## let clang-format decide
	clang-format -i $(SOURCES) $(HEADERS) $(sort $(wildcard t/*/*.[ch]pp))

# --- see it work -----------------------------------------------------------------

.PHONY: run
run:  ## nginx, Redis and a slow origin on this machine; Ctrl-C stops all
	@util/install-deps.sh
	@$(MAKE) module
	@NGINX=$(NGINX_BIN) MODULE=$(abspath $(MODULE)) util/demo.py run

.PHONY: demo
demo:  ## the same with a script: MISS, HIT, STALE, HIT, and their times
	@util/install-deps.sh
	@$(MAKE) module
	@NGINX=$(NGINX_BIN) MODULE=$(abspath $(MODULE)) util/demo.py

.PHONY: FORCE
FORCE:
