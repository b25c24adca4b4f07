#include <stdio.h>
__attribute__((constructor)) static void on_load(void) { fputs("zoo: in the compiler's place\n", stderr); }
