/* How many primes there are: item i counts those from i times a million to the next million, and writes a line.
 *
 * It has no inputs. agora.h says how it is compiled. */
#include "agora.h"

#define RANGE 1000000u
#define LARGEST_FACTOR 100000u

/* Of the factors and of the range: whether a number has a smaller divisor. */
static uint8_t composite[LARGEST_FACTOR], sieve[RANGE];

static void strike(uint8_t *flags, uint64_t first, uint64_t step, uint64_t end) {
    for (uint64_t at = first; at < end; at += step)
        flags[at] = 1;
}

void run(const struct agora_arguments *arguments) {
    uint64_t from = arguments->item * RANGE, to = from + RANGE, count = 0;
    /* Every divisor that matters is below the root. */
    if (to > (uint64_t)LARGEST_FACTOR * LARGEST_FACTOR)
        agora_halt(1);
    for (uint64_t factor = 2; factor < LARGEST_FACTOR && factor * factor < to; factor++) {
        if (composite[factor])
            continue;
        strike(composite, factor * factor, factor, LARGEST_FACTOR);
        uint64_t first = (from + factor - 1) / factor * factor;
        if (first < factor * factor)
            first = factor * factor;
        if (first < to)
            strike(sieve, first - from, factor, RANGE);
    }
    for (uint64_t number = from < 2 ? 2 : from; number < to; number++)
        count += !sieve[number - from];
    agora_print_number(count);
    agora_print(" primes from ");
    agora_print_number(from);
    agora_print(" to ");
    agora_print_number(to - 1);
    agora_print("\n");
}
