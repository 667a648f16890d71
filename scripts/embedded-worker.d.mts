/** A Worker that serves on this machine. */
export interface EmbeddedWorker {
  url: string;
  /** With `twice`, where the second isolate answers. */
  secondUrl: string | undefined;
  /** Of the workerd process. */
  pid: number;
  /** Settles when workerd has ended, by `stop` or by itself. */
  ended: Promise<void>;
  /** Runs the Worker's scheduled job, as Cloudflare's cron does. */
  runScheduled(): Promise<void>;
  stop(): Promise<void>;
}

export function startWorker(options?: {
  port?: number;
  host?: string;
  token?: string;
  tunnelUrl?: string | undefined;
  persist?: string | undefined;
  vars?: Record<string, string>;
  internet?: string | undefined;
  twice?: boolean;
  bundle?: string;
}): Promise<EmbeddedWorker>;
