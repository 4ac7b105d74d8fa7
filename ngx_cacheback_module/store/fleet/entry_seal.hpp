// store/fleet/entry_seal.hpp: what stands behind each entry in a Redis that
// others can write to (redis_sign): a MAC over its name there and its bytes
// (docs/ENTRY_FORMAT.md, "Signed").
#pragma once

#include <memory>

#include "../../ngx/hmac.hpp"
#include "../memory/bytes.hpp"
#include "redis_conf.hpp"

namespace cacheback::store {

class EntrySeal {
  public:
    static constexpr std::size_t size = std::tuple_size_v<ngx::Hmac::Mac>;

    explicit EntrySeal(const RedisConf& conf);

    // False: entries stand for themselves, the rest does nothing.
    [[nodiscard]] bool is_on() const noexcept { return sign_ != nullptr; }

    // The entry and its MAC, which lasts until the next call.
    [[nodiscard]] Pieces seal(std::string_view name, const Pieces& entry);
    // The entry alone; nothing when neither of our keys has made the MAC.
    [[nodiscard]] std::optional<std::string_view> open(std::string_view name,
                                                       std::string_view value);

  private:
    std::unique_ptr<ngx::Hmac> sign_;
    std::unique_ptr<ngx::Hmac> previous_;
    ngx::Hmac::Mac mac_{};
};

}  // namespace cacheback::store
