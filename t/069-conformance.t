# docs/CONFORMANCE.md is true: each test that it names exists, and each
# statement has one, or says why it needs none.
use strict;
use warnings;
use Test::More;

sub text_of {
    my ($file) = @_;
    open my $in, '<', $file or return;
    local $/;
    return scalar <$in>;
}

my %text;
sub known { my ($file) = @_; return $text{$file} //= text_of($file) // '' }

# A unit test counts when it is run, not only written.
sub exists_in {
    my ($file, $what) = @_;
    if ($file =~ /_test$/) {
        return known("t/unit/$file.cpp") =~ /cmocka_unit_test\(\s*$what\)/;
    }
    my ($path) = grep { -f } "t/$file.t", "t/scenario/$file.t";
    return if !defined $path;
    return known($path) =~ /^=== TEST \d+: [^\n]*\Q$what\E/m
        || known($path) =~ /\Q$what\E/ && $path =~ /scenario/;
}

my $page = text_of('docs/CONFORMANCE.md') // die "no docs/CONFORMANCE.md\n";
my ($rows, $named) = (0, 0);
for my $row ($page =~ /^\| (?:\d|5861|8246|9213)[^\n]*\|$/mg) {
    my (undef, $section, $force, $what, $held) = split / *\| /, "|$row", 5;
    $rows++;
    like $force, qr/^(?:[MSy]|\xe2\x80\x93)$/, "$section: its force: $what";
    my @tests = $held =~ /`([\w-]+: [^`]+)`/g;
    ok @tests > 0 || $held =~ /does not apply|not held|^see \d/,
        "$section: has a test or a reason: $what";
    for my $test (@tests) {
        my ($file, $name) = split /: /, $test, 2;
        $named++;
        ok exists_in($file, $name), "$section: $test";
    }
}
cmp_ok $rows, '>', 90, 'statements';
cmp_ok $named, '>', 150, 'tests that hold them';

done_testing();
