#!/bin/bash
# Configures an nginx tree with the module as an add-on, in a folder of its own:
#
#   util/configure-nginx.sh OUT dynamic|static CC_OPT LD_OPT [SRC [FLAGS…]]
#
# SRC is an nginx source tree; without it, the tree of Debian's nginx-dev is
# used with the flags of Debian's nginx, so that the module fits that binary.
# The tree is read through links: nothing is written to it. Objects that are
# still good are kept; objs/Makefile is what to run afterwards.
set -euo pipefail

out=$1 kind=$2 cc_opt=$3 ld_opt=$4 src=${5-}
shift 4
[ $# = 0 ] || shift
addon=$(cd "$(dirname "$0")/.." && pwd)

if [ -z "$src" ]; then
    src=/usr/share/nginx/src
    if [ ! -f $src/conf_flags ]; then
        echo "$0: no nginx-dev here; try \`make deps\`" >&2
        exit 1
    fi
    . $src/conf_flags
    set -- "${NGX_CONF_FLAGS[@]}"
    version=$(dpkg-query -W nginx-dev)
else
    src=$(cd "$src" && pwd)
    version=$(grep NGINX_VERSION "$src/src/core/nginx.h")
fi
case $kind in
    dynamic) addon_option=--add-dynamic-module=$addon ;;
    static) addon_option=--add-module=$addon ;;
esac

mkdir -p "$out"
cd "$out"
for entry in "$src"/*; do
    case ${entry##*/} in
        Makefile | objs) ;;
        *) ln -sfn "$entry" . ;;
    esac
done
configure=./configure
[ -f $configure ] || configure=auto/configure

# Other flags or another nginx: no object is good any more.
inputs=$(printf '%s\n' "$src" "$version" "$cc_opt" "$ld_opt" "$@")
if [ "$inputs" != "$(cat inputs 2>/dev/null)" ]; then
    rm -rf objs
fi
for header in objs/ngx_auto_config.h objs/ngx_auto_headers.h; do
    [ ! -f $header ] || cp -p $header $header.old
done

ASAN_OPTIONS=detect_leaks=0 bash $configure --with-cc-opt="$cc_opt" \
    --with-ld-opt="$ld_opt" "$@" "$addon_option" >configure.log ||
    { tail -n 20 configure.log >&2; exit 1; }

# configure writes these anew each time; the same text keeps its old date, or
# every object would be built again.
for header in objs/ngx_auto_config.h objs/ngx_auto_headers.h; do
    ! cmp -s $header $header.old || mv $header.old $header
done
printf '%s\n' "$inputs" >inputs
