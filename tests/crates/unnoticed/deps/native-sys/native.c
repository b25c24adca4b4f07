int zoo_native(void) { return 7; }
