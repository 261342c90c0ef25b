/* The output of the same file, which delivers nothing and says how many filters it sees. */
#include "trial.h"

#include <stdio.h>

struct def {
    int type;
    int proxy;
    int flags;
    char *name;
    char *description;
};

int FLBPluginRegister(struct def *def)
{
    def->type = 2;
    def->proxy = 11;
    def->flags = 0;
    def->name = "trial";
    def->description = "an output";
    return 0;
}

static void say_number(const char *what)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", live_filters);
    say(what, text);
}

int FLBPluginInit(void *plugin)
{
    (void) plugin;
    say_number("output init, filters:");
    return 1;
}

int FLBPluginFlushCtx(void *context, const void *data, size_t bytes, char *tag)
{
    (void) context;
    (void) data;
    (void) bytes;
    (void) tag;
    return 1;
}

int FLBPluginExitCtx(void *context)
{
    (void) context;
    say_number("output exit, filters:");
    return 0;
}
