// core/http_date.cpp: one pass over the text per form; nothing of the C
// library's time functions, which know locales and zones.
#include "http_date.hpp"

#include <array>
#include <cstddef>

#include "text.hpp"

namespace cacheback::core {

namespace {

constexpr Seconds day_seconds = 24 * 3600;
constexpr Seconds year_seconds = 31556952;  // the mean Gregorian year

struct Moment {
    int year = 0;
    int month = 0;  // 1 to 12
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
};

constexpr bool is_leap(int year) noexcept {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

// Reads from the front of a text; after the first mismatch all else fails.
class Scanner {
  public:
    explicit Scanner(std::string_view text) noexcept : rest_(text) {}

    bool literal(std::string_view wanted) noexcept {
        if (!istarts_with(rest_, wanted)) { return fail(); }
        rest_.remove_prefix(wanted.size());
        return ok_;
    }

    bool number(int& value, std::size_t digits) noexcept {
        if (rest_.size() < digits) { return fail(); }
        value = 0;
        for (char c : rest_.substr(0, digits)) {
            if (!is_digit(c)) { return fail(); }
            value = value * 10 + (c - '0');
        }
        rest_.remove_prefix(digits);
        return ok_;
    }

    // One of some names; `index` counts from 0.
    template <std::size_t count>
    bool name(int& index,
              const std::array<std::string_view, count>& names) noexcept {
        for (std::size_t i = 0; i < count; ++i) {
            if (istarts_with(rest_, names[i])) {
                rest_.remove_prefix(names[i].size());
                index = static_cast<int>(i);
                return ok_;
            }
        }
        return fail();
    }

    [[nodiscard]] bool starts_with(char c) const noexcept {
        return !rest_.empty() && rest_.front() == c;
    }
    [[nodiscard]] bool done() const noexcept { return ok_ && rest_.empty(); }

  private:
    bool fail() noexcept {
        ok_ = false;
        rest_ = {};
        return false;
    }

    std::string_view rest_;
    bool ok_ = true;
};

constexpr std::array<std::string_view, 12> month_names = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun",
    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> day_names = {
    "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 7> long_day_names = {
    "Monday", "Tuesday",  "Wednesday", "Thursday",
    "Friday", "Saturday", "Sunday"};

bool scan_month(Scanner& scanner, Moment& moment) noexcept {
    const bool found = scanner.name(moment.month, month_names);
    ++moment.month;
    return found;
}

bool scan_time(Scanner& scanner, Moment& moment) noexcept {
    return scanner.number(moment.hour, 2) && scanner.literal(":") &&
           scanner.number(moment.minute, 2) && scanner.literal(":") &&
           scanner.number(moment.second, 2);
}

// Sun, 06 Nov 1994 08:49:37 GMT
bool scan_fixdate(std::string_view text, Moment& moment) noexcept {
    Scanner scanner(text);
    int weekday = 0;
    return scanner.name(weekday, day_names) && scanner.literal(", ") &&
           scanner.number(moment.day, 2) && scanner.literal(" ") &&
           scan_month(scanner, moment) && scanner.literal(" ") &&
           scanner.number(moment.year, 4) && scanner.literal(" ") &&
           scan_time(scanner, moment) && scanner.literal(" GMT") &&
           scanner.done();
}

// Sunday, 06-Nov-94 08:49:37 GMT
bool scan_rfc850(std::string_view text, Moment& moment) noexcept {
    Scanner scanner(text);
    int weekday = 0;
    return scanner.name(weekday, long_day_names) && scanner.literal(", ") &&
           scanner.number(moment.day, 2) && scanner.literal("-") &&
           scan_month(scanner, moment) && scanner.literal("-") &&
           scanner.number(moment.year, 2) && scanner.literal(" ") &&
           scan_time(scanner, moment) && scanner.literal(" GMT") &&
           scanner.done();
}

// Sun Nov  6 08:49:37 1994
bool scan_asctime(std::string_view text, Moment& moment) noexcept {
    Scanner scanner(text);
    int weekday = 0;
    if (!scanner.name(weekday, day_names) || !scanner.literal(" ") ||
        !scan_month(scanner, moment) || !scanner.literal(" ")) {
        return false;
    }
    const bool padded = scanner.starts_with(' ');
    if (padded && !scanner.literal(" ")) { return false; }
    return scanner.number(moment.day, padded ? 1 : 2) && scanner.literal(" ") &&
           scan_time(scanner, moment) && scanner.literal(" ") &&
           scanner.number(moment.year, 4) && scanner.done();
}

bool exists(const Moment& moment) noexcept {
    constexpr std::array<int, 12> lengths = {31, 28, 31, 30, 31, 30,
                                             31, 31, 30, 31, 30, 31};
    const bool leap_day =
        moment.month == 2 && moment.day == 29 && is_leap(moment.year);
    return moment.day >= 1 && moment.hour <= 23 && moment.minute <= 59 &&
           moment.second <= 60 &&
           (moment.day <= lengths[static_cast<std::size_t>(moment.month - 1)] ||
            leap_day);
}

// Days before a year's first, counted from 1970; years count from March, so
// that the leap day is the last of its year.
constexpr Seconds days_since_epoch(int year, int month, int day) noexcept {
    const Seconds y = month <= 2 ? year - 1 : year;
    const Seconds m = month <= 2 ? month + 9 : month - 3;
    const Seconds floor4 = y >= 0 ? y / 4 : -1;  // y is -1 at least
    const Seconds floor100 = y >= 0 ? y / 100 : -1;
    const Seconds floor400 = y >= 0 ? y / 400 : -1;
    return 365 * y + floor4 - floor100 + floor400 + (153 * m + 2) / 5 + day -
           1 - 719468;
}
static_assert(days_since_epoch(1970, 1, 1) == 0);
static_assert(days_since_epoch(2000, 3, 1) == 11017);

Seconds since_epoch(const Moment& moment) noexcept {
    // A leap second is told as the one before it: never later than meant
    // (RFC 9111 4.2).
    const int seconds = moment.second == 60 ? 59 : moment.second;
    return days_since_epoch(moment.year, moment.month, moment.day) *
               day_seconds +
           moment.hour * 3600 + moment.minute * 60 + seconds;
}

// The latest year that ends in these two digits and does not put the moment
// more than 50 years into the future (RFC 9110 5.6.7).
void place_century(Moment& moment, Seconds now) noexcept {
    const Seconds limit = now + 50 * year_seconds;
    const auto year_now = static_cast<int>(1970 + now / year_seconds);
    moment.year += (year_now / 100 + 1) * 100;
    while (moment.year >= 100 && since_epoch(moment) > limit) {
        moment.year -= 100;
    }
}

}  // namespace

std::optional<Seconds> parse_http_date(std::string_view text,
                                       Seconds now) noexcept {
    text = trim(text);
    Moment moment;
    if (scan_rfc850(text, moment)) {
        place_century(moment, now);
    } else if (!scan_fixdate(text, moment) && !scan_asctime(text, moment)) {
        return std::nullopt;
    }
    if (!exists(moment)) { return std::nullopt; }
    return since_epoch(moment);
}

}  // namespace cacheback::core
