// A slow disk: each sync takes longer by as many milliseconds as the file
// SLOW_SYNC_FILE says, which is read anew each time. Loaded into a process by
// LD_PRELOAD (scripts/lab.py).

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void wait_as_told(void) {
  const char *path = getenv("SLOW_SYNC_FILE");
  FILE *file = path ? fopen(path, "re") : NULL;
  long milliseconds = 0;
  if (!file)
    return;
  if (fscanf(file, "%ld", &milliseconds) == 1 && milliseconds > 0) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
  }
  fclose(file);
}

#define SYNC(name)                                                             \
  int name(int fd) {                                                           \
    static int (*real)(int);                                                   \
    if (!real)                                                                 \
      real = (int (*)(int))dlsym(RTLD_NEXT, #name);                            \
    wait_as_told();                                                            \
    return real(fd);                                                           \
  }
SYNC(fsync)
SYNC(fdatasync)

int sync_file_range(int fd, off64_t at, off64_t length, unsigned int flags) {
  static int (*real)(int, off64_t, off64_t, unsigned int);
  if (!real)
    real = (int (*)(int, off64_t, off64_t, unsigned int))dlsym(RTLD_NEXT, "sync_file_range");
  wait_as_told();
  return real(fd, at, length, flags);
}
