/*
 * Lets calls on the files of one folder fail, in whatever program it is preloaded into.
 *
 * DISK_FOLDER names the folder, DISK_PLAN a file of `struct plan`, which the test writes while
 * we look. Calls are counted; those from `from` on, up to `to`, fail with `error`.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct plan {
    uint64_t error;
    uint64_t from;
    uint64_t to;
    uint64_t calls;
    uint64_t failed;
};

static struct plan *plan;
static const char *folder;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("DISK_PLAN");
    void *map;
    int fd;

    folder = getenv("DISK_FOLDER");
    if (path == NULL || folder == NULL) {
        return;
    }
    fd = (int) syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    map = mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (map != MAP_FAILED) {
        plan = map;
    }
}

/* Whether this call fails; errno is set then. */
static int fails(const char *path)
{
    uint64_t place;

    if (plan == NULL || strncmp(path, folder, strlen(folder)) != 0) {
        return 0;
    }
    place = __atomic_fetch_add(&plan->calls, 1, __ATOMIC_SEQ_CST);
    if (plan->error == 0 || place < plan->from || place >= plan->to) {
        return 0;
    }
    __atomic_fetch_add(&plan->failed, 1, __ATOMIC_SEQ_CST);
    errno = (int) plan->error;
    return 1;
}

static int fails_open(int fd)
{
    char name[64];
    char path[4096];
    ssize_t len;

    if (plan == NULL) {
        return 0;
    }
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    len = readlink(name, path, sizeof(path) - 1);
    if (len <= 0) {
        return 0;
    }
    path[len] = '\0';
    return fails(path);
}

int open64(const char *path, int flags, ...)
{
    va_list list;
    mode_t mode;

    va_start(list, flags);
    mode = va_arg(list, mode_t);
    va_end(list);
    return fails(path) ? -1 : (int) syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

ssize_t pread64(int fd, void *into, size_t len, off64_t offset)
{
    return fails_open(fd) ? -1 : syscall(SYS_pread64, fd, into, len, offset);
}

ssize_t pwrite64(int fd, const void *from, size_t len, off64_t offset)
{
    return fails_open(fd) ? -1 : syscall(SYS_pwrite64, fd, from, len, offset);
}

ssize_t write(int fd, const void *from, size_t len)
{
    return fails_open(fd) ? -1 : syscall(SYS_write, fd, from, len);
}

int ftruncate64(int fd, off64_t len)
{
    return fails_open(fd) ? -1 : (int) syscall(SYS_ftruncate, fd, len);
}

int fdatasync(int fd)
{
    return fails_open(fd) ? -1 : (int) syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return fails_open(fd) ? -1 : (int) syscall(SYS_fsync, fd);
}

/* Its declaration says that the path is never null, which is not so: it is left out. */
int statx(int at, const char *path, int flags, unsigned int mask, void *into)
{
    /* Rust asks with no path at all whether there is such a call. */
    int is_hit = path != NULL && (*path == '\0' ? fails_open(at) : fails(path));

    return is_hit ? -1 : (int) syscall(SYS_statx, at, path, flags, mask, into);
}

int rename(const char *from, const char *to)
{
    return fails(from) ? -1 : (int) syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
    return fails(path) ? -1 : (int) syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
