/** The ports of this example, the same as in linkup.yaml. */
export const PORTS = {
  remote: { web: 4101, api: 4102, auth: 4103 },
  local: { web: 3101, api: 3102, auth: 3103 },
};
