// lua/keys.hpp: keys as Lua names them, in the two spaces of a store.
#pragma once

#include "../store/control/key_space.hpp"
#include "../store/store.hpp"

namespace cacheback::lua {

// The text of a key; that of a response as the HTTP side stores it.
[[nodiscard]] inline std::string key_text(const char* key, std::size_t size,
                                          int of_response) {
    std::string text(key, size);
    if (of_response != 0 && store::needs_colon(text)) {
        text.insert(text.begin(), ':');
    }
    return text;
}

// A key that lasts as long as whoever asks for it needs.
class OwnedKey {
  public:
    OwnedKey(store::Store& store, std::string text)
        : text_(std::move(text)), key_(store.control().key(text_)) {}
    OwnedKey(const OwnedKey&) = delete;
    OwnedKey& operator=(const OwnedKey&) = delete;

    [[nodiscard]] const store::Key& operator*() const noexcept { return key_; }

  private:
    std::string text_;
    store::Key key_;
};

}  // namespace cacheback::lua
