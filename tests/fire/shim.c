/* Stands between SQLite and the disk (LD_PRELOAD): notes what is written and synced, and fails it when told to.
 *
 * Only files whose path begins with the armed prefix are looked at. Each note is a line of fixed fields and its bytes:
 * kind (W write, T truncate, S sync, U unlink, A what went to standard output), the path's rest, offset, length. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))real(#name))

static char prefix[4096], folder[4096];
static int notes = -1, failing, error_number, forever;
static char failing_kind;
static long seen, when, room = -1;

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

/* kind 0: nothing fails; room < 0: the disk has no end. */
void fire_arm(const char *path, int notes_fd, int kind, long nth, int number, int for_good, long bytes) {
    snprintf(prefix, sizeof prefix, "%s", path);
    snprintf(folder, sizeof folder, "%s", path);
    if (strrchr(folder, '/')) *strrchr(folder, '/') = 0;
    notes = notes_fd; failing_kind = (char)kind; when = nth; error_number = number; forever = for_good; room = bytes;
    seen = 0; failing = kind != 0;
}

static const char *rest_of(const char *path) {
    size_t length = strlen(prefix);
    if (!length) return NULL;
    if (!strcmp(path, folder)) return "/";
    return strncmp(path, prefix, length) ? NULL : path + length;
}

static const char *name_of(int fd, char *path, size_t size) {
    char link[64];
    if (!*prefix) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    if (length < 0) return NULL;
    path[length] = 0;
    return rest_of(path);
}

static void note(char kind, const char *name, off_t offset, const void *data, size_t length) {
    char head[512];
    if (notes < 0) return;
    int size = snprintf(head, sizeof head, "%c\t%s\t%lld\t%zu\n", kind, name, (long long)offset, data ? length : 0);
    ssize_t (*out)(int, const void *, size_t) = REAL(write);
    if (out(notes, head, (size_t)size) != size || (data && out(notes, data, length) != (ssize_t)length)) abort();
}

static int fails(char kind, const char *name) {
    if (!failing || kind != failing_kind || !strcmp(name, "-shm")) return 0;
    seen++;
    if (seen < when || (seen > when && !forever)) return 0;
    errno = error_number;
    return 1;
}

/* How many of the bytes still find room. */
static size_t fitting(int fd, off_t offset, size_t length) {
    struct stat found;
    if (room < 0 || fstat(fd, &found)) return length;
    off_t grows = offset + (off_t)length - found.st_size;
    if (grows <= 0) return length;
    if (grows > (off_t)length) grows = (off_t)length;
    if (grows <= room) { room -= grows; return length; }
    size_t fits = length - (size_t)grows + (size_t)room;
    room = 0;
    return fits;
}

static ssize_t put(int fd, const void *data, size_t length, off_t offset, int placed) {
    char path[4096];
    ssize_t (*plain)(int, const void *, size_t) = REAL(write);
    if (fd == 1 && notes >= 0) note('A', "", 0, data, length);
    const char *name = fd > 2 && fd != notes ? name_of(fd, path, sizeof path) : NULL;
    if (name && !placed) offset = lseek(fd, 0, SEEK_CUR);
    if (name && fails('W', name)) return -1;
    if (name && length) {
        size_t fits = fitting(fd, offset, length);
        if (!fits) { errno = ENOSPC; return -1; }
        length = fits;
    }
    ssize_t done = placed ? REAL(pwrite64)(fd, data, length, offset) : plain(fd, data, length);
    if (name && done > 0) note('W', name, offset, data, (size_t)done);
    return done;
}

ssize_t write(int fd, const void *data, size_t length) { return put(fd, data, length, 0, 0); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return put(fd, data, length, at, 1); }
ssize_t pwrite64(int fd, const void *data, size_t length, off_t at) { return put(fd, data, length, at, 1); }

static int synced(int fd, int (*sync)(int)) {
    char path[4096];
    const char *name = name_of(fd, path, sizeof path);
    if (name && fails('S', name)) return -1;
    int done = sync(fd);
    if (name && !done) note('S', name, 0, NULL, 0);
    return done;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

static int cut(int fd, off_t size) {
    char path[4096];
    const char *name = name_of(fd, path, sizeof path);
    if (name && fails('T', name)) return -1;
    int done = REAL(ftruncate64)(fd, size);
    if (name && !done) note('T', name, size, NULL, 0);
    return done;
}

int ftruncate(int fd, off_t size) { return cut(fd, size); }
int ftruncate64(int fd, off_t size) { return cut(fd, size); }

int unlink(const char *path) {
    const char *name = rest_of(path);
    if (name && fails('U', name)) return -1;
    int done = REAL(unlink)(path);
    if (name && !done) note('U', name, 0, NULL, 0);
    return done;
}
