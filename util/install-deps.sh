#!/bin/sh
# Installs what building and testing need, on Debian 12 and later. Does nothing,
# and asks for nothing, when everything is there.
#
#   util/install-deps.sh          build, run and test
#   util/install-deps.sh lint     also what `make lint` and `make fuzz` use
#   util/install-deps.sh check    only say what is missing; exit status 1 if so
set -eu

build="g++ make pkg-config nginx nginx-dev libhiredis-dev libcmocka-dev
    libpcre2-dev libssl-dev zlib1g-dev"
test="redis-server redis-tools libnginx-mod-http-lua lua-cjson libnginx-mod-http-echo
    perl python3 curl openssl php-cgi spawn-fcgi uwsgi-core
    uwsgi-plugin-python3"
lint="clang clang-format clang-tidy cppcheck valgrind lua-check"

# Test::Nginx is packaged in Debian's unstable suite only. The package is plain
# Perl and works on every release; the sum pins its content.
test_nginx=libtest-nginx-perl
test_nginx_sum=ea9a9cf6b5276f071d32ac5f1660215fdd9bc0c10861858b530b05f1e16df356

installed() {
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q ' installed$'
}

missing_of() {
    for package in "$@"; do
        installed "$package" || printf '%s ' "$package"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "install-deps: neither root nor sudo; to install: $missing" >&2
        exit 1
    fi
}

# RUNLEVEL=1 keeps init scripts from starting a freshly installed server.
apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get -qq -y -o Dpkg::Use-Pty=0 install \
        --no-install-recommends "$@" </dev/null
}

# systemd knows no RUNLEVEL: a service that came with us is stopped again. One
# that was there before is somebody's, and left alone.
silence() {
    if [ -d /run/systemd/system ]; then
        as_root systemctl --quiet disable --now "$1" || true
    fi
}

# The mirror is the one this machine uses; its sources and lists stay as they
# are.
install_test_nginx() (
    if apt-cache policy "$test_nginx" | grep -q 'Candidate: [0-9]'; then
        apt_install "$test_nginx"
        exit
    fi
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' |
        grep -v security | head -n 1)
    if [ -z "$site" ]; then
        echo "install-deps: apt has no package source" >&2
        exit 1
    fi
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb [signed-by=$keyring] $site sid main" >"$dir/sid.list"
    set -- -qq -o Dir::Etc::SourceList="$dir/sid.list" \
        -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$dir/lists" \
        -o Dir::Cache="$dir/cache" -o APT::Sandbox::User= \
        -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none \
        -o Debug::NoLocking=true
    apt-get "$@" update
    cd "$dir"
    apt-get "$@" download "$test_nginx"
    deb=$(echo "$dir/$test_nginx"_*_all.deb)
    echo "$test_nginx_sum  $deb" | sha256sum --quiet -c -
    chmod 755 "$dir"
    apt_install "$deb"
)

wanted="$build $test"
case ${1-} in
    '' | check) ;;
    lint) wanted="$wanted $lint" ;;
    *)
        echo "usage: $0 [lint|check]" >&2
        exit 2
        ;;
esac

# shellcheck disable=SC2086 # lists of words
missing=$(missing_of $wanted $test_nginx)
[ -n "$missing" ] || exit 0

if [ "${1-}" = check ]; then
    echo "missing: $missing"
    exit 1
fi
if ! command -v apt-get >/dev/null; then
    echo "install-deps: this is not Debian; please install: $missing" >&2
    exit 1
fi

echo "installing: $missing"
missing_here=$(missing_of $wanted)
if [ -n "$missing_here" ]; then
    as_root apt-get -qq update </dev/null
    apt_install $missing_here
    for service in nginx redis-server; do
        case " $missing_here " in *" $service "*) silence "$service" ;; esac
    done
fi
installed "$test_nginx" || install_test_nginx
