# lua_shim/README.md is true: its configuration passes nginx -t, and it has a
# row for each option and each method of the code, and for no others.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use Test::More;

my $nginx  = $ENV{TEST_NGINX_BINARY} || 'nginx';
my $module = abs_path($ENV{CACHEBACK_MODULE}
    || 'build/ngx_http_cacheback_module.so') // '';

sub text_of {
    my ($file) = @_;
    open my $in, '<', $file or die "$file: $!\n";
    local $/;
    return scalar <$in>;
}

my $readme = text_of('lua_shim/README.md');
my $lib    = 'lua_shim/lib/resty/cacheback';

sub section {
    my ($title) = @_;
    my ($text) = $readme =~ /^## \Q$title\E\n(.*?)(?=^## |\z)/ms;
    return $text // '';
}

# -- the configuration

my ($modules) = `$nginx -V 2>&1` =~ /--modules-path=(\S+)/;
SKIP: {
    skip 'this nginx has no lua module', 1
        unless $modules && -f "$modules/ngx_http_lua_module.so";
    my ($conf) = $readme =~ /^```nginx\n(load_module.*?)^```/ms;
    my $dir = tempdir('cacheback-lua-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $dir;
    $conf =~ s{^load_module modules/(n\w+)\.so;}
        {"load_module " . ($1 =~ /cacheback/ ? $module : "$modules/$1.so") . ';'}mge;
    $conf =~ s/^load_module \S*cacheback\S*\n//m if $ENV{CACHEBACK_STATIC};
    my $temp = join ' ', 'access_log off;',
        'lua_package_path "' . abs_path('lua_shim/lib') . '/?.lua;;";',
        map { "${_}_temp_path temp;" } qw(client_body proxy fastcgi uwsgi scgi);
    $conf =~ s/^http \{/http {\n$temp/m;
    $conf =~ s/\blisten\s[^;]*;/listen unix:$dir\/socket;/g;
    open my $out, '>', "$dir/nginx.conf" or die "$dir: $!\n";
    print $out $conf;
    close $out or die "$dir: $!\n";
    local $ENV{ASAN_OPTIONS} = ($ENV{ASAN_OPTIONS} // '')
        . ':detect_leaks=0:fast_unwind_on_malloc=1';
    my $preload = $ENV{TEST_NGINX_LD_PRELOAD} // '';
    my $said = `LD_PRELOAD='$preload' $nginx -t -p $dir/ -c $dir/nginx.conf -e $dir/error.log -g 'pid $dir/pid;' 2>&1`;
    ok $? == 0, 'the synopsis passes nginx -t' or diag $said;
}

# -- the names

sub words { return [ sort @_ ] }

my @rows = map { /`([^`]+)`/g } section('Options') =~ /^\| (`[^|]*?) \|/mg;
s/\(.*// for @rows;
my $options = text_of("$lib/options.lua");
my ($methods)    = $options =~ /^local METHODS = \{\n(.*?)^\}/ms;
my ($attributes) = $options =~ /^local ATTRIBUTES = \{\n(.*?)^\}/ms;
is_deeply words(@rows),
    words(grep { $_ ne 'host' } ($methods . $attributes) =~ /^    (\w+) = /mg),
    'each option has a row';

my $job = text_of("$lib/job.lua");
my %default = $job =~ /^    (\w+) = ([\d.]+|true|nil),/mg;
for my $name (sort keys %default) {
    my ($told) = section('Options') =~ /^\| `$name` \| `([^`]*)` \|/m;
    is $told, $default{$name}, "the default of $name";
}

my %may_be_otherwise = map { $_ => 1 } $methods =~ /^    (\w+) = /mg;
my @told = section('Job') =~ /^\| `job:(\w+)\(/mg;
is_deeply words(@told),
    words('key', grep { !$may_be_otherwise{$_} && $_ !~ /^(?:make|new|extend|fetch_later)$/ }
        $job =~ /^function Job[.:](\w+)\(/mg),
    'each method has a row';

my $top = text_of('lua_shim/lib/resty/cacheback.lua');
is_deeply words(section('Module') =~ /\*\*`cacheback\.(\w+)\b/g),
    words('Job', 'store', $top =~ /^function _M\.(\w+)\(/mg),
    'each function of the module is told of';

done_testing();
