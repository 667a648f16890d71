/** Relies on what V8 does not document: each function does nothing in a V8 without it, and has a test that tells when that is so. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

type CollectGarbage = (options: { type: "major" | "minor"; flavor?: "last-resort" }) => void;
let known: CollectGarbage | undefined;

/**
 * Collects garbage and returns the freed pages to the system. As a "last resort" V8 does that at once; otherwise it does so
 * some 8 s later the first time, and never again. Does nothing where V8 has no such function.
 */
export function collectGarbage(): void {
  gc()({ type: "major", flavor: "last-resort" });
}

/** Of the nursery only, in a millisecond or two: what is made next takes the same memory again. */
export function collectYoungGarbage(): void {
  gc()({ type: "minor" });
}

function gc(): CollectGarbage {
  if (!known) {
    setFlagsFromString("--expose-gc");
    known = runInNewContext("typeof gc === 'function' ? gc : () => {}") as CollectGarbage;
  }
  return known;
}

/**
 * Leaves all code to the interpreter. For a process that does little, and seldom: compilers and what they make take 3 of its MB,
 * and more CPU than they save.
 */
export function compileNothing(): void {
  for (const compiler of ["sparkplug", "maglev", "turbofan"]) setFlagsFromString(`--no-${compiler}`);
}
