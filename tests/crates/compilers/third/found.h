#define FOUND third
