/** What the local server does with the requests of an override that go nowhere else. */

/** `does` of `Override`. */
export type OverrideAction = { respond: FixedResponse } | { fault: InjectedFault };

export interface FixedResponse {
  /** Default 200. */
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Relative to the config file. */
  file?: string;
}

export interface InjectedFault {
  delay_ms?: number;
  status?: number;
  abort?: boolean;
  /** Above 0; default 1, all requests. */
  share?: number;
}
