package CachebackTest;

# Test::Nginx for this module. A test file needs no more than
#
#     use lib 't/lib';
#     use CachebackTest;
#     run_tests();
#     __DATA__
#     === TEST 1: a stale item is served at once and refreshed
#     --- store
#     memory 8m;
#     redis  redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
#     --- config
#     location / {
#         cacheback  pages 1s;
#         proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
#     }
#     --- steps
#     GET /o                  200 MISS
#         = /o #1
#     GET /o                  200 HIT
#     wait 1.1
#     GET /o                  200 STALE
#         < Content-Type: text/plain
#     origin /o 2
#     GET /o                  200 HIT
#         = /o #2
#
# and runs on free ports, beside others. What a file mentions is started for
# it, and stopped by its process id: a private Redis, t/lib/origin.py,
# t/lib/fake_redis.py (one per mode); lua and echo are loaded, and the file is
# skipped where nginx has none. No plan is needed.
#
# In all texts of a block:
#     $TEST_NGINX_REDIS_PORT, $TEST_NGINX_REDIS_SOCKET   the private Redis
#     $TEST_NGINX_ORIGIN_PORT                            t/lib/origin.py
#     $TEST_NGINX_FAKE_REDIS_<MODE>                      fake_redis.py MODE
#     $TEST_NGINX_CLOSED_PORT                            nobody listens
#     $TEST_NGINX_PREFIX                                 differs in each block
# The host name of requests differs in each block too: no block finds what
# another one stored, also when nginx goes on running between them (HUP).
#
# Sections of our own:
#
# --- store         the inside of `cacheback_store pages { … }`. With `redis` and
#                   without `redis_prefix`, the prefix of the block is used. Adds
#                   `add_header X-Cache $cacheback_status always`, too.
# --- steps         requests one after the other, each on its own connection, and
#                   what happens between them. Instead of --- request.
#     METHOD URI [CODE [STATUS]]   STATUS is compared with X-Cache
#         > Name: value            a request field
#         >> text                  the request's body
#         < Name: value            this field, with this value
#         < Name                   this field
#         <~ Name: regex           this field, with a value like this
#         <! Name                  not this field
#         = text                   the body, line by line (\n at their ends)
#         == text                  the body, without a line's end
#         ~ regex                  the body matches
#         !~ regex                 the body does not match
#         same                     body as in the step before
#         within SECONDS           complete in this time
#     wait SECONDS
#     origin PATH COUNT            the origin answers its request number COUNT of
#                                  PATH within 3 s, and gets no more than that
#     fields PATH                  the last request of PATH as the origin saw it,
#                                  to be followed by `~` and `!~` lines
#     redis COMMAND… [=> VALUE]    redis-cli's answer, at first prefix `%`
#     redis-server kill|start|pause|resume
#     log REGEX [COUNT]            so many matching lines in the error log, within 2 s
# --- redis_before  a redis-cli command per line, run before nginx starts.
# --- refused       nginx does not start, and says these words of a line of its
#                   configuration: a file's name and a line stand behind them.
# --- errors        words: [error] is allowed in the log. Not allowed are
#                   [alert], [crit], [emerg] and [error], unless the block has
#                   --- error_log or --- must_die (then [error] is).

# What is left to do after Test::Nginx has stopped nginx in its END: ENDs run
# last to first, so this one stands before. Files of a failed run are kept.
END {
    if (defined $CachebackTest::Owner && $$ == $CachebackTest::Owner) {
        my $failed = $?;
        local $?;
        for my $pid (@CachebackTest::Children) {
            kill 'CONT', $pid;
            kill 'TERM', $pid;
            waitpid $pid, 0;
        }
        File::Path::remove_tree($CachebackTest::Dir)
            if defined $CachebackTest::Dir && !$failed;
    }
}

use Test::Nginx::Socket -Base;
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Copy qw(copy);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Test::More ();
use Time::HiRes qw(sleep time);

our ($Root, $Module, $Dir, $Owner, @Children, %Server, $Blocks, $Text,
    $LoadModules, $UsesLua);

BEGIN {
    $Root   = abs_path(dirname(__FILE__) . '/../..');
    $Owner  = $$;
    $Blocks = 0;
}

# For a server that binds it later: outside the range that the system hands out
# to clients, which would take it meanwhile.
sub free_port () {
    for my $try (0 .. 999) {
        my $port = 10000 + int rand 20000;
        my $socket = IO::Socket::INET->new(Listen => 1,
            LocalAddr => '127.0.0.1', LocalPort => $port) or next;
        return $port;
    }
    die "no free port\n";
}

# Waits until somebody listens there.
sub await_port ($) {
    my ($port) = @_;
    for (1 .. 1000) {
        return $port if IO::Socket::INET->new(
            PeerAddr => '127.0.0.1', PeerPort => $port);
        select undef, undef, undef, 0.01;
    }
    die "nobody listens on port $port\n";
}

sub server_port_of_ours () {
    for my $try (0 .. 999) {
        my $port = 10000 + ($$ * 7 + $try) % 20000;
        my $socket = IO::Socket::INET->new(
            Listen => 1, LocalPort => $port, ReuseAddr => 1) or next;
        return $port;
    }
    die "no free port\n";
}

sub slurp ($) {
    my ($file) = @_;
    open my $in, '<', $file or return '';
    local $/;
    return scalar <$in> // '';
}

# Test::Nginx reads its environment when it is loaded, but uses these later.
BEGIN {
    $Module = $ENV{CACHEBACK_MODULE}
        || "$Root/build/ngx_http_cacheback_module.so";
    $Module = abs_path($Module) || $Module;
    if (!-f $Module && !$ENV{CACHEBACK_STATIC} && !$^C) {
        Test::More::BAIL_OUT("no module at $Module: run make first");
    }

    return if $^C;                      # perl -c
    my $name = basename($0, '.t');
    my $build = $ENV{CACHEBACK_BUILD} || "$Root/build";
    make_path("$build/t");
    $Dir = tempdir("$name-XXXX", DIR => abs_path("$build/t"));
    $ENV{TEST_NGINX_SERVROOT} ||= "$Dir/servroot";

    no warnings 'once';
    $Test::Nginx::Util::ServRoot = $ENV{TEST_NGINX_SERVROOT};
    $ENV{TEST_NGINX_SERVER_ROOT} = $ENV{TEST_NGINX_SERVROOT};
    my $root = $ENV{TEST_NGINX_SERVROOT};
    $Test::Nginx::Util::LogDir     = "$root/logs";
    $Test::Nginx::Util::ErrLogFile = "$root/logs/error.log";
    $Test::Nginx::Util::AccLogFile = "$root/logs/access.log";
    $Test::Nginx::Util::HtmlDir    = "$root/html";
    $Test::Nginx::Util::ConfDir    = "$root/conf";
    $Test::Nginx::Util::ConfFile   = "$root/conf/nginx.conf";
    $Test::Nginx::Util::PidFile    = "$root/logs/nginx.pid";
    $Test::Nginx::Util::CacheDir   = "$root/cache";

    if (!$ENV{TEST_NGINX_SERVER_PORT} && !$ENV{TEST_NGINX_PORT}) {
        my $port = server_port_of_ours;
        $Test::Nginx::Util::ServerPort          = $port;
        $Test::Nginx::Util::ServerPortForClient = $port;
    }
    # Workers that give up root could not reach a servroot below /root.
    if ($> == 0) {
        $Test::Nginx::Util::WorkerUser ||= 'root';
    }
}

# Test::Nginx asks ps whether nginx is only a zombie, which nobody may collect in
# a container. Without /proc, as in a bare chroot, its pid file tells.
if (!-e "/proc/$$") {
    no warnings qw(redefine once);
    *Test::Nginx::Util::is_defunct = sub ($) {
        return 0 if -f $Test::Nginx::Util::PidFile;
        sleep 0.05;                     # it removes the file, then exits
        return 1;
    };
}

# --- servers beside nginx ---------------------------------------------------

sub spawn (@) {
    my @command = @_;
    my $pid = fork() // die "fork: $!\n";
    if ($pid == 0) {
        delete $ENV{LD_PRELOAD};
        exec @command or die "$command[0]: $!\n";
    }
    push @Children, $pid;
    return $pid;
}

# A Python server of ours says its port on its first line.
sub spawn_speaking (@) {
    my ($name, @command) = @_;
    pipe(my $from, my $to) or die "pipe: $!\n";
    my $pid = fork() // die "fork: $!\n";
    if ($pid == 0) {
        delete $ENV{LD_PRELOAD};
        close $from;
        open STDOUT, '>&', $to or die "dup: $!\n";
        exec @command or die "$command[0]: $!\n";
    }
    push @Children, $pid;
    close $to;
    chomp(my $port = <$from> // '');
    Test::More::BAIL_OUT("$name did not start") unless $port;
    return $port;
}

sub start_redis () {
    $ENV{TEST_NGINX_REDIS_PORT}   ||= free_port;
    $ENV{TEST_NGINX_REDIS_SOCKET} ||= "$Dir/redis.sock";
    $Server{redis} = spawn('redis-server', '--bind', '127.0.0.1',
        '--port', $ENV{TEST_NGINX_REDIS_PORT},
        '--unixsocket', $ENV{TEST_NGINX_REDIS_SOCKET},
        '--dir', $Dir, '--save', '', '--appendonly', 'no',
        '--logfile', "$Dir/redis.log", '--daemonize', 'no');
    for (1 .. 300) {
        return if redis_cli('PING') eq "PONG\n";
        sleep 0.01;
    }
    Test::More::BAIL_OUT("redis-server did not start");
}

sub redis_cli (@) {
    my @words = @_;
    open my $out, '-|', 'sh', '-c', 'exec redis-cli -s "$@" 2>&1', 'redis-cli',
        $ENV{TEST_NGINX_REDIS_SOCKET}, @words or return '';
    local $/;
    my $answer = <$out> // '';
    close $out;
    return $answer;
}

sub stop_child ($$) {
    my ($signal, $pid) = @_;
    kill 'CONT', $pid;
    kill $signal, $pid;
    waitpid $pid, 0;
    @Children = grep { $_ != $pid } @Children;
}

# A socket path longer than 107 bytes cannot be bound.
sub short_path_to ($) {
    my ($path) = @_;
    return $path if length $path < 100;
    return tempdir('cacheback-XXXX', TMPDIR => 1, CLEANUP => 1) . '/redis.sock';
}

BEGIN {
    no strict 'refs';
    $Text = slurp($0);
    my $nginx = $Test::Nginx::Util::NginxBinary;
    my $built = `$nginx -V 2>&1`;
    my ($modules) = $built =~ /--modules-path=(\S+)/;
    my @load;
    if ($UsesLua = $Text =~ /_by_lua|\blua_/) {
        push @load, qw(ndk_http_module ngx_http_lua_module)
            unless $built =~ /--add-module=\S*lua-nginx-module/;
        # LuaJIT and the exact unwinder wait for each other in libgcc.
        $ENV{ASAN_OPTIONS} =~ s/(fast_unwind_on_malloc)=0/$1=1/
            if $ENV{ASAN_OPTIONS};
    }
    if ($Text =~ /^\s*echo\b|echo_location/m) {
        unshift @load, 'ndk_http_module' unless @load;
        push @load, 'ngx_http_echo_module';
    }
    for my $name (@load) {
        next if $modules && -f "$modules/$name.so";
        Test::More::plan(skip_all => "this nginx has no $name");
    }
    @load = map {"$modules/$_.so"} @load;
    push @load, $Module unless $ENV{CACHEBACK_STATIC};
    $LoadModules = join '', map {"load_module $_;\n"} @load;
}

INIT {
    if ($Text =~ /REDIS_PORT|REDIS_SOCKET|^redis-server/m) {
        $ENV{TEST_NGINX_REDIS_SOCKET} = short_path_to("$Dir/redis.sock");
        start_redis;
    }
    if ($Text =~ /ORIGIN_PORT|^origin /m) {
        $ENV{TEST_NGINX_ORIGIN_PORT} = spawn_speaking('origin.py',
            'python3', "$Root/t/lib/origin.py");
    }
    my %modes = map { $_ => 1 } $Text =~ /TEST_NGINX_FAKE_REDIS_([A-Z_]+)/g;
    for my $mode (sort keys %modes) {
        $ENV{"TEST_NGINX_FAKE_REDIS_$mode"} = spawn_speaking('fake_redis.py',
            'python3', "$Root/t/lib/fake_redis.py", lc $mode);
    }
    $ENV{TEST_NGINX_CLOSED_PORT} = free_port;
}

# --- blocks -------------------------------------------------------------------

log_level($ENV{TEST_NGINX_LOG_LEVEL} || 'info');
worker_connections(512);
workers($ENV{CACHEBACK_WORKERS} || 1);
no_long_string();
Test::More::plan('no_plan');

add_block_preprocessor {
    my $block = shift;
    $Blocks++;
    $ENV{TEST_NGINX_PREFIX} = "t$$-$Blocks:";
    server_name($block->server_name // "t$$-$Blocks.test");
    http_request('GET', $ENV{TEST_NGINX_ORIGIN_PORT}, '/_/reset')
        if $ENV{TEST_NGINX_ORIGIN_PORT};

    $Test::Nginx::Util::NoRootLocation =
        ($block->config // '') =~ m{^\s*location\s+/\s*\{}m;
    $block->set_value('main_config', $LoadModules
        . ($block->main_config // ''));
    my $http = $block->http_config // '';
    $http = "lua_package_path \"$Root/lua_shim/lib/?.lua;;\";\n$http"
        if $UsesLua;
    if (defined $block->store) {
        my $store = $block->store;
        $store .= "redis_prefix \"$ENV{TEST_NGINX_PREFIX}\";\n"
            if $store =~ /^\s*redis\w*\s/m && $store !~ /redis_prefix/;
        $http = "cacheback_store pages {\n$store}\n"
            . "add_header X-Cache \$cacheback_status always;\n$http";
    }
    $block->set_value('http_config', $http);

    if (defined $block->redis_before) {
        redis_cli(split ' ', $_) for split /\n/, $block->redis_before;
    }
    if (defined $block->steps) {
        $block->set_value('request', 'GET /-steps');
        $block->set_value('error_code', 204);
        $block->set_value('config', ($block->config // '')
            . "location = /-steps { return 204; }\n");
    }

    if (defined $block->refused) {
        (my $words = $block->refused) =~ s/\s*\n\s*/ /g;
        $words =~ s/^ | $//g;
        $words = expand($words, $block->name);
        $block->set_value('must_die', '');
        $block->set_value('error_log',
            qr/\[emerg\] (\d+#\d+: )?\Q$words\E in \S+\.conf:\d+$/m);
    }
    my $expected = $block->error_log;
    $expected = join "\n", @$expected if ref $expected eq 'ARRAY';
    my @never = grep { !defined $expected || index($expected, $_) < 0 }
        qw([alert] [crit] [emerg]);
    if (defined $block->must_die) {
        @never = ('[alert]');
        $block->set_value('suppress_stderr', '');
    }
    elsif (!defined $expected && !defined $block->errors) {
        push @never, '[error]';
    }
    my $own = $block->no_error_log;
    if (!defined $own || !ref $own) {
        $own //= '';
        $own .= "\n" if $own ne '' && $own !~ /\n\z/;
        $block->set_value('no_error_log', $own
            . join '', map {"$_\n"} grep { index($own, $_) < 0 } @never);
    }
};

add_response_body_check(sub {
    my ($block, $body, $index, $repeated, $dry_run) = @_;
    run_steps($block) if defined $block->steps && !$dry_run;
    keep_log() if !Test::More->builder->is_passing;
});

# The next block writes a new log in the same place.
sub keep_log () {
    my $log = $Test::Nginx::Util::ErrLogFile;
    my $kept = "$Dir/error-$Blocks.log";
    copy($log, $kept) if -f $log && !-f $kept;
}

# --- steps --------------------------------------------------------------------

sub http_request ($$$;$$$) {
    my ($method, $port, $uri, $fields, $content, $host) = @_;
    my $started = time;
    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 3)
        or return { code => 'no connection', took => 0, fields => {},
                    body => '' };
    my @fields = @{ $fields || [] };
    unshift @fields, 'Host: ' . ($host // 'localhost')
        unless grep {/^host:/i} @fields;
    push @fields, 'Connection: close' unless grep {/^connection:/i} @fields;
    push @fields, 'Content-Length: ' . length $content
        if defined $content && !grep {/^content-length:/i} @fields;
    local $SIG{PIPE} = 'IGNORE';
    print $socket join "\r\n", "$method $uri HTTP/1.1", @fields, '',
        $content // '';
    my ($all, $limit) = ('', $ENV{TEST_NGINX_TIMEOUT} || 10);
    local $SIG{ALRM} = sub { die "timeout\n" };
    my $in_time = eval {
        alarm $limit;
        while (sysread $socket, $all, 65536, length $all) { }
        alarm 0;
        1;
    };
    alarm 0;
    my $took = time - $started;
    my ($head, $body) = split /\r\n\r\n/, $all, 2;
    $body //= '';
    my ($line, @got) = split /\r\n/, $head // '';
    my %fields;
    for my $field (@got) {
        my ($name, $value) = split /:\s*/, $field, 2;
        $name = lc $name;
        $fields{$name} = exists $fields{$name}
            ? "$fields{$name}, $value" : $value;
    }
    my $whole = $in_time;
    if (lc($fields{'transfer-encoding'} // '') eq 'chunked') {
        my ($rest, $end) = ($body, 0);
        $body = '';
        while ($rest =~ s/^([0-9a-f]+)\r\n//i) {
            my $size = hex $1;
            $end = 1, last if $size == 0;
            $body .= substr $rest, 0, $size;
            $rest = length $rest > $size + 2 ? substr $rest, $size + 2 : '';
        }
        $whole &&= $end;
    }
    elsif (defined $fields{'content-length'} && $method ne 'HEAD'
        && ($line // '') !~ / 304 /)
    {
        $whole &&= length $body == $fields{'content-length'};
    }
    my ($code) = ($line // '') =~ m{^HTTP/1\.\d (\d+)};
    $code //= 'no answer';
    $code .= ' incomplete' unless $whole;
    return { code => $code, took => $took, fields => \%fields,
             body => $body };
}

sub parse_steps ($$) {
    my ($name, $text) = @_;
    my @steps;
    for my $line (split /\n/, $text) {
        next if $line =~ /^\s*(#|$)/;
        if ($line =~ /^\s/) {
            bail_out("$name - steps begin at the line's start") unless @steps;
            $line =~ s/^\s+//;
            push @{ $steps[-1]{details} }, $line;
        }
        else {
            push @steps, { line => $line, details => [] };
        }
    }
    return @steps;
}

sub expand ($$) {
    my ($text, $name) = @_;
    return Test::Nginx::Util::expand_env_in_text($text, $name,
        $Test::Nginx::Util::RandPorts);
}

sub check_details ($$$$) {
    my ($label, $answer, $details, $before) = @_;
    my @lines;
    for my $detail (@$details) {
        if ($detail =~ /^>/) {
            next;
        }
        elsif ($detail =~ /^<!\s*(\S+)/) {
            Test::More::is($answer->{fields}{ lc $1 }, undef,
                "$label: no $1");
        }
        elsif ($detail =~ /^<~\s*([^:\s]+):\s*(.*)$/) {
            Test::More::like($answer->{fields}{ lc $1 }, qr/^$2$/,
                "$label: $1");
        }
        elsif ($detail =~ /^<\s*([^:\s]+):\s*(.*)$/) {
            Test::More::is($answer->{fields}{ lc $1 }, $2, "$label: $1");
        }
        elsif ($detail =~ /^<\s*(\S+)\s*$/) {
            Test::More::isnt($answer->{fields}{ lc $1 }, undef,
                "$label: has $1");
        }
        elsif ($detail =~ /^==(?: (.*))?$/) {
            Test::More::is($answer->{body}, $1 // '', "$label: body");
        }
        elsif ($detail =~ /^=(?: (.*))?$/) {
            push @lines, ($1 // '') . "\n";
        }
        elsif ($detail =~ /^~ (.*)$/) {
            Test::More::like($answer->{body}, qr/$1/m, "$label: body");
        }
        elsif ($detail =~ /^!~ (.*)$/) {
            Test::More::unlike($answer->{body}, qr/$1/m, "$label: body");
        }
        elsif ($detail eq 'same') {
            Test::More::ok($answer->{body} eq ($before->{body} // ''),
                "$label: body as before");
        }
        elsif ($detail =~ /^within ([\d.]+)$/) {
            my $slack = $ENV{CACHEBACK_SLACK} || 1;
            Test::More::cmp_ok($answer->{took}, '<', $1 * $slack,
                "$label: seconds");
        }
        else {
            bail_out("$label - unknown detail of a step: $detail");
        }
    }
    Test::More::is($answer->{body}, join('', @lines), "$label: body")
        if @lines;
}

sub step_request ($$$$$$$) {
    my ($label, $method, $uri, $code, $status, $details, $before) = @_;
    my (@fields, $content);
    for my $detail (@$details) {
        if ($detail =~ /^>> ?(.*)$/) {
            $content = ($content // '') . $1;
        }
        elsif ($detail =~ /^>\s*(.*)$/) {
            push @fields, expand($1, $label);
        }
    }
    my $answer = http_request($method, server_port_for_client(), $uri,
        \@fields, $content, server_name());
    if (defined $code) {
        my $got = $answer->{code};
        $got .= ' ' . ($answer->{fields}{'x-cache'} // '-')
            if defined $status;
        Test::More::is($got, $code . (defined $status ? " $status" : ''),
            $label);
    }
    check_details($label, $answer, $details, $before);
    return $answer;
}

sub step_origin ($$$) {
    my ($label, $path, $count) = @_;
    my $port = $ENV{TEST_NGINX_ORIGIN_PORT};
    my $got = http_request('GET', $port,
        "/_/wait?path=$path&count=$count")->{body};
    # The answer is on its way to nginx, which then stores it.
    sleep 0.05 * ($ENV{CACHEBACK_SLACK} || 1);
    if ($got eq "$count\n") {
        $got = http_request('GET', $port, "/_/count?path=$path")->{body};
    }
    Test::More::is($got, "$count\n", "$label: requests at the origin");
}

sub step_redis_server ($$) {
    my ($label, $what) = @_;
    if ($what eq 'kill') { stop_child('KILL', $Server{redis}) }
    elsif ($what eq 'start') { start_redis }
    elsif ($what eq 'pause') { kill 'STOP', $Server{redis} }
    elsif ($what eq 'resume') { kill 'CONT', $Server{redis} }
    else { bail_out("$label - redis-server kill|start|pause|resume") }
}

sub step_redis ($$) {
    my ($label, $line) = @_;
    my ($command, $expected) = split /\s+=>\s?/, $line, 2;
    my @words = map { s/^%/$ENV{TEST_NGINX_PREFIX}/r } split ' ', $command;
    my $got = redis_cli(@words);
    $got =~ s/\n+\z//;
    Test::More::is($got, $expected, $label) if defined $expected;
}

sub step_log ($$$) {
    my ($label, $regex, $count) = @_;
    my $found = 0;
    for (1 .. 200) {
        # Read without taking note: the block's own checks see it all again.
        local $Test::Nginx::Util::ErrLogFilePos
            = $Test::Nginx::Util::ErrLogFilePos;
        $found = grep {/$regex/}
            @{ Test::Nginx::Util::error_log_data() || [] };
        last if $found >= ($count // 1);
        sleep 0.01;
    }
    if (defined $count) {
        Test::More::is($found, $count, "$label: lines in the log");
    }
    else {
        Test::More::ok($found, "$label: in the log");
    }
}

# After a reload an old worker accepts clients until the master's word reaches
# it: what a step asked of it would be done under the block before.
sub wait_for_reload () {
    my $master = slurp($Test::Nginx::Util::PidFile);
    chomp $master;
    for (1 .. 300) {
        my @accepting = grep {/worker process$/} `ps --ppid $master -o args=`;
        return if @accepting <= $Test::Nginx::Util::Workers;
        sleep 0.01;
    }
}

# A box that meets a Redis without marks of purged tags takes what it fetched
# before for purged.
sub wait_for_marks () {
    my $prefix = $ENV{TEST_NGINX_PREFIX};
    for (1 .. 200) {
        my $made = redis_cli('EXISTS', "$prefix\{${prefix}feed\}:purges");
        return sleep 0.05 if $made eq "1\n";
        sleep 0.01;
    }
}

sub run_steps ($) {
    my ($block) = @_;
    my $name = $block->name;
    if ($Test::Nginx::Util::UseHup) {
        wait_for_reload();
        # What the workers of the block before said until then is not ours.
        $Test::Nginx::Util::ErrLogFilePos = -s $Test::Nginx::Util::ErrLogFile
            if !defined $block->error_log && !defined $block->errors;
    }
    wait_for_marks() if $Server{redis} && $block->steps =~ /Cache-Groups/
        && ($block->store // '') =~ /^redis /m;
    my ($number, $before) = (0, {});
    for my $step (parse_steps($name, $block->steps)) {
        $number++;
        my $line = expand($step->{line}, $name);
        my $label = "$name - step $number, $line";
        my $details = $step->{details};
        if ($line =~ /^([A-Z]+)\s+(\S+)(?:\s+(\d+)(?:\s+(\S+))?)?\s*$/) {
            $before = step_request($label, $1, $2, $3, $4, $details, $before);
        }
        elsif ($line =~ /^wait\s+([\d.]+)$/) {
            sleep $1;
        }
        elsif ($line =~ /^origin\s+(\S+)\s+(\d+)$/) {
            step_origin($label, $1, $2);
        }
        elsif ($line =~ /^fields\s+(\S+)$/) {
            my $answer = http_request('GET', $ENV{TEST_NGINX_ORIGIN_PORT},
                "/_/fields?path=$1");
            check_details($label, $answer, $details, {});
        }
        elsif ($line =~ /^redis-server\s+(\w+)$/) {
            step_redis_server($label, $1);
        }
        elsif ($line =~ /^redis\s+(.+)$/) {
            step_redis($label, $1);
        }
        elsif ($line =~ /^log\s+(\S.*?)(?:\s+(\d+))?$/) {
            step_log($label, $1, $2);
        }
        else {
            bail_out("$label - unknown step");
        }
    }
}

1;
