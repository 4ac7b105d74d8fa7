#include "cache_groups.hpp"

#include "structured_field.hpp"
#include "text.hpp"

namespace cacheback::core {

namespace {

std::string word_of(std::string_view origin, std::string_view group) {
    constexpr char digits[] = "0123456789ABCDEF";
    std::string word(origin);
    word += '#';
    for (char c : group) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
        if (plain || std::string_view("-._~").find(c) != std::string::npos) {
            word += c;
        } else {
            word += '%';
            word += digits[byte >> 4];
            word += digits[byte & 15];
        }
    }
    return word;
}

}  // namespace

Groups read_groups(Fields fields, std::string_view name,
                   std::string_view origin) {
    Groups groups;
    for (const Field& field : fields) {
        if (!iequal(field.name, name)) { continue; }
        StructuredReader reader(field.value);
        StructuredValue value;
        while (reader.next(value)) {
            if (value.type != StructuredValue::Type::string) { return {}; }
            const std::string group = unescaped(value.text);
            groups.too_many = groups.too_many || group.size() > max_group_name;
            groups.words.push_back(word_of(origin, group));
        }
        if (reader.failed()) { return {}; }
    }
    groups.too_many = groups.too_many || groups.words.size() > max_groups;
    return groups;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        if (!text.empty()) { text += ' '; }
        text += word;
    }
    return text;
}

}  // namespace cacheback::core
