/* What the attempts share. An attempt is a function that tries one thing and reports it:
 *
 *     rogue: NAME: refused: ERRNO
 *     rogue: NAME: SUCCEEDED
 *     rogue: NAME: what else happened
 *
 * Some end the app (traps, endless loops): what happened then is for others to say. */
#ifndef ROGUE_ROGUE_H
#define ROGUE_ROGUE_H

#include <vyoma/fs.h>

struct attempt {
    const char *name;
    void (*run)(const char *name, uint64_t argument);
    uint64_t argument; /* when none is given */
    bool in_all;       /* ends by itself, with a report: part of `all` */
};

extern const struct attempt path_attempts[], talk_attempts[], flood_attempts[], trap_attempts[];

extern int data_dir; /* descriptor of /data, or -1 */
extern int succeeded; /* attempts that should not have */

/* err 0: it succeeded, and should not have. `detail` may be NULL. */
void report(const char *name, const char *detail, int err);
/* Something that is no refusal and no success. */
void tell(const char *name, const char *what, uint64_t count);

#endif
