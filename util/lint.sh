#!/bin/bash
# What `make lint` checks. Goes through all checks and fails if one did.
#
#   util/lint.sh            all of them
#   util/lint.sh format …   those named
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

shopt -s nullglob
src=ngx_cacheback_module
cpp=($src/*/*.[ch]pp $src/*/*/*.[ch]pp t/*/*.[ch]pp)
mapfile -t pure < <(util/check-includes --pure)

lint_includes() { util/check-includes; }

lint_format() { clang-format --dry-run -Werror "${cpp[@]}"; }

# Long lines that clang-format leaves alone (comments, tables), tabs, blanks.
lint_text() {
    local bad
    bad=$(grep -nP '\t|\s$|^.{81,}$' "${cpp[@]}")
    [ -z "$bad" ] || { echo "$bad"; return 1; }
}

lint_tidy() {
    printf '%s\n' "${pure[@]}" |
        xargs -P "$(nproc)" -I {} clang-tidy --quiet {} -- -std=c++17 -I $src \
            2> >(grep -v 'warnings generated' >&2)
}

lint_cppcheck() {
    cppcheck --quiet --std=c++17 --language=c++ --inline-suppr \
        --error-exitcode=1 --enable=warning,performance,portability \
        --suppress=missingInclude --suppress=missingIncludeSystem \
        "${pure[@]}"
}

# Both compilers accept the pure sources.
lint_clang() {
    local file
    for file in "${pure[@]}"; do
        clang++ -std=c++17 -W -Wall -Wextra -Wpointer-arith -Werror \
            -fsyntax-only "$file" || return 1
    done
}

perl_compiles() {
    local said
    said=$(perl -c "$1" 2>&1) || { echo "${said:-$1: perl -c}"; return 1; }
}

python_compiles() {
    python3 -c 'import ast, sys
ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$1"
}

lint_tests() {
    local file status=0
    for file in t/*.t; do
        perl_compiles "$file" || status=1
    done
    if grep -nE '^--- (ONLY|LAST|SKIP|only|last|skip)\b' t/*.t; then
        echo "a forgotten --- ONLY, LAST or SKIP"
        status=1
    fi
    for file in t/unit/*_test.cpp; do
        file=$(basename "$file" _test.cpp)
        if ! compgen -G "$src/*/$file.[ch]pp" >/dev/null &&
            ! compgen -G "$src/*/*/$file.[ch]pp" >/dev/null; then
            echo "t/unit/${file}_test.cpp: no source of that name"
            status=1
        fi
    done
    return $status
}

# Also that each file of lua_shim is in its rockspec.
lint_lua() {
    local file status=0
    luacheck --quiet --codes lua_shim/lib t/lua || status=1
    for file in lua_shim/lib/resty/*.lua lua_shim/lib/resty/*/*.lua; do
        if ! grep -q "\"$file\"" lua_shim/*.rockspec; then
            echo "$file is not in the rockspec"
            status=1
        fi
    done
    return $status
}

lint_scripts() {
    local file status=0
    for file in util/* .ci/run; do
        case $(head -n 1 "$file") in
            *python3) python_compiles "$file" || status=1 ;;
            *perl) perl_compiles "$file" || status=1 ;;
            */bash) bash -n "$file" || status=1 ;;
            */sh) sh -n "$file" || status=1 ;;
        esac
        [ -x "$file" ] || { echo "$file: not executable"; status=1; }
    done
    for file in t/lib/*.py t/scenario/*.t; do
        python_compiles "$file" || status=1
    done
    return $status
}

# Every `make TARGET` that the documents name is there.
lint_documents() {
    local target status=0
    for target in $(grep -ohE '`make [a-z]+(-[a-z]+)*' ./*.md docs/*.md lua_shim/*.md |
        awk '{print $2}' | sort -u); do
        if ! grep -q "^$target:" Makefile; then
            echo "the documents name \`make $target\`, the Makefile does not"
            status=1
        fi
    done
    return $status
}

failed=
for check in "${@:-includes format text tidy cppcheck clang tests lua scripts documents}"; do
    for name in $check; do
        if "lint_$name"; then
            echo "lint $name: ok"
        else
            echo "lint $name: FAILED"
            failed="$failed $name"
        fi
    done
done
[ -z "$failed" ] || { echo "lint failed:$failed"; exit 1; }
