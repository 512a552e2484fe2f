/* From reset to mcu_main, and the board's devices: a UART and the way to stop. */
#include "mcu.h"

extern uint32_t data_begin[], data_end[], data_in_flash[], bss_begin[], bss_end[], stack_top[];

/* CMSDK APB UART, Arm's "Application Note AN386", section 3.7. */
struct uart {
    volatile uint32_t data, state, control, interrupts, divider;
};
#define UART0 ((struct uart *)0x40004000)
enum { UART_FULL = 1, UART_TRANSMIT = 1, UART_DIVIDER = 16 };

/* Armv7-M: floating point is off after reset. */
#define CPACR ((volatile uint32_t *)0xe000ed88)
enum { FPU_ON = 0xf << 20 };

void mcu_write(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        while (UART0->state & UART_FULL)
            ;
        UART0->data = (uint8_t)p[i];
    }
}

/* Semihosting's SYS_EXIT_EXTENDED (Arm, "Semihosting for AArch32 and AArch64"): ends QEMU. */
_Noreturn void mcu_exit(uint32_t status)
{
    enum { SYS_EXIT_EXTENDED = 0x20, ADP_STOPPED_APPLICATION_EXIT = 0x20026 };
    uint32_t block[2] = { ADP_STOPPED_APPLICATION_EXIT, status };
    register uint32_t operation __asm__("r0") = SYS_EXIT_EXTENDED;
    register uint32_t *parameters __asm__("r1") = block;
    __asm__ volatile("bkpt 0xab" : : "r"(operation), "r"(parameters) : "memory");
    for (;;)
        ;
}

/* Whatever was not foreseen. */
static void fault(void)
{
    static const char text[] = "vyoma: the processor faulted\n";
    mcu_write(text, sizeof text - 1);
    mcu_exit(2);
}

_Noreturn void reset(void);

_Noreturn void reset(void)
{
    for (uint32_t *to = data_begin, *from = data_in_flash; to < data_end;)
        *to++ = *from++;
    for (uint32_t *p = bss_begin; p < bss_end;)
        *p++ = 0;
    *CPACR |= FPU_ON;
    __asm__ volatile("dsb\n\tisb");
    UART0->divider = UART_DIVIDER;
    UART0->control = UART_TRANSMIT;
    mcu_exit(mcu_main());
}

enum { EXCEPTIONS = 15 };
__attribute__((section(".vectors"), used)) static const void *const vectors[EXCEPTIONS + 1] = {
    stack_top, (const void *)reset, (const void *)fault, (const void *)fault,
    (const void *)fault, (const void *)fault, (const void *)fault,
};
