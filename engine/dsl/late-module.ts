import type { Action, Condition, ModuleSpec, ProbeSpec } from "./module.ts";

interface Loaded {
  (params: never): Action | Condition;
  readonly spec: ModuleSpec | ProbeSpec;
}

/** A module, or a probe, that is loaded when it is first called or looked at. */
export function lateModule(load: () => Loaded): Loaded {
  const stub = (params: never) => load()(params);
  return Object.defineProperty(stub, "spec", {
    get: () => load().spec,
    enumerable: true,
  }) as Loaded;
}
