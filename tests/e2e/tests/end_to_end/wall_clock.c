/* Shifts the wall clock of the process that preloads this (LD_PRELOAD) by the seconds, an int64_t, in the file that
 * WALL_CLOCK_SHIFT names. The file is read anew each time, so that whoever writes to it sets the clock. Other clocks stay as they
 * are, as they do when somebody sets a machine's. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(time_t) == sizeof(int64_t), "the kernel's times are of 64 bits");

static const volatile int64_t *shift;

/* A process whose clock is right would show nothing: it ends instead. */
__attribute__((constructor)) static void find_shift(void) {
    const char *path = getenv("WALL_CLOCK_SHIFT");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *seconds = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, file, 0);
    if (seconds == MAP_FAILED)
        abort();
    close(file);
    shift = seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    /* Before the shift is found other constructors may run. */
    if (!failed && shift && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += *shift;
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec time;
    if (clock_gettime(CLOCK_REALTIME, &time))
        return -1;
    now->tv_sec = time.tv_sec;
    now->tv_usec = time.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec time;
    if (clock_gettime(CLOCK_REALTIME, &time))
        return -1;
    if (now)
        *now = time.tv_sec;
    return time.tv_sec;
}
