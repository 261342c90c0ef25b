/*
 * Coroutines as libco gives them to Fluent Bit, made strict.
 *
 * Fluent Bit runs every flush on a coroutine with a small malloc'ed stack and no
 * guard: an overflow corrupts the heap in silence. Here a stack is
 *
 *     [ header | guard, PROT_NONE | painted stack ]
 *                                   ^ the handle
 *
 * so an overflow crashes at once, and the paint left shows how deep a flush went.
 * The handle is the stack's lowest address, as in libco: a plugin may measure the
 * room left as `&local - co_active()`.
 */
#define _GNU_SOURCE
#include "host.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif
#ifndef VALGRIND_STACK_REGISTER
#define VALGRIND_STACK_REGISTER(low, high) ((void) (low), (void) (high), 0u)
#define VALGRIND_STACK_DEREGISTER(id) ((void) (id))
#define VALGRIND_MAKE_MEM_DEFINED(low, bytes) ((void) (low), (void) (bytes))
#endif

#define PAINT UINT64_C(0x5aa55aa5c33cc33c)

/*
 * Multiples of every page size. The guard is wide, for C code does not probe page by
 * page: one large frame would jump over a narrow one.
 */
enum { HEADER_BYTES = 64 * 1024, GUARD_BYTES = 1024 * 1024 };

enum state { READY, RUNNING, WAITING, FINISHED };

struct coroutine {
    ucontext_t context;
    enum state state;
    char *low;
    size_t bytes;
    void (*entry)(void *);
    void *arg;
    struct coroutine *base;  /* of the thread it was made on, and may run on */
    unsigned valgrind_id;
};

/* The thread's own stack is a coroutine too: the base a flush yields to. */
static _Thread_local struct coroutine thread_base;
static _Thread_local struct coroutine *active;
static _Thread_local void *coro_slot;

static struct coroutine *active_coroutine(void)
{
    if (active == NULL) {
        thread_base.state = RUNNING;
        thread_base.base = &thread_base;
        active = &thread_base;
    }
    return active;
}

static void switch_to(struct coroutine *to)
{
    struct coroutine *from = active_coroutine();

    if (from->state == RUNNING) {
        from->state = WAITING;
    }
    to->state = RUNNING;
    active = to;
    if (to == &thread_base) {
        /* Another output's flush may run next: what the slot held is not kept. */
        coro_slot = NULL;
    }
    swapcontext(&from->context, &to->context);
}

/* makecontext passes ints: the pointer comes in two halves. */
static void trampoline(unsigned high, unsigned low)
{
    struct coroutine *co = (struct coroutine *) (((uintptr_t) high << 16 << 16) | low);

    co->entry(co->arg);
    co->state = FINISHED;
    switch_to(co->base);
    abort();
}

struct coroutine *coroutine_new(size_t stack_bytes, void (*entry)(void *), void *arg)
{
    size_t page = (size_t) sysconf(_SC_PAGESIZE);
    size_t bytes = (stack_bytes + page - 1) / page * page;
    size_t i;
    char *map;
    struct coroutine *co;

    map = mmap(NULL, HEADER_BYTES + GUARD_BYTES + bytes, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || mprotect(map + HEADER_BYTES, GUARD_BYTES, PROT_NONE) != 0) {
        violation("no memory for a coroutine stack");
        abort();
    }
    _Static_assert(sizeof(struct coroutine) <= HEADER_BYTES, "room for ucontext_t");
    co = (struct coroutine *) map;
    co->state = READY;
    co->low = map + HEADER_BYTES + GUARD_BYTES;
    co->bytes = bytes;
    co->entry = entry;
    co->arg = arg;
    active_coroutine();
    co->base = &thread_base;
    for (i = 0; i < bytes; i += sizeof(uint64_t)) {
        *(uint64_t *) (co->low + i) = PAINT;
    }
    co->valgrind_id = VALGRIND_STACK_REGISTER(co->low, co->low + bytes);

    getcontext(&co->context);
    co->context.uc_stack.ss_sp = co->low;
    co->context.uc_stack.ss_size = bytes;
    co->context.uc_link = NULL;
    makecontext(&co->context, (void (*)(void)) trampoline, 2,
                (unsigned) ((uintptr_t) co >> 16 >> 16), (unsigned) (uintptr_t) co);
    return co;
}

/* Runs a new coroutine until it ends or yields to the base. */
void coroutine_start(struct coroutine *co)
{
    switch_to(co);
}

int coroutine_finished(const struct coroutine *co)
{
    return co->state == FINISHED;
}

size_t coroutine_high_water(const struct coroutine *co)
{
    const uint64_t *word = (const uint64_t *) co->low;
    const uint64_t *end = (const uint64_t *) (co->low + co->bytes);

    VALGRIND_MAKE_MEM_DEFINED(co->low, co->bytes);  /* below the stack pointer */
    while (word < end && *word == PAINT) {
        word++;
    }
    return (size_t) ((const char *) end - (const char *) word);
}

void coroutine_free(struct coroutine *co)
{
    VALGRIND_STACK_DEREGISTER(co->valgrind_id);
    munmap(co, HEADER_BYTES + GUARD_BYTES + co->bytes);
}

/* For the crash report: must not touch anything that may not be there. */
void *coroutine_active_arg(void)
{
    return active != NULL ? active->arg : NULL;
}

int coroutine_guard_hit(const void *addr)
{
    const char *at = addr;

    return active != NULL && active->low != NULL
        && at < active->low && at >= active->low - GUARD_BYTES;
}

void coro_slot_set(void *coro)
{
    coro_slot = coro;
}

void *coro_slot_get(void)
{
    return coro_slot;
}

/* NO_COROUTINES builds stand for a host that exports none of this. */
#ifndef NO_COROUTINES
EXPORT void *co_active(void)
{
    struct coroutine *co = active_coroutine();

    return co == &thread_base ? (void *) co : (void *) co->low;
}

EXPORT void co_switch(void *handle)
{
    struct coroutine *to = handle;

    if (handle != &thread_base) {
        to = (struct coroutine *) ((char *) handle - GUARD_BYTES - HEADER_BYTES);
    }
    if (to != &thread_base && to->base != &thread_base) {
        violation("co_switch to a coroutine of another thread");
        return;
    }
    if (to->state != WAITING) {
        violation("co_switch to a coroutine that does not wait");
        return;
    }
    switch_to(to);
}

EXPORT void *flb_coro_get(void)
{
    return coro_slot;
}

EXPORT void flb_coro_set(void *coro)
{
    coro_slot = coro;
}
#endif
