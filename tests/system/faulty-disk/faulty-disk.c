/*
 * A disk that fails as a test wants it. Preloaded into whoever writes.
 *
 * FAULTY_DISK is a list of `call:end:from-to:how`, separated by `;`: which call (write or sync) on files whose name ends so
 * fails, counted from 1, and how: an error (EIO, ENOSPC), `short` (half of it is written), `kill` (the process is, before the call), or `lie` (said to be done, and not done). Each fault that happens adds a line to the file that
 * FAULTY_DISK_TOLD names. Where FAULTY_DISK_WHILE names a file, there is no fault, and nothing is counted, but while it is there.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define RULES_MAX 8
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

typedef struct {
  char call[8], end[32], how[16];
  unsigned long from, to, seen;
} Rule;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Rule rules[RULES_MAX];
static int rules_count = -1;

static void read_rules(void) {
  rules_count = 0;
  for (const char *at = getenv("FAULTY_DISK"); at && *at && rules_count < RULES_MAX;) {
    Rule *rule = &rules[rules_count];
    if (sscanf(at, "%7[a-z]:%31[^:]:%lu-%lu:%15[A-Za-z]", rule->call, rule->end, &rule->from, &rule->to, rule->how) != 5)
      abort();
    rules_count++;
    at = strchr(at, ';');
    if (at) at++;
  }
}

static int ends(const char *name, const char *end) {
  size_t a = strlen(name), b = strlen(end);
  return a >= b && strcmp(name + a - b, end) == 0;
}

/* How this call is to fail; NULL when it is not. */
static const char *fault_of(const char *call, int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return NULL;
  path[length] = 0;
  const char *how = NULL, *only = getenv("FAULTY_DISK_WHILE");
  if (only && access(only, F_OK) != 0) return NULL;
  pthread_mutex_lock(&lock);
  if (rules_count < 0) read_rules();
  for (int n = 0; n < rules_count; n++) {
    Rule *rule = &rules[n];
    if (strcmp(rule->call, call) != 0 || !ends(path, rule->end)) continue;
    rule->seen++;
    if (rule->from <= rule->seen && rule->seen <= rule->to) how = rule->how;
  }
  pthread_mutex_unlock(&lock);
  const char *told = how ? getenv("FAULTY_DISK_TOLD") : NULL;
  if (told) {
    int file = open(told, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dprintf(file, "%s %s %s\n", call, path, how);
    close(file);
  }
  if (how && strcmp(how, "kill") == 0) raise(SIGKILL);
  return how;
}

static int error_of(const char *how) {
  return strcmp(how, "ENOSPC") == 0 ? ENOSPC : EIO;
}

static ssize_t written(int fd, const void *bytes, size_t count, off64_t offset) {
  const char *how = fault_of("write", fd);
  if (how == NULL) return REAL(pwrite64)(fd, bytes, count, offset);
  if (strcmp(how, "lie") == 0) return (ssize_t)count;
  if (strcmp(how, "short") == 0) return REAL(pwrite64)(fd, bytes, (count + 1) / 2, offset);
  errno = error_of(how);
  return -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) { return written(fd, bytes, count, offset); }
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) { return written(fd, bytes, count, offset); }

static int synced(int fd, int (*sync)(int)) {
  const char *how = fault_of("sync", fd);
  if (how == NULL) return sync(fd);
  if (strcmp(how, "lie") == 0) return 0;
  errno = error_of(how);
  return -1;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }
