#include "CDAGSystem.h"

static _Thread_local unsigned callback_depth;

void dagstore_callback_enter(void) { callback_depth += 1; }

void dagstore_callback_leave(void) { callback_depth -= 1; }

bool dagstore_callback_is_running(void) { return callback_depth > 0; }
