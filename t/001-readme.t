# README.md is true: each `nginx` block in it passes `nginx -t`, and it has a
# place for each directive, word, variable, status and reason of the code, and
# for no others.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use Test::More;

my $nginx  = $ENV{TEST_NGINX_BINARY} || 'nginx';
my $module = $ENV{CACHEBACK_MODULE} || 'build/ngx_http_cacheback_module.so';
my $source = 'ngx_cacheback_module';

sub text_of {
    my ($file) = @_;
    open my $in, '<', $file or die "$file: $!\n";
    local $/;
    return scalar <$in>;
}

my $readme = text_of('README.md');

# From the first heading of that name to the next one of the same level.
sub section {
    my ($heading) = @_;
    my ($level) = $heading =~ /^(#+)/;
    my ($text) = $readme =~ /^\Q$heading\E\n(.*?)(?=^#{2,${\length $level}} |\z)/ms;
    return $text // '';
}

# The first cells of the tables' rows, as words in backticks.
sub rows {
    return map { /`([^`]+)`/g } $_[0] =~ /^\| (`[^|]*?) (?:\*|\[|\|)/mg;
}

sub same_words {
    my ($of_readme, $of_code, $what) = @_;
    my @code = sort @$of_code;
    cmp_ok scalar @code, '>', 0, "the code has a $what";
    is_deeply [ sort @$of_readme ], \@code, "README names each $what";
}

# -- the configurations

# The pieces that a block leaves to the reader.
sub whole_config {
    my ($block) = @_;
    if ($block !~ /^events\b/m) {
        my $place = $block =~ /^(?:cacheback_store|log_format|server)\b/m
            ? 'http' : 'server';
        $block = "location / { }\n$block"
            if $place eq 'server' && $block !~ /^location \/ /m;
        $block = "server {\nlisten 1;\n$block\n}" if $place eq 'server';
        $block = "cacheback_store pages { memory 1m; }\n$block"
            if $block !~ /^cacheback_store\b/m;
        $block = "events { }\nhttp {\n$block\n}";
    }
    $block =~ s/^load_module .*\n//m;
    $block =~ s/^/load_module $module;\n/ unless $ENV{CACHEBACK_STATIC};
    my $temp = join ' ', 'access_log off;',
        map { "${_}_temp_path temp;" } qw(client_body proxy fastcgi uwsgi scgi);
    $block =~ s/^http \{/http {\n$temp/m;
    $block =~ s/\blisten\s[^;]*;/listen unix:socket;/g;   # any user may
    return $block;
}

$module = abs_path($module) // $module;
my $number = 0;
while ($readme =~ /^```nginx\n(.*?)^```/msg) {
    my $block = $1;
    $number++;
    my ($title) = $block =~ /(\S.*)/;
    my $dir = tempdir('cacheback-readme-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $dir;
    open my $out, '>', "$dir/nginx.conf" or die "$dir: $!\n";
    print $out whole_config($block) =~ s{unix:socket}{unix:$dir/socket}gr;
    close $out or die "$dir: $!\n";
    # The files that the README speaks of.
    open my $key, '>', "$dir/sign.key" or die "$dir: $!\n";
    print $key 'x' x 32;
    close $key or die "$dir: $!\n";
    chmod 0600, "$dir/sign.key";
    local $ENV{ASAN_OPTIONS} = ($ENV{ASAN_OPTIONS} // '') . ':detect_leaks=0';
    my $preload = $ENV{TEST_NGINX_LD_PRELOAD} // '';
    my $test = "LD_PRELOAD='$preload' $nginx -t -p $dir/ -c $dir/nginx.conf"
        . " -e $dir/error.log -g 'pid $dir/pid;' 2>&1";
    my $said = `$test`;
    ok $? == 0, "block $number passes nginx -t: $title" or diag $said;
}
cmp_ok $number, '>', 10, 'README has configurations';

# -- the names

my $directives = section('## Directives');
same_words [ $directives =~ /^### (\w+)$/mg ],
    [ text_of("$source/http/directives.cpp") =~ /^\s*\{ ngx_string\("(\w+)"\),/mg ],
    'directive';

my ($words) = text_of("$source/http/store_block.cpp")
    =~ /^constexpr Word words\[\] = \{\n(.*?)^\};/ms;
same_words [ rows(section('### cacheback_store')) ],
    [ $words =~ /^\s*\{"(\w+)"/mg ], 'word of cacheback_store';

my $variables = text_of("$source/http/variables.cpp");
my ($table) = section('## Variables') =~ /\A(.*?)^### /ms;
same_words [ rows($table) ],
    [ map { "\$$_" } $variables =~ /ngx_string\("(\w+)"\)/g ], 'variable';

same_words [ rows(section('### $cacheback_status')) ],
    [ $variables =~ /return "([A-Z]+)";/g ], 'status';

my $reasons = section('### $cacheback_reason');
my ($reserved) = $reasons =~ /^(.*) are reserved/m;
same_words [ rows($reasons), ($reserved // '') =~ /`([^`]+)`/g ],
    [ text_of("$source/core/reason.cpp") =~ /return "([a-z-]+)";/g ], 'reason';

# A reason of which README says that nothing produces it is produced by nothing.
for my $reason (($reserved // '') =~ /`([^`]+)`/g) {
    my $name = $reason =~ tr/-/_/r;
    my @found = grep { !m{/reason\.cpp$} && text_of($_) =~ /Reason::\Q$name\E\b/ }
        glob "$source/*/*.cpp $source/*/*/*.cpp";
    is_deeply \@found, [], "nothing produces the reserved reason $reason";
}

# The words of the log, up to what differs from case to case.
my $code = join "", map { text_of($_) }
    glob "$source/*/*.cpp $source/*/*/*.cpp";
$code =~ s/"\s*\n\s*"//g;
$code =~ s/\\"/"/g;
my $gone = section('## When Redis is slow or gone');
my $server = qr/master "\w+" of (?:\S+, )?…|(?:sentinel|cluster node) \S+|\S+/;
my @lines = $gone =~ /^\[\w+\]\s+cacheback: redis $server (.*)$/mg;
cmp_ok scalar @lines, '>', 0, 'README has lines of the log';
for my $line (@lines) {
    my ($begin) = $line =~ /^([A-Za-z' ]+?)(?= \(|,| \d|$)/;
    ok index($code, $begin) >= 0, "the log says: $begin";
}

# -- links within the page

my %anchor;
while ($readme =~ /^#+ (.*)$/mg) {
    $anchor{ lc($1) =~ s/[^\w -]//gr =~ tr/ /-/r } = 1;
}
is_deeply [ grep { !$anchor{$_} } $readme =~ /\]\(#([^)]+)\)/g ], [],
    'links lead to headings';
is_deeply [ grep { !-e } $readme =~ /\]\(([A-Za-z][\w.\/]*)\)/g ], [],
    'links lead to files';

done_testing();
