/**
 * The value of `linkup-destination` for the service of this name: the name itself, with percent-encoding for what a header
 * cannot carry. Node writes a character beyond Latin-1 as its low byte, which can be a line break.
 */
export function destinationOf(service: string): string {
  // Nearly every name. To replace nothing takes longer, and each request asks.
  if (!/[^!-~]/.test(service)) return service;
  return service.replace(/[^ -~]|^ +| +$/gu, (text) =>
    encodeURIComponent(text.isWellFormed() ? text : "\ufffd"),
  );
}
