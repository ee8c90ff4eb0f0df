/* What a program in C for the Agora machine needs: its start, the machine's calls, and the arguments of a run.
 *
 *   clang --target=riscv64-unknown-elf -march=rv64imac -mabi=lp64 -mcmodel=medany -O2 -ffreestanding -nostdlib -static \
 *         -fuse-ld=lld -Wl,-T,../agora-guest/link.ld -o program.elf program.c
 *   agora program build program.elf --file program.bin
 *
 * With GCC, riscv64-unknown-elf-gcc and the same options without --target and -fuse-ld. Include it in one file. That defines
 *
 *   void run(const struct agora_arguments *arguments);
 *
 * which is called once, and is done when it returns. The machine has no floats; division and multiplication it has.
 */
#ifndef AGORA_H
#define AGORA_H

#include <stddef.h>
#include <stdint.h>

#define AGORA_PAGE_BYTES 1024
#define AGORA_MAX_INPUTS 16

/* The reference to a blob: BLAKE3 hash and length. */
struct agora_blob {
    uint8_t hash[32];
    uint64_t size;
} __attribute__((aligned(64)));

/* What a run is started with. */
struct agora_arguments {
    uint64_t item;               /* the number of the item, or of the step of a fold, from 0 */
    uint64_t items;              /* how many there are */
    struct agora_blob before;    /* of a fold, the record of the step before; empty for the first */
    uint64_t inputs;             /* how many inputs the job has */
    struct agora_blob input[AGORA_MAX_INPUTS];
};

void run(const struct agora_arguments *arguments);

static inline uint64_t agora_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c) {
    register uint64_t a7 __asm__("a7") = number;
    register uint64_t a0 __asm__("a0") = a;
    register uint64_t a1 __asm__("a1") = b;
    register uint64_t a2 __asm__("a2") = c;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

/* Reads chunk `index` of `blob` to `page`, which is aligned to 1024 bytes; returns how many bytes it has, 0 after the last. */
static inline size_t agora_read(const struct agora_blob *blob, uint64_t index, void *page) {
    return agora_call(1, (uint64_t)blob, index, (uint64_t)page);
}

/* Appends `length` bytes of `page`, aligned to 1024, to the output: 1024, or fewer for the last time. */
static inline void agora_write(const void *page, size_t length) {
    agora_call(2, (uint64_t)page, length, 0);
}

/* Ends the run: 0 is done, 1 says that the inputs are not what the program demands. */
static inline _Noreturn void agora_halt(uint64_t unusable) {
    agora_call(0, unusable, 0, 0);
    __builtin_unreachable();
}

/* Traps. */
static inline _Noreturn void agora_trap(void) {
    __asm__ volatile("ebreak");
    __builtin_unreachable();
}

/* The output, filled byte by byte. */
static struct {
    uint8_t bytes[AGORA_PAGE_BYTES];
    size_t filled;
} agora_output __attribute__((aligned(1024)));

static inline void agora_put(uint8_t byte) {
    agora_output.bytes[agora_output.filled++] = byte;
    if (agora_output.filled == AGORA_PAGE_BYTES) {
        agora_write(agora_output.bytes, AGORA_PAGE_BYTES);
        agora_output.filled = 0;
    }
}

static inline void agora_print(const char *text) {
    while (*text)
        agora_put((uint8_t)*text++);
}

/* Appends a number in decimal digits. */
static inline void agora_print_number(uint64_t number) {
    char digits[20];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count)
        agora_put((uint8_t)digits[--count]);
}

/* The compiler may call these. */
void *memset(void *to, int byte, size_t length) {
    for (volatile uint8_t *at = to; length--; at++)
        *at = (uint8_t)byte;
    return to;
}

void *memcpy(void *to, const void *from, size_t length) {
    volatile uint8_t *out = to;
    for (const uint8_t *in = from; length--; in++)
        *out++ = *in;
    return to;
}

static inline uint64_t agora_word(const uint8_t **from) {
    uint64_t word = 0;
    for (int byte = 0; byte < 8; byte++)
        word |= (uint64_t)*(*from)++ << 8 * byte;
    return word;
}

static inline void agora_reference(struct agora_blob *blob, const uint8_t **from) {
    for (int byte = 0; byte < 32; byte++)
        blob->hash[byte] = *(*from)++;
    blob->size = agora_word(from);
}

/* Called by the start, with the reference of the arguments in registers. */
_Noreturn void agora_start(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t size) {
    static uint8_t page[AGORA_PAGE_BYTES] __attribute__((aligned(1024)));
    static struct agora_arguments arguments;
    static struct agora_blob input;
    const uint64_t words[4] = {a0, a1, a2, a3};
    for (int byte = 0; byte < 32; byte++)
        input.hash[byte] = (uint8_t)(words[byte / 8] >> byte % 8 * 8);
    input.size = size;
    const uint8_t *at = page;
    if (!agora_read(&input, 0, page) || agora_word(&at) != 1)
        agora_trap();
    arguments.item = agora_word(&at);
    arguments.items = agora_word(&at);
    agora_reference(&arguments.before, &at);
    arguments.inputs = agora_word(&at);
    for (uint64_t number = 0; number < arguments.inputs; number++)
        agora_reference(&arguments.input[number], &at);
    run(&arguments);
    if (agora_output.filled)
        agora_write(agora_output.bytes, agora_output.filled);
    agora_halt(0);
}

/* Where things are says link.ld. Variables with a first value are copied from the image to the memory. */
__asm__(".section .init\n"
        ".globl _start\n"
        "_start:\n"
        "  la sp, __stack_top\n"
        "  la t0, __data_image\n"
        "  la t1, __data_start\n"
        "  la t2, __data_end\n"
        "1: bgeu t1, t2, 2f\n"
        "  ld t3, 0(t0)\n"
        "  sd t3, 0(t1)\n"
        "  addi t0, t0, 8\n"
        "  addi t1, t1, 8\n"
        "  j 1b\n"
        "2: call agora_start\n"
        ".text\n");

#endif
