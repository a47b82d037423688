/*
 * Records, in order, what a process does to the files of one folder: writes, syncs, truncations, removals, renames.
 * Loaded with LD_PRELOAD. LINLI_RECORD_FOLDER names the folder, LINLI_RECORD_LOG the file that gets the record.
 *
 * One record: u32 kind, u32 file (number given at its first open), u64 offset, u32 length, then `length` bytes.
 * kind 1 open (bytes: path), 2 write (bytes: data), 3 sync, 4 truncate (offset: new size), 5 remove, 6 rename
 * (bytes: new path), 7 failed sync. Little endian, as the machine is.
 *
 * LINLI_RECORD_FAIL names syncs that fail with EIO, counted from 1: `30-33,80-80`. What was written since the sync before
 * never reaches the medium, though whoever reads the file finds it: so the kernel does it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX 65536
#define FILES_MAX 4096
enum { OPEN = 1, WRITE, SYNC, TRUNCATE, REMOVE, RENAME, FAILED_SYNC };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int32_t file_of_fd[FDS_MAX];
static char *paths[FILES_MAX];
static uint32_t paths_count;
static int log_fd = -1;
static char folder[PATH_MAX];
static size_t folder_length;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void set_up(void) {
  static int done;
  if (done) return;
  done = 1;
  const char *where = getenv("LINLI_RECORD_FOLDER"), *to = getenv("LINLI_RECORD_LOG");
  if (!where || !to) return;
  snprintf(folder, sizeof folder, "%s/", where);
  folder_length = strlen(folder);
  log_fd = REAL(open)(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void put(uint32_t kind, uint32_t file, uint64_t offset, const void *bytes, uint32_t length) {
  uint32_t head[5] = {kind, file, (uint32_t)offset, (uint32_t)(offset >> 32), length};
  struct iovec parts[2] = {{head, sizeof head}, {(void *)bytes, length}};
  ssize_t wanted = (ssize_t)(sizeof head + length);
  if (REAL(writev)(log_fd, parts, 2) != wanted) abort();
}

/* The number of a path inside the folder, or -1. Called with the lock held. */
static int32_t number_of(const char *path) {
  set_up();
  if (log_fd < 0 || !path || strncmp(path, folder, folder_length) != 0) return -1;
  for (uint32_t n = 0; n < paths_count; n++)
    if (paths[n] && strcmp(paths[n], path) == 0) return (int32_t)n;
  if (paths_count == FILES_MAX) abort();
  paths[paths_count] = strdup(path);
  put(OPEN, paths_count, 0, path, (uint32_t)strlen(path));
  return (int32_t)paths_count++;
}

static int opened(int fd, const char *path, int flags) {
  if (fd < 0 || fd >= FDS_MAX) return fd;
  int error = errno;
  pthread_mutex_lock(&lock);
  int32_t file = number_of(path);
  file_of_fd[fd] = file + 1;
  if (file >= 0 && (flags & O_TRUNC)) put(TRUNCATE, (uint32_t)file, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  errno = error;
  return fd;
}

#define MODE(flags)                              \
  mode_t mode = 0;                               \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {       \
    va_list rest;                                \
    va_start(rest, flags);                       \
    mode = va_arg(rest, mode_t);                 \
    va_end(rest);                                \
  }

int open(const char *path, int flags, ...) {
  MODE(flags)
  return opened(REAL(open)(path, flags, mode), path, flags);
}
int open64(const char *path, int flags, ...) {
  MODE(flags)
  return opened(REAL(open64)(path, flags, mode), path, flags);
}
int openat(int at, const char *path, int flags, ...) {
  MODE(flags)
  return opened(REAL(openat)(at, path, flags, mode), path, flags);
}
int openat64(int at, const char *path, int flags, ...) {
  MODE(flags)
  return opened(REAL(openat64)(at, path, flags, mode), path, flags);
}
int close(int fd) {
  if (fd >= 0 && fd < FDS_MAX) {
    pthread_mutex_lock(&lock);
    file_of_fd[fd] = 0;
    pthread_mutex_unlock(&lock);
  }
  return REAL(close)(fd);
}

/* Do it and record it as one step, so that the record has the order in which things happened. */
#define RECORDED(fd, call, kind, offset, bytes, length)                             \
  int32_t file = (fd) >= 0 && (fd) < FDS_MAX ? file_of_fd[fd] - 1 : -1;              \
  if (file < 0) return call;                                                         \
  pthread_mutex_lock(&lock);                                                         \
  __typeof__(call) result = call;                                                    \
  int error = errno;                                                                 \
  if (result >= 0) put(kind, (uint32_t)file, (uint64_t)(offset), bytes, length);     \
  pthread_mutex_unlock(&lock);                                                       \
  errno = error;                                                                     \
  return result;

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
  RECORDED(fd, REAL(pwrite)(fd, bytes, count, offset), WRITE, offset, bytes, (uint32_t)result)
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  RECORDED(fd, REAL(pwrite64)(fd, bytes, count, offset), WRITE, offset, bytes, (uint32_t)result)
}
ssize_t write(int fd, const void *bytes, size_t count) {
  RECORDED(fd, REAL(write)(fd, bytes, count), WRITE, lseek(fd, 0, SEEK_CUR) - result, bytes, (uint32_t)result)
}
/* Called with the lock held, for a file of the folder. */
static int fails_now(void) {
  static unsigned long count;
  count++;
  for (const char *at = getenv("LINLI_RECORD_FAIL"); at && *at;) {
    char *end;
    unsigned long from = strtoul(at, &end, 10), to = strtoul(end + 1, &end, 10);
    if (from <= count && count <= to) return 1;
    at = *end == ',' ? end + 1 : NULL;
  }
  return 0;
}

static int synced(int fd, int (*sync)(int)) {
  int32_t file = fd >= 0 && fd < FDS_MAX ? file_of_fd[fd] - 1 : -1;
  if (file < 0) return sync(fd);
  pthread_mutex_lock(&lock);
  int fails = fails_now();
  int result = fails ? -1 : sync(fd), error = fails ? EIO : errno;
  if (result == 0 || fails) put(fails ? FAILED_SYNC : SYNC, (uint32_t)file, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }
int ftruncate(int fd, off_t size) { RECORDED(fd, REAL(ftruncate)(fd, size), TRUNCATE, size, NULL, 0) }
int ftruncate64(int fd, off64_t size) { RECORDED(fd, REAL(ftruncate64)(fd, size), TRUNCATE, size, NULL, 0) }

int unlink(const char *path) {
  pthread_mutex_lock(&lock);
  int result = REAL(unlink)(path), error = errno;
  int32_t file = result == 0 ? number_of(path) : -1;
  if (file >= 0) {
    put(REMOVE, (uint32_t)file, 0, NULL, 0);
    free(paths[file]);
    paths[file] = NULL;
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

int rename(const char *from, const char *to) {
  pthread_mutex_lock(&lock);
  int result = REAL(rename)(from, to), error = errno;
  int32_t file = result == 0 ? number_of(from) : -1;
  if (file >= 0) {
    int32_t over = number_of(to);
    if (over >= 0) {
      free(paths[over]);
      paths[over] = NULL;
    }
    put(RENAME, (uint32_t)file, 0, to, (uint32_t)strlen(to));
    free(paths[file]);
    paths[file] = strdup(to);
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}
