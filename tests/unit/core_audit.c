/* What is on record: the aggregation of floods, and a host that cannot store. */
#include "base/err.h"
#include "core/audit_chain.h"
#include "lib/lab.h"

static const char ping[] = "[app]\nname = \"ping\"\nversion = \"1\"\nwasm = \"ping.wasm\"\n"
                           "[capabilities]\nstdio = true\nfilesystem = true\n";
static const char boot[] = "[[app]]\nname = \"ping\"\n";

static struct lab *fresh(void)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "ping", ping);
    lab_boot(lab, boot, true);
    lab_clear(lab);
    return lab;
}

static void open_file(struct lab *lab, const char *path)
{
    lab_request(lab, "ping", (struct core_request){ .type = CORE_REQ_PATH, .op = CORE_PATH_OPEN,
                                                    .path = span_of_cstr(path) });
}

static void lose(struct lab *lab, uint64_t count)
{
    lab_event(lab, (struct core_event){ .type = CORE_EV_AUDIT_LOST, .count = count });
}

/* --- a host that cannot store -------------------------------------------------------- */

TEST(a_full_disk_is_said_once_then_at_a_rate)
{
    struct lab *lab = fresh();
    lose(lab, 3);
    CHECK_STR(lab->text,
              "CONSOLE_ERR \"vyoma: audit records could not be stored: 3\\n\"\n"
              "AUDIT \"event\":\"verify\",\"app\":\"supervisor\",\"what\":\"audit-log\","
              "\"result\":\"incomplete\",\"lost\":3\n");
    lab_clear(lab);
    lose(lab, 1); /* that record itself */
    for (int i = 0; i < 50; i++) {
        lab_pass(lab, 100);
        lose(lab, 1);
    }
    CHECK_STR(lab->text, "");
    lab_pass(lab, 5100);
    CHECK_STR(lab->text,
              "CONSOLE_ERR \"vyoma: audit records could not be stored: 51 more\\n\"\n"
              "AUDIT \"event\":\"verify\",\"app\":\"supervisor\",\"what\":\"audit-log\","
              "\"result\":\"incomplete\",\"lost\":54\n");
    lab_free(lab);
}

TEST(when_records_are_stored_again_it_is_said_once)
{
    struct lab *lab = fresh();
    lose(lab, 2);
    lab_clear(lab);
    lab_pass(lab, 9999);
    CHECK_STR(lab->text, "");
    lab_pass(lab, 1);
    CHECK_STR(lab->text, "CONSOLE_ERR \"vyoma: audit records are stored again\\n\"\n");
    lab_clear(lab);
    lab_pass(lab, 100000);
    CHECK_STR(lab->text, "");
    lose(lab, 1); /* and from the start */
    CHECK(lab_has(lab, "could not be stored: 1\\n"));
    lab_free(lab);
}

/* A claim that was lost is made again; one that was stored is not. */
TEST(what_is_claimed_is_exactly_what_is_missing)
{
    struct lab *lab = fresh();
    lose(lab, 1);
    CHECK(lab_has(lab, "\"lost\":1\n"));
    lab_clear(lab);
    open_file(lab, "a");
    CHECK(lab_lacks(lab, "\"lost\""));
    lose(lab, 1); /* the file, not the claim */
    lab_pass(lab, 10000);
    CHECK(lab_has(lab, "\"result\":\"incomplete\",\"lost\":1\n"));
    lab_clear(lab);
    lose(lab, 1); /* the claim */
    open_file(lab, "b");
    CHECK(lab_has(lab, "\"value\":\"b\",\"count\":1,\"lost\":2\n"));
    lab_free(lab);
}

/* What a host stores when its disk is full for a while holds as a chain. */
struct disk {
    struct audit_chain chain;
    uint64_t lost;
    bool full;
};

static void step_with_disk(struct lab *lab, struct disk *disk, struct core_event ev)
{
    do {
        ev.now_ms = lab->now_ms;
        core_step(lab->core, &ev, &lab->actions);
        for (uint32_t i = 0; i < lab->actions.count; i++) {
            const struct core_action *a = &lab->actions.list[i];
            if (a->type == CORE_ACT_TIMER)
                lab->timer_ms = a->at_ms;
            if (a->type != CORE_ACT_AUDIT)
                continue;
            if (disk->full || disk->lost)
                disk->lost++;
            else
                audit_chain_feed(&disk->chain, a->bytes);
        }
        ev = (struct core_event){ .type = CORE_EV_AUDIT_LOST, .count = disk->lost };
        disk->lost = 0;
    } while (ev.count);
}

TEST(the_stored_chain_holds_over_a_full_disk)
{
    static struct disk disk;
    struct lab *lab = lab_new(NULL);
    audit_chain_init(&disk.chain);
    step_with_disk(lab, &disk, (struct core_event){ .type = CORE_EV_BOOT, .count = 1 });
    for (int i = 0; i < 200; i++) {
        disk.full = i % 50 > 10 && i % 50 < 45;
        char name[16];
        snprintf(name, sizeof name, "app-%d", i % 8);
        struct core_event start = { .type = CORE_EV_START, .name = span_of_cstr(name) };
        step_with_disk(lab, &disk, start);
        for (uint32_t k = 0; k < 8; k++) { /* which fails at once: one record */
            struct core_event ev = { .type = CORE_EV_LOADED, .error = E_NOENT };
            ev.app = (uint32_t)(1 + i / 8) << 16 | k;
            step_with_disk(lab, &disk, ev);
        }
        lab->now_ms += 1000;
        step_with_disk(lab, &disk, (struct core_event){ .type = CORE_EV_TIMER });
    }
    CHECK(disk.chain.missing > 50);
    CHECK_INT(disk.chain.missing, disk.chain.lost);
    CHECK(audit_chain_holds(&disk.chain));
    lab_free(lab);
}

/* --- floods -------------------------------------------------------------------------- */

/* The sum of count in the records that hold text. */
static long sum(const struct lab *lab, const char *text)
{
    long n = 0;
    for (const char *line = lab->text; *line; line = strchr(line, '\n') + 1) {
        size_t len = strcspn(line, "\n");
        char copy[1200];
        snprintf(copy, sizeof copy, "%.*s", (int)len, line);
        const char *count = strstr(copy, "\"count\":");
        if (strstr(copy, text) && count)
            n += strtol(count + 8, NULL, 10);
    }
    return n;
}

TEST(repeats_are_counted_and_the_counts_add_up)
{
    struct lab *lab = fresh();
    for (int i = 0; i < 1000; i++)
        open_file(lab, "same");
    CHECK_INT(lab->audits, 3); /* boot's, the spawn, the first file */
    lab_pass(lab, 10000);
    CHECK_INT(sum(lab, "\"event\":\"file_open\""), 1000);
    CHECK_INT(lab_count(lab, "\"event\":\"file_open\""), 2);
    open_file(lab, "same");
    lab_exit(lab, "ping", CORE_EXIT_CODE, 0);
    CHECK_INT(sum(lab, "\"event\":\"file_open\""), 1001);
    lab_free(lab);
}

TEST(a_flood_of_kinds_is_counted_too)
{
    struct lab *lab = fresh();
    for (int i = 0; i < 2000; i++) {
        char path[16];
        snprintf(path, sizeof path, "f%d", i);
        open_file(lab, path);
    }
    CHECK(lab_count(lab, "\"event\":\"file_open\"") < 50);
    lab_exit(lab, "ping", CORE_EXIT_CODE, 0);
    CHECK_INT(sum(lab, "\"event\":\"file_open\""), 2000);
    CHECK(lab_has(lab, "\"what\":\"(others)\""));
    lab_free(lab);
}

TEST(grants_do_not_push_denials_out_of_sight)
{
    struct lab *lab = fresh();
    for (int i = 0; i < 2000; i++) {
        char path[16];
        snprintf(path, sizeof path, "f%d", i);
        open_file(lab, path);
    }
    lab_clear(lab);
    lab_request(lab, "ping", (struct core_request){ .type = CORE_REQ_CONNECT, .port = 80,
                                                    .path = SPAN_LIT("evil.example") });
    CHECK(lab_has(lab, "\"event\":\"cap_deny\",\"app\":\"ping\",\"what\":\"connect to\","
                       "\"value\":\"evil.example:80\""));
    lab_free(lab);
}

TEST(looking_is_not_recorded)
{
    struct lab *lab = fresh();
    lab_request(lab, "ping", (struct core_request){ .type = CORE_REQ_PATH, .op = CORE_PATH_STAT,
                                                    .path = SPAN_LIT("x") });
    CHECK_STR(lab->text, "REPLY ping 0 0\n");
    lab_free(lab);
}

TEST_MAIN(RUN(a_full_disk_is_said_once_then_at_a_rate)
              RUN(when_records_are_stored_again_it_is_said_once)
                  RUN(what_is_claimed_is_exactly_what_is_missing)
                      RUN(the_stored_chain_holds_over_a_full_disk)
                          RUN(repeats_are_counted_and_the_counts_add_up)
                              RUN(a_flood_of_kinds_is_counted_too)
                                  RUN(grants_do_not_push_denials_out_of_sight)
                                      RUN(looking_is_not_recorded))
