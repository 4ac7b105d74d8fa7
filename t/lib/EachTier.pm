package EachTier;

# Runs a file's blocks on each tier alone. In a file that says
#
#     use lib 't/lib';
#     use CachebackTest;
#     use EachTier;
#     run_tests_on_each_tier();
#
# a block whose `--- store` has the line `$TIER` stands for two: one in which
# that line is a memory tier without Redis, one in which it is Redis with
# `memory off`. Other blocks run once.

use strict;
use warnings;
use Test::Base ();

my @tiers = (
    ['memory', "memory 8m;\n"],
    ['Redis',
        "memory off;\nredis redis://127.0.0.1:\$TEST_NGINX_REDIS_PORT/0;\n"],
);

sub import {
    my $caller = caller;
    no strict 'refs';
    *{"${caller}::run_tests_on_each_tier"} = \&run_tests_on_each_tier;
    # What makes CachebackTest start a Redis.
    $CachebackTest::Text .= $tiers[1][1];
}

sub run_tests_on_each_tier {
    my (undef, $data) = split /^__DATA__\n/m, CachebackTest::slurp($0), 2;
    my @blocks;
    for my $block (split /^(?==== )/m, $data) {
        next if $block !~ /^=== /;
        if ($block !~ /^\$TIER$/m) {
            push @blocks, $block;
            next;
        }
        for my $tier (@tiers) {
            my ($name, $store) = @$tier;
            my $copy = $block;
            $copy =~ s/^(=== [^\n]*)/$1 ($name)/;
            $copy =~ s/^\$TIER\n/$store/m;
            push @blocks, $copy;
        }
    }
    # A block that stands alone: `--- ONLY`, as in any test file.
    Test::Base::spec_string(join '', @blocks);
    main::run_tests();
}

1;
