/* A card that takes two seconds for a flush as long as the file named by SLOW is there. Preloaded into a hub. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_if_slow(void) {
  const char *slow = getenv("SLOW");
  if (slow != NULL && access(slow, F_OK) == 0) usleep(2000000);
}

int fsync(int file) {
  wait_if_slow();
  return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(file);
}

int fdatasync(int file) {
  wait_if_slow();
  return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(file);
}
