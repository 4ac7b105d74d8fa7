#!/bin/bash
# Builds and tests the module on other Debian releases, each in a root of its own
# below the build directory, with their nginx, hiredis and Redis, and with
# Valkey where the release has it. Needs root and debootstrap.
#
#   util/matrix.sh BUILD [release…]      trixie and sid, unless named
#   T="t/045-purge.t" util/matrix.sh …   these tests
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
shift
[ $# -gt 0 ] || set -- trixie sid
tests=${T:-t/010-store.t t/024-refresh.t t/040-lock.t t/045-purge.t \
    t/scenario/002-redis-away.t t/scenario/003-redis-lies.t \
    t/scenario/020-fleet.t t/scenario/021-coherence.t \
    t/scenario/022-redis-tls.t t/scenario/024-redis-sentinel.t \
    t/scenario/025-redis-cluster.t t/scenario/026-variants.t \
    t/scenario/032-groups.t}

[ "$(id -u)" = 0 ] || { echo "matrix: needs root, for chroot" >&2; exit 1; }
command -v debootstrap >/dev/null ||
    { echo "matrix: needs debootstrap (apt-get install debootstrap)" >&2; exit 1; }
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' |
    grep -v security | head -n 1)

# The same programs under Redis' names.
valkey='mkdir -p /opt/valkey && cd /opt/valkey &&
    for program in server cli; do
        ln -sf "$(command -v valkey-$program)" redis-$program
    done'

run_in() {
    local root=$1
    shift
    chroot "$root" /usr/bin/env -i HOME=/root PATH="$PATH" LC_ALL=C.UTF-8 \
        sh -c "$*"
}

failed=
for release in "$@"; do
    root=$build/matrix/$release
    if [ ! -e "$root/etc/debian_version" ]; then
        mkdir -p "$root"
        debootstrap --variant=minbase "$release" "$root" "$mirror" >"$root.log"
    fi
    root=$(realpath "$root")
    mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
    trap 'umount "$root/proc"' EXIT
    cp /etc/resolv.conf "$root/etc/"
    # A mirror may be behind; signatures are checked all the same.
    echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/matrix"
    rm -rf "$root/src/checkout"
    mkdir -p "$root/src/checkout"
    git archive HEAD | tar -x -C "$root/src/checkout"
    run_in "$root" "cd /src/checkout && util/install-deps.sh &&
        (apt-get -qq -y install --no-install-recommends valkey-server \
            valkey-tools </dev/null >/dev/null 2>&1 || true)"
    echo "=== $release: $(run_in "$root" "nginx -v 2>&1; redis-server --version;
        dpkg-query -W -f '\${Package} \${Version}\n' libhiredis-dev" |
        tr '\n' ' ')"
    run_in "$root" "cd /src/checkout && make module unit t T='$tests'" ||
        failed="$failed $release"
    if run_in "$root" "command -v valkey-server" >/dev/null; then
        run_in "$root" "$valkey"
        echo "=== $release: $(run_in "$root" "valkey-server --version")"
        run_in "$root" "cd /src/checkout && PATH=/opt/valkey:\$PATH \
            make t T='$tests'" || failed="$failed $release-with-valkey"
    fi
    umount "$root/proc"
    trap - EXIT
done
if [ -n "$failed" ]; then
    echo "matrix: failed:$failed" >&2
    exit 1
fi
