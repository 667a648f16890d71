/** The overrides of a file as the session document has them. */
import { ownValue } from "../../own-value.ts";
import type { FixedResponse, InjectedFault } from "../../session/override-action.ts";
import type { Override } from "../../session/session-document.ts";
import { isUrlTarget } from "./target.ts";

/** Has one of `target`, `respond` and `fault`. */
export interface ConfigOverride {
  name: string;
  /** Whether it is on where nobody has switched it; default false. */
  enabled?: boolean;
  service?: string;
  domain?: string;
  when: { path?: string; methods?: string[]; headers?: Record<string, string> };
  target?: string;
  /** With the target `local`. */
  fallthrough?: boolean;
  respond?: FixedResponse;
  fault?: InjectedFault;
}

/** Where a service can be. */
interface Copies {
  name: string;
  local: string;
  remote: string;
  targets?: Record<string, string>;
}

/** In the file's order. One whose location depends on the service is listed once for each. */
export function overridesOf(
  { overrides = [], services }: { overrides?: ConfigOverride[]; services: Copies[] },
  isOn: (override: ConfigOverride) => boolean,
): Override[] {
  return overrides.filter(isOn).flatMap((override): Override[] => {
    const conditions = conditionsOf(override);
    if (override.respond) return [{ ...conditions, does: "respond" }];
    if (override.fault) return [{ ...conditions, does: "fault" }];
    const { target = "remote", service } = override;
    return services
      .filter(({ name }) => service === undefined || service === name)
      .map((each) => ({ ...conditions, service: each.name, ...placeOf(each, target, override) }));
  });
}

function conditionsOf({ name, service, domain, when }: ConfigOverride): Override {
  const headers = Object.entries(when.headers ?? {}).map(([name, pattern]) => ({ name, pattern }));
  return {
    name,
    ...(service === undefined ? {} : { service }),
    ...(domain === undefined ? {} : { domain }),
    ...(when.path === undefined ? {} : { path: when.path }),
    ...(when.methods ? { methods: when.methods } : {}),
    ...(headers.length > 0 ? { headers } : {}),
  };
}

function placeOf(
  { local, remote, targets = {} }: Copies,
  target: string,
  { fallthrough }: ConfigOverride,
): Pick<Override, "location" | "fallthrough"> {
  if (target === "local") return { location: local, ...(fallthrough ? { fallthrough: remote } : {}) };
  if (isUrlTarget(target)) return { location: target };
  return { location: ownValue(targets, target) ?? remote };
}
