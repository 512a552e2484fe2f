/* The app that is part of the program: its module as it ships, and its arguments. */
    .section .rodata
    .global app_begin, app_end, app_args
    .balign 16
app_begin:
    .incbin APP_MODULE
app_end:
app_args:
    .asciz APP_ARGS
    .byte 0
