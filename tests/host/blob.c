/*
 * Chunk data as the plugin gets it: read-only (in Fluent Bit routes share it and
 * it may be a mapped file), valid until the call returns, and not a byte longer than
 * said. It ends at a PROT_NONE page, and a retired one stays unreadable for a
 * while, so reading past the end or after the return is a crash, not luck.
 */
#define _GNU_SOURCE
#include "host.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { QUARANTINE = 64 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct blob retired[QUARANTINE];
static unsigned next_retired;

static size_t page_bytes(void)
{
    return (size_t) sysconf(_SC_PAGESIZE);
}

int blob_make(struct blob *blob, size_t len)
{
    size_t page = page_bytes();
    size_t body = (len + page - 1) / page * page;

    blob->map_bytes = body + page;
    blob->map = mmap(NULL, blob->map_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (blob->map == MAP_FAILED) {
        blob->map = NULL;
        return -1;
    }
    blob->data = blob->map + body - len;
    blob->len = len;
    return mprotect(blob->map + body, page, PROT_NONE);
}

/* Called when the data is filled in. */
void blob_seal(struct blob *blob)
{
    size_t body = blob->map_bytes - page_bytes();

    if (body > 0) {
        mprotect(blob->map, body, PROT_READ);
    }
}

void blob_retire(struct blob *blob)
{
    struct blob oldest;

    if (blob->map == NULL) {
        return;
    }
    madvise(blob->map, blob->map_bytes, MADV_DONTNEED);
    mprotect(blob->map, blob->map_bytes, PROT_NONE);
    pthread_mutex_lock(&lock);
    oldest = retired[next_retired % QUARANTINE];
    retired[next_retired++ % QUARANTINE] = *blob;
    pthread_mutex_unlock(&lock);
    if (oldest.map != NULL) {
        munmap(oldest.map, oldest.map_bytes);
    }
    blob->map = NULL;
}

int blob_covers(const struct blob *blob, const void *addr)
{
    const char *at = addr;

    return blob->map != NULL && at >= blob->map && at < blob->map + blob->map_bytes;
}

/* For the crash report: without the lock, which the crashed thread may hold. */
const char *blob_explain(const struct blob *active, const void *addr)
{
    int i;

    if (active != NULL && blob_covers(active, addr)) {
        return (const char *) addr < active->data + active->len
            ? "inside the data of the call, which is read-only"
            : "past the end of the data of the call";
    }
    for (i = 0; i < QUARANTINE; i++) {
        if (blob_covers(&retired[i], addr)) {
            return "in data of a call that has returned";
        }
    }
    return NULL;
}
