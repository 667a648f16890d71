/** Writes one line for each event, with the time: the process that started this one keeps them in a file. */
export function log(message: string): void {
  process.stderr.write(`${new Date().toISOString()} ${message}\n`);
}
