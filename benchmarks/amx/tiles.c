/* Answers CPUID's leaves 0x1D and 0x1E, AMX's tile sizes, where a virtual machine announces AMX but hides them.

   Preloaded into a process (LD_PRELOAD), it asks Linux to fault on CPUID and answers in the signal's handler:
   what the processor says, but for the two leaves, whose values are the same on every processor with palette 1
   (Intel's Software Developer's Manual, volume 2, CPUID). oneDNN, TensorFlow and XLA then use AMX as on a
   machine that hides nothing. Built and tried by benchmarks/amx/__init__.py. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <ucontext.h>

#define ARCH_CPUID 0x1012L /* arch_prctl's number for "whether CPUID may run" */
#define LAST_LEAF 0x1eu

typedef int (*set_action)(int, const struct sigaction *, struct sigaction *);

static struct sigaction before; /* what handles the signal where it is not about CPUID */
static int ours;                /* whether this library handles it */

static void let_cpuid_run(long allowed) {
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((long)SYS_arch_prctl), "D"(ARCH_CPUID), "S"(allowed)
                     : "rcx", "r11", "memory");
}

static void pass_on(int number, siginfo_t *info, void *context) {
    if (before.sa_flags & SA_SIGINFO && before.sa_sigaction) {
        before.sa_sigaction(number, info, context);
    } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
        before.sa_handler(number);
    } else {
        ours = 0;
        signal(number, SIG_DFL); /* the instruction runs again and ends the process, as it would have */
    }
}

static void answer(int number, siginfo_t *info, void *context) {
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *instruction = (const unsigned char *)registers[REG_RIP];
    if (info->si_code != SI_KERNEL || instruction[0] != 0x0f || instruction[1] != 0xa2) {
        pass_on(number, info, context);
        return;
    }
    unsigned leaf = (unsigned)registers[REG_RAX], part = (unsigned)registers[REG_RCX];
    unsigned a = leaf, b = 0, c = part, d = 0;
    let_cpuid_run(1);
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    let_cpuid_run(0);
    if (leaf == 0 && a < LAST_LEAF) a = LAST_LEAF;
    if (leaf == 0x1d) {
        a = b = c = d = 0;
        if (part == 0) a = 1;            /* palettes: the first alone */
        if (part == 1) {
            a = 8192 | 1024u << 16;      /* bytes of all tiles, of one */
            b = 64 | 8u << 16;           /* bytes of a row, number of tiles */
            c = 16;                      /* rows */
        }
    }
    if (leaf == 0x1e) {
        a = b = c = d = 0;
        if (part == 0) b = 16 | 64u << 8; /* rows and bytes of a row that a product takes */
    }
    registers[REG_RAX] = a;
    registers[REG_RBX] = b;
    registers[REG_RCX] = c;
    registers[REG_RDX] = d;
    registers[REG_RIP] += 2;
}

/* Who sets a handler of its own later (workers that load data do) gets what is not about CPUID. */
int sigaction(int number, const struct sigaction *wanted, struct sigaction *earlier) {
    if (number != SIGSEGV || !ours) {
        set_action real = (set_action)dlsym(RTLD_NEXT, "sigaction");
        return real(number, wanted, earlier);
    }
    if (earlier) *earlier = before;
    if (wanted) before = *wanted;
    return 0;
}

/* Compilers that a Python process starts handle the signal themselves: they are left alone. */
static int is_python(void) {
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    return strstr(path, "python") != NULL;
}

__attribute__((constructor)) static void start(void) {
    struct sigaction action;
    if (!is_python()) return;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = answer;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    if (sigaction(SIGSEGV, &action, &before) == 0) {
        ours = 1;
        let_cpuid_run(0);
    }
}
