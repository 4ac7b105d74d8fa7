# Modules are opened with RTLD_GLOBAL: what this one exports, others may bind to,
# hiredis' functions above all.
use strict;
use warnings;
use Test::More;

plan skip_all => 'the module is part of nginx' if $ENV{CACHEBACK_STATIC};
plan tests => 1;

my $module = $ENV{CACHEBACK_MODULE} || 'build/ngx_http_cacheback_module.so';
my @exported = map { (split)[2] } `nm -D --defined-only $module`;
is_deeply [ sort @exported ],
    [qw(ngx_module_names ngx_module_order ngx_modules)],
    'the module exports what nginx looks for, and nothing else';
