// ngx/ngx.hpp: the one place that includes nginx's headers.
// C++ standard headers that nginx's macros could disturb come before.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

extern "C" {
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include <ngx_http.h>
#include <ngx_md5.h>
}

static_assert(__cplusplus >= 201703L, "cacheback needs a C++17 compiler");
