#include "fleet_claim.hpp"

#include "../core/vary_record.hpp"

namespace cacheback::store {

bool FleetClaim::begin(Store& store, const Key& key, Lease& lease,
                       const Terms& terms, Seen seen) {
    RedisTier* redis = store.redis();
    store_ = &store;
    key_ = key;
    lease_ = &lease;
    seen_ = seen;
    fence_ = store.control().fence(key);
    if (redis == nullptr ||
        !redis->leases().claim(key, lease.token, terms.length, terms.over,
                               terms.spent, on_reply, this, ticket_)) {
        return false;
    }
    // From now on Redis may hold it, whatever becomes of the answer.
    lease.in_fleet = true;
    return true;
}

void FleetClaim::on_reply(void* self, const ClaimReply& reply) {
    auto& claim = *static_cast<FleetClaim*>(self);
    claim.done_(claim.data_, claim.take(reply));
}

FleetClaim::Answer FleetClaim::take(const ClaimReply& reply) {
    ControlZone& control = store_->control();
    switch (reply.status) {
    case ClaimReply::Status::ours: {
        const std::optional<core::Millis> stored =
            core::peek_stored(reply.prologue);
        found_ = stored.has_value();
        // On what the item varies was not known here, or it would be the
        // variant's lease.
        const bool begins_to_vary =
            key_.variant.empty() && core::begins_vary_record(reply.prologue);
        const bool newer =
            !seen_.any &&
            (begins_to_vary ||
             (stored && (!seen_.stored || *stored > *seen_.stored)));
        if (!newer) { return Answer::ours; }
        control.note_write(key_.lease());  // reads under way may miss it
        return Answer::newer;
    }
    case ClaimReply::Status::working:
        store_->hand_over(key_, std::exchange(*lease_, {}));
        // The feed was faster than the answer: that fetch has ended.
        if (control.fence(key_) != fence_) { control.come_back(key_); }
        return Answer::working;
    case ClaimReply::Status::kept:
        control.keep_a_while(key_, std::exchange(*lease_, {}).token);
        return Answer::kept;
    case ClaimReply::Status::unavailable: break;
    }
    // It may have come too late only: then nobody else should wait for it.
    lease_->in_fleet = false;
    store_->redis()->leases().release(key_, lease_->token);
    return Answer::alone;
}

}  // namespace cacheback::store
