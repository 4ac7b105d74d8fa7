# Modules are opened with RTLD_GLOBAL: what this one exports, others may bind to,
# hiredis' functions above all. And lua_shim finds there what it calls.
use strict;
use warnings;
use Test::More;

plan skip_all => 'the module is part of nginx' if $ENV{CACHEBACK_STATIC};
plan tests => 6;

my $module = $ENV{CACHEBACK_MODULE} || 'build/ngx_http_cacheback_module.so';
my @exported = map { (split)[2] } `nm -D --defined-only $module`;

# What lua_shim declares to LuaJIT.
my $shim = 'lua_shim/lib/resty/cacheback/engine.lua';
open my $in, '<', $shim or die "$shim: $!\n";
my ($declared) = join('', <$in>) =~ /ffi\.cdef \[\[(.*?)\]\]/s;
my @called = $declared =~ /(ngx_http_cacheback_lua_\w+)\(/g;
cmp_ok scalar @called, '>', 20, 'lua_shim declares C functions';

is_deeply [ sort @exported ],
    [ sort @called, qw(ngx_module_names ngx_module_order ngx_modules) ],
    'the module exports what nginx looks for and what lua_shim calls, no more';

# Word for word, or LuaJIT would call them as what they are not.
open my $api, '<', 'ngx_cacheback_module/lua/api.hpp' or die "api.hpp: $!\n";
my $header = join '', <$api>;
for ($header, $declared) {
    s{//[^\n]*}{}g;
    s/\b(?:CACHEBACK_LUA|std::)\s*//g;
    s/\s+//g;
}
my @prototypes = $declared =~ /((?:int|void\*?|double|size_t)ngx_http_cacheback_lua_\w+\([^;]*;)/g;
is scalar @prototypes, scalar @called, 'each is a prototype';
is_deeply [ grep { index($header, $_) < 0 } @prototypes ], [],
    'they are declared as lua/api.hpp declares them';
my @structs = $declared =~ /(typedefstruct\{[^}]*\}ngx_http_cacheback_lua_(?:item|copy|response)_t;)/g;
is scalar @structs, 3, 'three structures';
is_deeply [ grep { index($header, $_) < 0 } @structs ], [],
    'they are laid out as lua/api.hpp has them';
