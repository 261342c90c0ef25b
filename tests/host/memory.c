/*
 * The allocator of the official images, at its worst (ALIGN8 builds only).
 *
 * They link jemalloc with --with-lg-quantum=3 into the executable, and so into
 * every plugin: malloc promises 8 bytes there, not the 16 that compilers and
 * Rust's System allocator take for granted. Here malloc, calloc and realloc
 * always answer with address % 16 == 8; only the aligned calls align.
 *
 * Before each user pointer stand its size and the address glibc gave.
 */
#ifdef ALIGN8
#include "host.h"

#include <errno.h>
#include <string.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

struct before {
    size_t bytes;
    void *raw;
};

enum { OFFSET = sizeof(struct before) + 8 };
_Static_assert(OFFSET % 16 == 8, "glibc answers with multiples of 16");

static struct before *before(void *user)
{
    return (struct before *) user - 1;
}

static void *place(char *raw, size_t offset, size_t bytes)
{
    if (raw == NULL) {
        return NULL;
    }
    before(raw + offset)->bytes = bytes;
    before(raw + offset)->raw = raw;
    return raw + offset;
}

EXPORT void *malloc(size_t bytes)
{
    if (bytes > PTRDIFF_MAX - OFFSET) {
        errno = ENOMEM;
        return NULL;
    }
    return place(__libc_malloc(bytes + OFFSET), OFFSET, bytes);
}

EXPORT void free(void *user)
{
    if (user != NULL) {
        __libc_free(before(user)->raw);
    }
}

EXPORT void *calloc(size_t count, size_t each)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, each, &bytes) || bytes > PTRDIFF_MAX - OFFSET) {
        errno = ENOMEM;
        return NULL;
    }
    return place(__libc_calloc(1, bytes + OFFSET), OFFSET, bytes);
}

/* Keeps no alignment, not even that of an aligned block: C does not promise it. */
EXPORT void *realloc(void *user, size_t bytes)
{
    void *moved;

    if (user == NULL) {
        return malloc(bytes);
    }
    if (bytes == 0) {
        free(user);
        return NULL;
    }
    moved = malloc(bytes);
    if (moved != NULL) {
        memcpy(moved, user, bytes < before(user)->bytes ? bytes : before(user)->bytes);
        free(user);
    }
    return moved;
}

EXPORT void *memalign(size_t align, size_t bytes)
{
    size_t offset = align > sizeof(struct before) ? align : sizeof(struct before);

    if (align == 0 || (align & (align - 1)) != 0) {
        errno = EINVAL;
        return NULL;
    }
    if (align <= 8) {
        return malloc(bytes);
    }
    if (bytes > PTRDIFF_MAX - offset) {
        errno = ENOMEM;
        return NULL;
    }
    return place(__libc_memalign(align, bytes + offset), offset, bytes);
}

EXPORT void *aligned_alloc(size_t align, size_t bytes)
{
    return memalign(align, bytes);
}

EXPORT int posix_memalign(void **out, size_t align, size_t bytes)
{
    int saved = errno;
    void *user;

    if (align < sizeof(void *) || (align & (align - 1)) != 0) {
        return EINVAL;
    }
    user = memalign(align, bytes);
    errno = saved;
    if (user == NULL) {
        return ENOMEM;
    }
    *out = user;
    return 0;
}

EXPORT void *valloc(size_t bytes)
{
    return memalign(4096, bytes);
}

EXPORT void *pvalloc(size_t bytes)
{
    return memalign(4096, (bytes + 4095) / 4096 * 4096);
}

EXPORT size_t malloc_usable_size(void *user)
{
    return user != NULL ? before(user)->bytes : 0;
}
#else
typedef int iso_c_wants_a_declaration;
#endif
