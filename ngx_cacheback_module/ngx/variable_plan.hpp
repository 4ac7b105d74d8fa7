// ngx/variable_plan.hpp: what a detached request does about each variable
// that its client's request may have evaluated.
#pragma once

#include "ngx.hpp"

namespace cacheback::ngx {

enum class VariableRule : u_char {
    copy,      // `set`, named captures: cannot be found again
    evaluate,  // belongs to the client's connection: evaluate there, copy
    leave,     // all others: the detached request finds its own, by its own
               // fields, and so nothing that comes of a client's cookie
};

// One rule for each indexed variable of the configuration.
class VariablePlan {
  public:
    // At postconfiguration. NGX_ERROR when there is no memory.
    ngx_int_t build(ngx_conf_t& cf) noexcept;

    // Fills the variables of `to` from those of `from`, deep copies in `pool`.
    [[nodiscard]] bool apply(ngx_http_request_t& from,
                             ngx_http_variable_value_t* to,
                             ngx_pool_t& pool) const noexcept;

  private:
    VariableRule* rules_ = nullptr;
    ngx_uint_t count_ = 0;
};

}  // namespace cacheback::ngx
