/*
 * The engine's event loop, as far as a plugin may use it: descriptors of its own, whose
 * handler the engine calls in its own context (mk_event_*, events of type CUSTOM).
 *
 * The event is the plugin's memory, and the loop writes into it until it is removed.
 */
#define _GNU_SOURCE
#include "host.h"

#include <stdlib.h>

enum { EVENT_CUSTOM = 4 };
enum { MASK_EMPTY = 0, MASK_READ = 1 };
enum { STATUS_NONE = 1, STATUS_REGISTERED = 2 };
enum { PRIORITY_DEFAULT = 6 };

/* struct mk_event of every release from 2.2 to 5.1. */
struct mk_event {
    int fd;
    int type;
    uint32_t mask;
    uint8_t status;
    void *data;
    int (*handler)(void *event);
    void *head[2];
    void *priority_head[2];
    char priority;
};

struct entry {
    struct mk_event *event;
    struct instance *owner;
    struct entry *next;
};

static struct entry *entries;

/* The descriptors to wait for; those beyond `room` are not looked at. */
size_t events_fill(struct pollfd *fds, size_t room)
{
    const struct entry *entry;
    size_t count = 0;

    for (entry = entries; entry != NULL && count < room; entry = entry->next) {
        fds[count].fd = entry->event->fd;
        fds[count].events = POLLIN;
        fds[count].revents = 0;
        count++;
    }
    return count;
}

/* A handler may remove events, its own too: each is looked up anew. */
void events_run(const struct pollfd *fds, size_t count)
{
    const struct entry *entry;
    size_t i;

    for (i = 0; i < count; i++) {
        if (fds[i].revents == 0) {
            continue;
        }
        for (entry = entries; entry != NULL && entry->event->fd != fds[i].fd; entry = entry->next) {
        }
        if (entry != NULL) {
            current_instance = entry->owner;
            entry->event->handler(entry->event);
            current_instance = NULL;
            flush_reap();
        }
    }
}

static void forget(struct entry **at)
{
    struct entry *entry = *at;

    *at = entry->next;
    free(entry);
}

/* After ExitCtx the loop would write into memory that is gone. */
int events_drop_left_by(const struct instance *owner)
{
    struct entry **at = &entries;
    int left = 0;

    while (*at != NULL) {
        if ((*at)->owner == owner) {
            forget(at);
            left++;
        }
        else {
            at = &(*at)->next;
        }
    }
    return left;
}

/* NO_EVENTS builds stand for a host that exports none of this. */
#ifndef NO_EVENTS
EXPORT void *flb_engine_evl_get(void);
EXPORT int mk_event_add(void *loop, int fd, int type, uint32_t mask, void *data);
EXPORT int mk_event_del(void *loop, struct mk_event *event);

static int the_loop;

/* Thread-local in Fluent Bit: a plugin's own thread gets NULL. */
EXPORT void *flb_engine_evl_get(void)
{
    return thread_kind == THREAD_ENGINE ? &the_loop : NULL;
}

static int is_ours(const char *what, const void *loop)
{
    if (thread_kind == THREAD_ENGINE && loop == &the_loop) {
        return 1;
    }
    violation("%s off the engine thread, or with another loop", what);
    return 0;
}

EXPORT int mk_event_add(void *loop, int fd, int type, uint32_t mask, void *data)
{
    struct mk_event *event = data;
    struct entry *entry;

    if (!is_ours("mk_event_add", loop)) {
        return -1;
    }
    /* With a mask the host changes an event it has; with links it unlinks them first. */
    if (event->mask != MASK_EMPTY || event->head[0] != NULL || event->head[1] != NULL
        || event->priority_head[0] != NULL || event->priority_head[1] != NULL) {
        violation("mk_event_add of an event that is not zeroed");
        return -1;
    }
    if (type != EVENT_CUSTOM || mask != MASK_READ || event->handler == NULL) {
        violation("mk_event_add of type %d, mask %u", type, mask);
        return -1;
    }
    event->fd = fd;
    event->type = type;
    event->mask = mask;
    event->status = STATUS_REGISTERED;
    event->priority = PRIORITY_DEFAULT;
    entry = calloc(1, sizeof(*entry));
    entry->event = event;
    entry->owner = current_instance;
    entry->next = entries;
    entries = entry;
    return 0;
}

EXPORT int mk_event_del(void *loop, struct mk_event *event)
{
    struct entry **at = &entries;

    if (!is_ours("mk_event_del", loop)) {
        return -1;
    }
    while (*at != NULL && (*at)->event != event) {
        at = &(*at)->next;
    }
    if (*at == NULL) {
        violation("mk_event_del of an event that is in no loop");
        return -1;
    }
    forget(at);
    event->mask = MASK_EMPTY;
    event->status = STATUS_NONE;
    return 0;
}
#endif
