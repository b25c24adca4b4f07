#include <stdio.h>
#include "answer.h"

int zoo_answer(void) { return ZOO_ANSWER; }
