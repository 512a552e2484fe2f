/* Dates and times, RFC 3339 as TOML narrows it. */
#include "toml_parser.h"

bool toml_date_like(struct span token)
{
    size_t n = 0;
    while (n < token.len && toml_is_digit(token.p[n]))
        n++;
    return (n == 4 && n < token.len && token.p[n] == '-') ||
           (n == 2 && n < token.len && token.p[n] == ':');
}

/* Exactly n digits at the front of *s, taken off; -1 when they are not there. */
static int take_number(struct span *s, unsigned n)
{
    int value = 0;
    if (s->len < n)
        return -1;
    for (unsigned i = 0; i < n; i++) {
        if (!toml_is_digit(s->p[i]))
            return -1;
        value = value * 10 + (s->p[i] - '0');
    }
    *s = span_skip(*s, n);
    return value;
}

static bool take_char(struct span *s, char c)
{
    if (s->len == 0 || s->p[0] != (uint8_t)c)
        return false;
    *s = span_skip(*s, 1);
    return true;
}

static int days_in(int year, int month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_date(struct span *s, struct toml_datetime *ret)
{
    int year = take_number(s, 4);
    if (year < 0 || !take_char(s, '-'))
        return false;
    int month = take_number(s, 2);
    if (month < 1 || month > 12 || !take_char(s, '-'))
        return false;
    int day = take_number(s, 2);
    if (day < 1 || day > days_in(year, month))
        return false;
    ret->year = (uint16_t)year;
    ret->month = (uint8_t)month;
    ret->day = (uint8_t)day;
    return true;
}

/* ".123": digits beyond the ninth are dropped, as the specification allows. */
static bool take_fraction(struct span *s, struct toml_datetime *ret)
{
    uint32_t scale = 100000000;
    if (!take_char(s, '.'))
        return true;
    if (s->len == 0 || !toml_is_digit(s->p[0]))
        return false;
    while (s->len && toml_is_digit(s->p[0])) {
        ret->nanosecond += (uint32_t)(s->p[0] - '0') * scale;
        scale /= 10;
        *s = span_skip(*s, 1);
    }
    return true;
}

static bool take_hour_minute(struct span *s, int *ret_hour, int *ret_minute)
{
    *ret_hour = take_number(s, 2);
    if (*ret_hour < 0 || *ret_hour > 23 || !take_char(s, ':'))
        return false;
    *ret_minute = take_number(s, 2);
    return *ret_minute >= 0 && *ret_minute <= 59;
}

static bool take_time(struct span *s, struct toml_datetime *ret)
{
    int hour, minute;
    if (!take_hour_minute(s, &hour, &minute) || !take_char(s, ':'))
        return false;
    int second = take_number(s, 2);
    if (second < 0 || second > 60)
        return false;
    ret->hour = (uint8_t)hour;
    ret->minute = (uint8_t)minute;
    ret->second = (uint8_t)second;
    return take_fraction(s, ret);
}

static bool take_offset(struct span *s, struct toml_datetime *ret)
{
    int hour, minute;
    if (take_char(s, 'Z') || take_char(s, 'z'))
        return true;
    bool west = take_char(s, '-');
    if ((!west && !take_char(s, '+')) || !take_hour_minute(s, &hour, &minute))
        return false;
    int total = hour * 60 + minute;
    ret->offset_minutes = (int16_t)(west ? -total : total);
    return true;
}

static bool read(struct span s, struct toml_value *v)
{
    struct toml_datetime *d = &v->as.datetime;
    if (s.p[2] == ':') {
        v->type = TOML_LOCAL_TIME;
        return take_time(&s, d) && s.len == 0;
    }
    if (!take_date(&s, d))
        return false;
    v->type = TOML_LOCAL_DATE;
    if (s.len == 0)
        return true;
    if (!take_char(&s, 'T') && !take_char(&s, 't') && !take_char(&s, ' '))
        return false;
    v->type = TOML_LOCAL_DATETIME;
    if (!take_time(&s, d))
        return false;
    if (s.len == 0)
        return true;
    v->type = TOML_OFFSET_DATETIME;
    return take_offset(&s, d) && s.len == 0;
}

int toml_read_date(struct toml_parser *p, struct span token, struct toml_value *v)
{
    memset(&v->as, 0, sizeof v->as);
    if (read(token, v))
        return E_OK;
    return TOML_FAIL(p, p->pos, "'%s' is not a valid date or time\n"
                                "like 2026-02-28, 07:32:00 or 2026-02-28T07:32:00Z", token);
}
