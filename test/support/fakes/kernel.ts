import type { FakeHost } from "#engine/host/fake/host.ts";

/** What a fake host's kernel knows: values by their path under /proc/sys, and modules. */
export interface FakeKernel {
  readonly sysctls: Record<string, string>;
  readonly modules: Record<string, "loaded" | "loadable" | "built-in">;
}

/** Lets a fake host answer for its kernel: parameters, modules, its own name. */
export function withKernel(host: FakeHost, { sysctls, modules }: FakeKernel): FakeHost {
  return host
    .script(/^# sysctl-live\n/, ({ args }) =>
      args.map((key) => (key in sysctls ? `=${sysctls[key]} \n` : "!\n")).join(""),
    )
    .script(/^# sysctl-set\n/, ({ args: [key = "", value = ""] }) => {
      sysctls[key] = value;
      return undefined;
    })
    .script(/^# sysctl-(files|learned)\n/, () => undefined)
    .script(/^# kernel-modules-state\n/, ({ args }) =>
      ["modular", ...args.map((name) => modules[name] ?? "missing"), ""].join("\n"),
    )
    .script(/^# hostname-set\n/, ({ args: [name = ""], host: { files } }) => {
      files.put("/proc/sys/kernel/hostname", name);
      return undefined;
    })
    .programs({
      modprobe: ({ args }) => {
        const name = args.at(-1) ?? "";
        if (modules[name] === undefined || modules[name] === "built-in") return { code: 1 };
        modules[name] = args.includes("-r") ? "loadable" : "loaded";
        return undefined;
      },
    });
}
