// The tests of a file share a window, and find it as the one before left it.
import { stopAtFirstFailure } from "../support/stop-at-first-failure.ts";

stopAtFirstFailure();
