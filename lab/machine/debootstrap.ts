import type { AptSettings } from "./apt-settings.ts";

/** mmdebstrap's options and source lines that fetch a Debian suite the way this machine fetches its own packages. */
export function debootstrapFrom(
  apt: AptSettings,
  { suite, components }: { readonly suite: string; readonly components: string },
): { readonly options: readonly string[]; readonly sources: readonly string[] } {
  const line = (uri: string, name: string) =>
    `deb [signed-by=${apt.keyring}] ${uri} ${name} ${components}`;
  return {
    options: [
      ...Object.entries(apt.dates).map(([key, value]) => `--aptopt=${key} "${value}"`),
      ...(apt.proxy === undefined ? [] : [`--aptopt=Acquire::http::Proxy "${apt.proxy}"`]),
    ],
    sources: [
      line(apt.archive, suite),
      line(apt.archive, `${suite}-updates`),
      line(apt.security, `${suite}-security`),
    ],
  };
}
