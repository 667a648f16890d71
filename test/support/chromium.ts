/** Chromium, as it is started beside tests: without requests of its own, and without the sandbox, which root does not have. */
export const CHROMIUM = process.env.LINKUP_TEST_CHROMIUM || "/usr/bin/chromium";
export const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-dev-shm-usage",
] as const;
