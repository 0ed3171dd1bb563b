// Calls of the C library that change files, with faults injected. Loaded into a
// process by LD_PRELOAD; what it does is in the environment (src/lib.rs). It
// reaches RocksDB, QMDB's runtime and Rust's std alike.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum operation { WRITE, SYNC, CREATE, RENAME };

static const char *under;  // faults happen to paths that begin with this
static const char *report; // the first fault is noted in this file
static enum operation target;
static long first; // number of the first call that fails, from 1
static int error_number;
static int is_short; // the first call writes half, later ones fail
static atomic_long seen;

#define REAL(name, ...)                                                        \
  static __typeof__(name) *real;                                               \
  if (!real)                                                                   \
    real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name);

static int (*real_open)(const char *, int, ...);
static ssize_t (*real_write)(int, const void *, size_t);

__attribute__((constructor)) static void begin(void) {
  real_open = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
  real_write = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  const char *operation = getenv("FAULT_OPERATION");
  under = getenv("FAULT_UNDER");
  report = getenv("FAULT_REPORT");
  if (!operation || !under || !report || !getenv("FAULT_FIRST") || !getenv("FAULT_ERROR")) {
    under = NULL;
    return;
  }
  target = !strcmp(operation, "write")    ? WRITE
           : !strcmp(operation, "sync")   ? SYNC
           : !strcmp(operation, "create") ? CREATE
                                          : RENAME;
  first = atol(getenv("FAULT_FIRST"));
  error_number = atoi(getenv("FAULT_ERROR"));
  is_short = getenv("FAULT_SHORT") != NULL;
}

static void note(const char *path) {
  int fd = real_open(report, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (fd >= 0) {
    real_write(fd, path, strlen(path));
    close(fd);
  }
}

// 0: the call goes on; 1: it fails; 2: it writes half.
static int fate(enum operation operation, const char *path) {
  if (!under || operation != target || strncmp(path, under, strlen(under)))
    return 0;
  long number = atomic_fetch_add(&seen, 1) + 1;
  if (number < first)
    return 0;
  note(path);
  errno = error_number;
  return is_short && number == first ? 2 : 1;
}

static int fate_of(enum operation operation, int fd) {
  char link[64], path[PATH_MAX];
  if (!under || operation != target)
    return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0)
    return 0;
  path[length] = 0;
  return fate(operation, path);
}

ssize_t write(int fd, const void *bytes, size_t length) {
  int fate = fate_of(WRITE, fd);
  if (fate == 1)
    return -1;
  return real_write(fd, bytes, fate == 2 ? (length + 1) / 2 : length);
}

#define PWRITE(name, offset_type)                                              \
  ssize_t name(int fd, const void *bytes, size_t length, offset_type at) {     \
    REAL(name)                                                                 \
    int fate = fate_of(WRITE, fd);                                             \
    if (fate == 1)                                                             \
      return -1;                                                               \
    return real(fd, bytes, fate == 2 ? (length + 1) / 2 : length, at);         \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(writev)
  int fate = fate_of(WRITE, fd);
  if (fate == 1)
    return -1;
  return fate == 2 ? real_write(fd, parts->iov_base, (parts->iov_len + 1) / 2)
                   : real(fd, parts, count);
}

#define PWRITEV(name, offset_type)                                             \
  ssize_t name(int fd, const struct iovec *parts, int count, offset_type at) { \
    REAL(name)                                                                 \
    int fate = fate_of(WRITE, fd);                                             \
    if (fate == 1)                                                             \
      return -1;                                                               \
    struct iovec half = {parts->iov_base, (parts->iov_len + 1) / 2};           \
    return fate == 2 ? real(fd, &half, 1, at) : real(fd, parts, count, at);    \
  }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)

// With RWF_DSYNC it is a sync as well.
#define PWRITEV2(name, offset_type)                                            \
  ssize_t name(int fd, const struct iovec *parts, int count, offset_type at,   \
               int flags) {                                                    \
    REAL(name)                                                                 \
    int fate = fate_of(WRITE, fd);                                             \
    if (fate == 1 || ((flags & RWF_DSYNC) && fate_of(SYNC, fd)))               \
      return -1;                                                               \
    struct iovec half = {parts->iov_base, (parts->iov_len + 1) / 2};           \
    return fate == 2 ? real(fd, &half, 1, at, flags)                           \
                     : real(fd, parts, count, at, flags);                      \
  }
PWRITEV2(pwritev2, off_t)
PWRITEV2(pwritev64v2, off64_t)

int fsync(int fd) {
  REAL(fsync)
  return fate_of(SYNC, fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
  REAL(fdatasync)
  return fate_of(SYNC, fd) ? -1 : real(fd);
}

int sync_file_range(int fd, off64_t at, off64_t length, unsigned int flags) {
  REAL(sync_file_range)
  return fate_of(SYNC, fd) ? -1 : real(fd, at, length, flags);
}

#define TRUNCATE(name, offset_type)                                            \
  int name(int fd, offset_type length) {                                       \
    REAL(name)                                                                 \
    return fate_of(WRITE, fd) == 1 ? -1 : real(fd, length);                    \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define OPEN(name)                                                             \
  int name(const char *path, int flags, ...) {                                 \
    static int (*real)(const char *, int, ...);                                \
    if (!real)                                                                 \
      real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name);         \
    mode_t mode = 0;                                                           \
    if (flags & (O_CREAT | O_TMPFILE)) {                                       \
      va_list rest;                                                            \
      va_start(rest, flags);                                                   \
      mode = va_arg(rest, mode_t);                                             \
      va_end(rest);                                                            \
    }                                                                          \
    if ((flags & O_CREAT) && fate(CREATE, path))                               \
      return -1;                                                               \
    return real(path, flags, mode);                                            \
  }
OPEN(open)
OPEN(open64)

int mkdir(const char *path, mode_t mode) {
  REAL(mkdir)
  return fate(CREATE, path) ? -1 : real(path, mode);
}

int rename(const char *from, const char *to) {
  REAL(rename)
  return fate(RENAME, to) ? -1 : real(from, to);
}
