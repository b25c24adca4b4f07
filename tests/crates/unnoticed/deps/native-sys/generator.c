#include <stdio.h>
int zoo_native(void);
int main(void) { printf("%d\n", zoo_native()); return 0; }
