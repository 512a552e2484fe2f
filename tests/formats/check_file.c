/* check-file manifest|boot FILE...: reads each and prints what is wrong; exit code 1 when
 * anything is. For tests/formats/documents. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/boot.h"
#include "formats/manifest.h"

enum { MEMORY_BYTES = 32 * 1024 * 1024 };

static int check(bool is_boot, const char *path, void *memory, void *kept)
{
    static char text[BOOT_TEXT_MAX + 1];
    char shown[1024] = "";
    struct arena scratch, keep;
    struct manifest m;
    struct boot b;
    struct format_error err;
    struct strbuf out;
    FILE *f = fopen(path, "rb");
    if (!f)
        return -1;
    struct span all = span_of(text, fread(text, 1, sizeof text, f));
    fclose(f);
    arena_init(&scratch, memory, MEMORY_BYTES);
    arena_init(&keep, kept, MEMORY_BYTES);
    int status = is_boot ? boot_parse(all, &scratch, &keep, &b, &err)
                         : manifest_parse(all, &scratch, &keep, &m, &err);
    if (status == 0)
        return 0;
    strbuf_init(&out, shown, sizeof shown - 1);
    format_error_write(&out, span_of_cstr(path), &err);
    puts(shown);
    return status;
}

int main(int argc, char **argv)
{
    void *memory = malloc(MEMORY_BYTES), *kept = malloc(MEMORY_BYTES);
    int failed = argc < 3 || !memory || !kept;
    for (int i = 2; i < argc && memory && kept; i++)
        failed |= check(strcmp(argv[1], "boot") == 0, argv[i], memory, kept) != 0;
    free(kept);
    free(memory);
    return failed;
}
