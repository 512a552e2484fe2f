/* Completion: the verbs, and the names of the apps that there are. */
#ifndef SHELL_WORDS_H
#define SHELL_WORDS_H

#include <vyoma/msg.h>

/* Forgets all names, before a new list of them. */
void words_clear(void);
/* Takes the name out of one line of `ps --json`. */
void words_learn(const char *json);
/* What to add to the line so that it goes on as far as all candidates agree; with a blank
 * when there is only one. False: nothing is to be added. */
bool words_complete(const char *line, char add[VY_NAME_MAX + 2]);

#endif
