// t/lib/unit.hpp: cmocka for C++. Include it last: cmocka's macros have the
// names of ordinary functions.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/field.hpp"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
extern "C" {
#include <cmocka.h>
}

// Shows both texts when they differ.
#define assert_text(actual, expected)                \
    assert_string_equal(std::string(actual).c_str(), \
                        std::string(expected).c_str())

// A list of fields that lasts as long as the object.
class FieldList {
  public:
    FieldList() = default;
    FieldList(std::initializer_list<cacheback::core::Field> fields)
        : fields_(fields) {}
    void add(std::string_view name, std::string_view value) {
        fields_.push_back({name, value});
    }
    operator cacheback::core::Fields() const {
        return {fields_.data(), fields_.size()};
    }

  private:
    std::vector<cacheback::core::Field> fields_;
};
