# How long an item is fresh in policy rfc9111 (RFC 9111 4.2): age, lifetimes,
# and what cannot be read.
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Rfc = "location / { cacheback pages; cacheback_policy rfc9111; $Origin }";

run_tests_on_each_tier();

__DATA__

=== TEST 1: the received Age counts, and goes on (4.2.3, 5.1)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=100&h=Age:30         200 MISS
    < Age: 30
GET /o?max_age=100&h=Age:30         200 HIT
    <~ Age: ^3[01]$
GET /old?max_age=100&h=Age:100      200 MISS
GET /old?max_age=100&h=Age:100      200 EXPIRED
wait 1.1
GET /o?max_age=100&h=Age:30         200 HIT
    <~ Age: ^3[12]$



=== TEST 2: so does a Date in the past; one in the future is no age (4.2.3)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=100&date=-50         200 MISS
GET /o?max_age=100&date=-50         200 HIT
    <~ Age: ^5[012]$
GET /old?max_age=100&date=-100      200 MISS
GET /old?max_age=100&date=-100      200 EXPIRED
GET /more?max_age=100&date=-50&h=Age:70     200 MISS
GET /more?max_age=100&date=-50&h=Age:70     200 HIT
    <~ Age: ^7[01]$
GET /ahead?max_age=100&date=500     200 MISS
GET /ahead?max_age=100&date=500     200 HIT
    <~ Age: ^[01]$



=== TEST 3: in policy cacheback the Date does not count
--- store
$TIER
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o?max_age=100&date=-500        200 MISS
GET /o?max_age=100&date=-500        200 HIT
    <~ Age: ^[01]$



=== TEST 4: the time that the answer took is a part of its age (4.2.3)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=100&delay=1.2&h=Age:10   200 MISS
GET /o?max_age=100&delay=1.2&h=Age:10   200 HIT
    <~ Age: ^1[12]$



=== TEST 5: an Age that is no number is none (5.1)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /abc?max_age=60&h=Age:abc           200 MISS
GET /abc?max_age=60&h=Age:abc           200 HIT
GET /minus?max_age=60&h=Age:-7200       200 MISS
GET /minus?max_age=60&h=Age:-7200       200 HIT
GET /part?max_age=60&h=Age:7200.0       200 MISS
GET /part?max_age=60&h=Age:7200.0       200 HIT



=== TEST 6: the largest Age, and the first of several (5.1, 1.2.2)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /a?max_age=60&h=Age:2147483647      200 MISS
GET /a?max_age=60&h=Age:2147483647      200 EXPIRED
GET /b?max_age=60&h=Age:2147483649      200 MISS
GET /b?max_age=60&h=Age:2147483649      200 EXPIRED
GET /c?max_age=60&h=Age:7200,%200       200 MISS
GET /c?max_age=60&h=Age:7200,%200       200 EXPIRED
GET /d?max_age=60&h=Age:0,%207200       200 MISS
GET /d?max_age=60&h=Age:0,%207200       200 HIT
GET /e?max_age=60&h=Age:7200&h=Age:0    200 MISS
GET /e?max_age=60&h=Age:7200&h=Age:0    200 EXPIRED
GET /f?max_age=60&h=Age:0&h=Age:7200    200 MISS
GET /f?max_age=60&h=Age:0&h=Age:7200    200 HIT



=== TEST 7: max-age, fresh and over (4.2.1)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=1                200 MISS
GET /o?max_age=1                200 HIT
wait 1.1
GET /o?max_age=1                200 EXPIRED
    = /o #2
GET /zero?max_age=0             200 MISS
GET /zero?max_age=0             200 MISS
GET /minus?max_age=-1           200 MISS
GET /minus?max_age=-1           200 MISS
GET /long?max_age=99999999999   200 MISS
GET /long?max_age=99999999999   200 HIT



=== TEST 8: s-maxage before max-age before Expires (4.2.1, 5.2.2.10)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /a?cc=max-age=0,s-maxage=60&expires=-10     200 MISS
GET /a?cc=max-age=0,s-maxage=60&expires=-10     200 HIT
GET /b?cc=s-maxage=0,max-age=60&expires=60      200 MISS
GET /b?cc=s-maxage=0,max-age=60&expires=60      200 MISS
GET /c?cc=max-age=60&expires=-10                200 MISS
GET /c?cc=max-age=60&expires=-10                200 HIT
GET /d?cc=max-age=0&expires=60                  200 MISS
GET /d?cc=max-age=0&expires=60                  200 MISS



=== TEST 9: Expires in its three forms (5.3, RFC 9110 5.6.7)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /fix?expires=60                     200 MISS
GET /fix?expires=60                     200 HIT
GET /850?expires=60&form=rfc850         200 MISS
GET /850?expires=60&form=rfc850         200 HIT
GET /asc?expires=60&form=asctime        200 MISS
GET /asc?expires=60&form=asctime        200 HIT
GET /past?expires=-1                    200 MISS
GET /past?expires=-1                    200 MISS
GET /now?expires=0                      200 MISS
GET /now?expires=0                      200 MISS



=== TEST 10: an Expires that cannot be read is long past (5.3)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /a?h=Expires:0                                              200 MISS
GET /a?h=Expires:0                                              200 MISS
GET /b?h=Expires:Thu,%2018%20Aug%202050%2002:01:18%20UTC        200 MISS
GET /b?h=Expires:Thu,%2018%20Aug%202050%2002:01:18%20UTC        200 MISS
GET /c?h=Expires:Thu%2018%20Aug%202050%2002:01:18%20GMT         200 MISS
GET /c?h=Expires:Thu%2018%20Aug%202050%2002:01:18%20GMT         200 MISS
GET /d?h=Expires:Thu,%2018-Aug-2050%2002:01:18%20GMT            200 MISS
GET /d?h=Expires:Thu,%2018-Aug-2050%2002:01:18%20GMT            200 MISS
GET /e?changed=-3600&h=Expires:junk                             200 MISS
GET /e?changed=-3600&h=Expires:junk                             200 EXPIRED



=== TEST 11: Expires counts from the Date that came with it (4.2.1)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /slow?date=-300&expires=-10         200 MISS
GET /slow?date=-300&expires=-10         200 EXPIRED
GET /fast?date=3600&expires=3590        200 MISS
GET /fast?date=3600&expires=3590        200 MISS
GET /aged?expires=60&h=Age:3600         200 MISS
GET /aged?expires=60&h=Age:3600         200 EXPIRED



=== TEST 12: numbers in quotes, with zeros, in an extension (5.2)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /quoted?cc=max-age="60"                     200 MISS
GET /quoted?cc=max-age="60"                     200 HIT
GET /zeros?cc=max-age=0000060                   200 MISS
GET /zeros?cc=max-age=0000060                   200 HIT
GET /ext?cc=extension="max-age=60",max-age=0    200 MISS
GET /ext?cc=extension="max-age=60",max-age=0    200 MISS
GET /rev?cc=max-age=0,extension="max-age=60"    200 MISS
GET /rev?cc=max-age=0,extension="max-age=60"    200 MISS
GET /case?cc=MaX-aGe=60                         200 MISS
GET /case?cc=MaX-aGe=60                         200 HIT
GET /foo?cc=foobar,max-age=60                   200 MISS
GET /foo?cc=foobar,max-age=60                   200 HIT



=== TEST 13: what is no number, and the smaller of two (4.2.1)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /junk?cc=max-age=a100                       200 MISS
GET /junk?cc=max-age=a100                       200 MISS
GET /part?cc=max-age=60.5                       200 MISS
GET /part?cc=max-age=60.5                       200 MISS
GET /single?cc=max-age='60'                     200 MISS
GET /single?cc=max-age='60'                     200 MISS
GET /two?cc=max-age=60&h=Cache-Control:max-age=0    200 MISS
GET /two?cc=max-age=60&h=Cache-Control:max-age=0    200 MISS



=== TEST 14: CDN-Cache-Control before both, as a structured field (RFC 9213 2.2)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /a?cc=no-store&h=CDN-Cache-Control:max-age=60           200 MISS
GET /a?cc=no-store&h=CDN-Cache-Control:max-age=60           200 HIT
GET /b?max_age=60&h=CDN-Cache-Control:max-age=0             200 MISS
GET /b?max_age=60&h=CDN-Cache-Control:max-age=0             200 MISS
GET /c?cc=no-store&h=CDN-Cache-Control:max-age="60"         200 MISS
GET /c?cc=no-store&h=CDN-Cache-Control:max-age="60"         200 MISS
GET /d?cc=no-store&h=CDN-Cache-Control:max-age=60,%20%26%26 200 MISS
GET /d?cc=no-store&h=CDN-Cache-Control:max-age=60,%20%26%26 200 MISS
GET /e?max_age=60&h=CDN-Cache-Control:no-store              200 MISS
GET /e?max_age=60&h=CDN-Cache-Control:no-store              200 MISS
GET /f?max_age=60&h=CDN-Cache-Control:private               200 MISS
GET /f?max_age=60&h=CDN-Cache-Control:private               200 MISS
GET /g?expires=-10&h=CDN-Cache-Control:foo,max-age=60       200 MISS
GET /g?expires=-10&h=CDN-Cache-Control:foo,max-age=60       200 HIT
GET /h?max_age=60&h=CDN-Cache-Control:max-age=600&h=Age:100     200 MISS
GET /h?max_age=60&h=CDN-Cache-Control:max-age=600&h=Age:100     200 HIT
    < CDN-Cache-Control: max-age=600
GET /i?max_age=60&h=CDN-Cache-Control:max-age=60,no-cache="x-a"&h=X-A:1    200 MISS
GET /i?max_age=60&h=CDN-Cache-Control:max-age=60,no-cache="x-a"&h=X-A:1    200 HIT
    <! X-A



=== TEST 15: X-Accel-Expires before all
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /a?cc=no-cache&h=X-Accel-Expires:60         200 MISS
GET /a?cc=no-cache&h=X-Accel-Expires:60         200 HIT
GET /b?cc=max-age=60&h=X-Accel-Expires:0        200 MISS
GET /b?cc=max-age=60&h=X-Accel-Expires:0        200 MISS



=== TEST 16: fields that are ignored do not count
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_policy rfc9111;
    cacheback_ignore_headers Cache-Control; $::Origin }"
--- steps
GET /o?cc=no-store&expires=60   200 MISS
GET /o?cc=no-store&expires=60   200 HIT



=== TEST 17: bounds of lifetimes
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_policy rfc9111;
    cacheback_max_lifetime 1s; $::Origin }"
--- steps
GET /o?max_age=60               200 MISS
GET /o?max_age=60               200 HIT
wait 1.1
GET /o?max_age=60               200 EXPIRED



=== TEST 18: Date and Expires are sent as they were stored (4)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?cc=max-age=31536000&h=Date:Sun,%2006%20Nov%202022%2008:49:37%20GMT&h=Expires:Thu,%2018%20Aug%202050%2002:01:18%20GMT       200 MISS
GET /o?cc=max-age=315360000&h=Date:Sun,%2006%20Nov%202022%2008:49:37%20GMT&h=Expires:Thu,%2018%20Aug%202050%2002:01:18%20GMT      200 MISS
GET /o?cc=max-age=315360000&h=Date:Sun,%2006%20Nov%202022%2008:49:37%20GMT&h=Expires:Thu,%2018%20Aug%202050%2002:01:18%20GMT      200 HIT
    < Date: Sun, 06 Nov 2022 08:49:37 GMT
    < Expires: Thu, 18 Aug 2050 02:01:18 GMT



=== TEST 19: an item of many redirects is as old as it is
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?status=301&max_age=1&h=Location:/x   301 MISS
GET /o?status=301&max_age=1&h=Location:/x   301 HIT
wait 1.1
GET /o?status=301&max_age=1&h=Location:/x   301 EXPIRED
