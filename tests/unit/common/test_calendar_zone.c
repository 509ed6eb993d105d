// SPDX-License-Identifier: Apache-2.0
// Time zones: offsets in the table and beyond it, times that occur twice or never, names, damaged files.
#include "calendar_zone.h"

#include <stdlib.h>
#include <unistd.h>

#include "table.h"

static struct calendar_zone *zone(const char *name)
{
    struct calendar_zone *z = NULL;
    if (calendar_zone_create(name, NULL, &z) != CALENDAR_OK)
        fail_msg("no zone \"%s\"", name);
    return z;
}

static int64_t at(const char *text)
{
    int64_t micros = 0;
    if (calendar_parse_timestamp(text, strlen(text), CALENDAR_SQL, &micros) != CALENDAR_OK)
        fail_msg("bad timestamp in a table: %s", text);
    return micros;
}

static void check_time(const char *row, int64_t micros, const char *want)
{
    char got[CALENDAR_TEXT_MAX];
    check_text(row, got, calendar_print_timestamp(got, micros, 6, CALENDAR_TRIM), want);
}

static void instants_to_wall_clock(void **state)
{
    static const struct {
        const char *zone, *utc, *local;
    } rows[] = {
        {"UTC", "2024-02-29 12:34:56", "2024-02-29 12:34:56"},
        {"Asia/Shanghai", "2024-02-29 12:34:56.789", "2024-02-29 20:34:56.789"},
        {"Asia/Shanghai", "1900-01-01 00:00:00", "1900-01-01 08:05:43"},
        {"Asia/Shanghai", "1986-06-01 00:00:00", "1986-06-01 09:00:00"},
        {"America/New_York", "2024-02-29 12:34:56", "2024-02-29 07:34:56"},
        {"America/New_York", "2024-03-10 06:59:59.999999", "2024-03-10 01:59:59.999999"},
        {"America/New_York", "2024-03-10 07:00:00", "2024-03-10 03:00:00"},
        {"America/New_York", "2024-11-03 05:59:59", "2024-11-03 01:59:59"},
        {"America/New_York", "2024-11-03 06:00:00", "2024-11-03 01:00:00"},
        {"America/New_York", "2100-07-01 12:00:00", "2100-07-01 08:00:00"},
        {"America/New_York", "2100-12-01 12:00:00", "2100-12-01 07:00:00"},
        {"Europe/Berlin", "2100-03-28 00:59:59", "2100-03-28 01:59:59"},
        {"Europe/Berlin", "2100-03-28 01:00:00", "2100-03-28 03:00:00"},
        {"Europe/Berlin", "2100-10-31 00:59:59", "2100-10-31 02:59:59"},
        {"Europe/Berlin", "2100-10-31 01:00:00", "2100-10-31 02:00:00"},
        {"Europe/Dublin", "2100-07-01 12:00:00", "2100-07-01 13:00:00"},
        {"Europe/Dublin", "2100-01-01 12:00:00", "2100-01-01 12:00:00"},
        {"Australia/Sydney", "2100-01-01 00:00:00", "2100-01-01 11:00:00"},
        {"Australia/Sydney", "2100-07-01 00:00:00", "2100-07-01 10:00:00"},
        {"Asia/Kolkata", "1969-12-31 23:59:59.5", "1970-01-01 05:29:59.5"},
        {"+05:30", "2024-02-29 12:00:00", "2024-02-29 17:30:00"},
        {"GMT+8", "2024-02-29 12:00:00", "2024-02-29 20:00:00"},
        {"UTC-05:30", "2024-02-29 12:00:00", "2024-02-29 06:30:00"},
        {"Z", "2024-02-29 12:00:00", "2024-02-29 12:00:00"},
        {"Etc/GMT+8", "2024-02-29 12:00:00", "2024-02-29 04:00:00"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct calendar_zone *z = zone(rows[i].zone);
        check_time(rows[i].zone, calendar_zone_to_local(z, at(rows[i].utc)), rows[i].local);
        calendar_zone_destroy(z);
    }
}

static void wall_clock_to_instants(void **state)
{
    static const struct {
        const char *zone, *local, *earlier, *later;
    } rows[] = {
        {"Asia/Shanghai", "2024-02-29 20:34:56", "2024-02-29 12:34:56", "2024-02-29 12:34:56"},
        {"America/New_York", "2024-03-10 01:59:59", "2024-03-10 06:59:59", "2024-03-10 06:59:59"},
        {"America/New_York", "2024-03-10 02:30:00", "2024-03-10 07:30:00", "2024-03-10 07:30:00"},
        {"America/New_York", "2024-03-10 03:00:00", "2024-03-10 07:00:00", "2024-03-10 07:00:00"},
        {"America/New_York", "2024-11-03 00:59:59", "2024-11-03 04:59:59", "2024-11-03 04:59:59"},
        {"America/New_York", "2024-11-03 01:30:00", "2024-11-03 05:30:00", "2024-11-03 06:30:00"},
        {"America/New_York", "2024-11-03 02:00:00", "2024-11-03 07:00:00", "2024-11-03 07:00:00"},
        {"America/New_York", "2024-11-04 01:30:00", "2024-11-04 06:30:00", "2024-11-04 06:30:00"},
        {"Pacific/Apia", "2011-12-30 12:00:00", "2011-12-30 22:00:00", "2011-12-30 22:00:00"},
        {"Europe/Berlin", "2100-10-31 02:30:00", "2100-10-31 00:30:00", "2100-10-31 01:30:00"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct calendar_zone *z = zone(rows[i].zone);
        check_time(rows[i].local, calendar_zone_to_utc(z, at(rows[i].local), CALENDAR_EARLIER), rows[i].earlier);
        check_time(rows[i].local, calendar_zone_to_utc(z, at(rows[i].local), CALENDAR_LATER), rows[i].later);
        calendar_zone_destroy(z);
    }
}

static void names_are_judged(void **state)
{
    static const struct {
        const char *name;
        int rc;
    } rows[] = {
        {"", CALENDAR_NO_ZONE},
        {"Nowhere/Land", CALENDAR_NO_ZONE},
        {"../../../etc/passwd", CALENDAR_NO_ZONE},
        {"/etc/passwd", CALENDAR_NO_ZONE},
        {"Asia//Shanghai", CALENDAR_NO_ZONE},
        {"Asia", CALENDAR_NO_ZONE},
        {"Asia/", CALENDAR_NO_ZONE},
        {"Europe/Berlin\n", CALENDAR_NO_ZONE},
        {"GMT+99:00", CALENDAR_NO_ZONE},
        {"+8:0", CALENDAR_NO_ZONE},
        {"zone.tab", CALENDAR_NO_ZONE},
        {"+0800", CALENDAR_OK},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct calendar_zone *z = NULL;
        check_int(rows[i].name, calendar_zone_create(rows[i].name, NULL, &z), rows[i].rc);
        calendar_zone_destroy(z);
    }
}

static void write_file(const char *path, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

// Every truncation is refused, and no flipped byte does harm.
static void damaged_files_are_harmless(void **state)
{
    static uint8_t bytes[8192];
    char dir[] = "/tmp/leat-zone-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/Zone", dir);
    FILE *f = fopen(CALENDAR_ZONE_DIR "/Europe/Berlin", "rb");
    assert_non_null(f);
    size_t len = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    struct calendar_zone *z = NULL;
    for (size_t cut = 0; cut < len; cut += 7) {
        write_file(path, bytes, cut);
        assert_int_equal(calendar_zone_create("Zone", dir, &z), CALENDAR_MALFORMED);
    }
    for (size_t i = 0; i < len; i += i < 60 || i + 40 > len ? 1 : 13) {
        bytes[i] ^= 0x85;
        write_file(path, bytes, len);
        z = NULL;
        if (calendar_zone_create("Zone", dir, &z) == CALENDAR_OK)
            for (int64_t t = -6000; t < 6000; t++)
                (void)calendar_zone_to_utc(z, t * CALENDAR_DAY * 30, CALENDAR_LATER);
        calendar_zone_destroy(z);
        bytes[i] ^= 0x85;
    }
    unlink(path);
    rmdir(dir);
}

// A file of version 2 without times, which holds the rule only.
static void rules_are_understood(void **state)
{
    static const struct {
        const char *rule, *utc;
        int32_t offset; // in minutes; -9999 = refused
    } rows[] = {
        {"CST-8", "2024-06-01 00:00:00", 480},
        {"<+0330>-3:30", "2024-06-01 00:00:00", 210},
        {"EST5EDT,M3.2.0,M11.1.0", "2024-03-10 06:59:59", -300},
        {"EST5EDT,M3.2.0,M11.1.0", "2024-03-10 07:00:00", -240},
        {"EST5EDT4,M3.2.0,M11.1.0", "2024-11-03 05:59:59", -240},
        {"EST5EDT,M3.2.0,M11.1.0", "2024-11-03 06:00:00", -300},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2024-07-01 00:00:00", 60},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2024-12-01 00:00:00", 0},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2024-03-31 00:59:59", -120},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2024-03-31 01:00:00", -60},
        {"AAA0BBB,J60,J300", "2024-02-29 23:59:59", 0},
        {"AAA0BBB,J60,J300", "2024-03-01 02:00:00", 60},
        {"AAA0BBB,J60,J300", "2023-03-01 01:59:59", 0},
        {"AAA0BBB,59,300", "2024-02-29 02:00:00", 60},
        {"AAA0BBB,59/0,300", "2023-03-01 00:00:00", 60},
        {"", "2024-06-01 00:00:00", 7},
        {"X", "2024-06-01 00:00:00", -9999},
        {"CST-8X", "2024-06-01 00:00:00", -9999},
        {"EST5EDT,M13.2.0,M11.1.0", "2024-06-01 00:00:00", -9999},
        {"EST5EDT,M3.2.0", "2024-06-01 00:00:00", -9999},
        {"EST99", "2024-06-01 00:00:00", -9999},
    };
    char dir[] = "/tmp/leat-zone-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/Zone", dir);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[256] = "TZif2";
        memcpy(bytes + 44, "TZif2", 5);
        bytes[44 + 39] = 1;              // one type
        bytes[44 + 44 + 2] = 420 >> 8;   // of 420 seconds
        bytes[44 + 44 + 3] = 420 & 0xff; //
        int rule = sprintf((char *)bytes + 94, "\n%s\n", rows[i].rule);
        write_file(path, bytes, 94 + (size_t)rule);
        struct calendar_zone *z = NULL;
        int rc = calendar_zone_create("Zone", dir, &z);
        check_int(rows[i].rule, rc, rows[i].offset == -9999 ? CALENDAR_MALFORMED : CALENDAR_OK);
        if (rc == CALENDAR_OK)
            check_int(rows[i].rule, calendar_zone_offset(z, at(rows[i].utc)), rows[i].offset * 60);
        calendar_zone_destroy(z);
    }
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_to_wall_clock),     cmocka_unit_test(wall_clock_to_instants),
        cmocka_unit_test(names_are_judged),           cmocka_unit_test(rules_are_understood),
        cmocka_unit_test(damaged_files_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
