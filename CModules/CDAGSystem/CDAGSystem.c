#include "CDAGSystem.h"
