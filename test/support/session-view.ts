/** A session of the snapshot, and a service of it, as the tests of views, commands and the editor begin. */
import type { ServiceView, SessionView } from "../../manager/model/snapshot.ts";

/** Remote and healthy. `port`: of its local location. */
export function serviceView(name: string, port: number, more: Partial<ServiceView> = {}): ServiceView {
  return {
    name,
    target: "remote",
    changing: false,
    local: `http://localhost:${port}`,
    remote: `https://${name}.example.com`,
    health: "healthy",
    latencyMs: 12.4,
    reason: undefined,
    ...more,
  };
}

/** Tunneled and running, with the service `web`. */
export function sessionView(more: Partial<SessionView> = {}): SessionView {
  return {
    name: "slim-gecko",
    kind: "tunneled",
    state: "running",
    configPath: "/shop/linkup.yaml",
    secondary: false,
    workerUrl: "https://linkup.example.com",
    urls: ["https://slim-gecko.example.com/"],
    services: [serviceView("web", 3000)],
    ...more,
  };
}
