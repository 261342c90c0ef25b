/* A crash is a finding: say where it was before dying of it. */
#define _GNU_SOURCE
#include "filter.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALT_STACK_BYTES = 64 * 1024 };

static _Thread_local void *alt_stack;

/* A filter call ends before anything else runs on its thread; flushes interleave. */
static const struct blob *data_in_use(void)
{
    const struct flush *flush;

    if (filter_call_data() != NULL) {
        return filter_call_data();
    }
    flush = coroutine_active_arg();
    return flush != NULL ? &flush->blob : NULL;
}

static const char *explain(int sig, const siginfo_t *info)
{
    const void *addr = info->si_addr;
    const char *why;

    if (sig == SIGABRT) {
        return "abort";
    }
    if (sig == SIGSEGV && info->si_code == SI_KERNEL) {
        /* x86 gives no address for an aligned load of what malloc aligned less. */
        return "a misaligned vector access or a wild pointer";
    }
    if (coroutine_guard_hit(addr)) {
        return "below a coroutine's stack: stack overflow";
    }
    why = filter_call_explain(addr);
    if (why == NULL) {
        why = blob_explain(data_in_use(), addr);
    }
    if (why != NULL) {
        return why;
    }
    return "elsewhere";
}

/* Writes past report.c: its lock may be held by the thread that crashed. */
static void on_crash(int sig, siginfo_t *info, void *context)
{
    char text[256];
    int n;

    (void) context;
    n = snprintf(text, sizeof(text), "violation crash signal %d at %p, %s\n",
                 sig, info->si_addr, explain(sig, info));
    (void) !write(STDOUT_FILENO, text, n > 0 ? (size_t) n : 0);
    signal(sig, SIG_DFL);
    raise(sig);
}

void crash_catch(void)
{
    struct sigaction act;

    memset(&act, 0, sizeof(act));
    act.sa_sigaction = on_crash;
    act.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &act, NULL);
    sigaction(SIGBUS, &act, NULL);
    sigaction(SIGILL, &act, NULL);
    sigaction(SIGFPE, &act, NULL);
    sigaction(SIGABRT, &act, NULL);
}

/* An overflowed coroutine stack has no room for the handler: it gets its own. */
void crash_thread_begin(void)
{
    stack_t alt;

    alt_stack = mmap(NULL, ALT_STACK_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (alt_stack == MAP_FAILED) {
        alt_stack = NULL;
        return;
    }
    memset(&alt, 0, sizeof(alt));
    alt.ss_sp = alt_stack;
    alt.ss_size = ALT_STACK_BYTES;
    sigaltstack(&alt, NULL);
}

void crash_thread_end(void)
{
    stack_t off;

    if (alt_stack == NULL) {
        return;
    }
    memset(&off, 0, sizeof(off));
    off.ss_flags = SS_DISABLE;
    sigaltstack(&off, NULL);
    munmap(alt_stack, ALT_STACK_BYTES);
    alt_stack = NULL;
}
