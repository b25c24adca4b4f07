#define ZOO_ANSWER 42
