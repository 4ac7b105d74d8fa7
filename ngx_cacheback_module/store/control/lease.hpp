// store/control/lease.hpp: the right to fetch an item, in the hands of who
// fetches it.
#pragma once

#include "lease_table.hpp"

namespace cacheback::store {

struct Lease {
    LeaseToken token = 0;
    bool in_fleet = false;  // Redis holds it as well, for the other boxes

    explicit operator bool() const noexcept { return token != 0; }
};

}  // namespace cacheback::store
