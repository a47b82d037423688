/* A kernel's clock that somebody steers as long as the file named by STEERED is there. Preloaded into a hub. */
#include <stdlib.h>
#include <sys/timex.h>
#include <unistd.h>

int adjtimex(struct timex *clock) {
  const char *steered = getenv("STEERED");
  clock->status = steered != NULL && access(steered, F_OK) == 0 ? 0 : STA_UNSYNC;
  return clock->status == 0 ? TIME_OK : TIME_ERROR;
}
